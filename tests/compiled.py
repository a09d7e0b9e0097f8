"""In a fresh clone nothing is compiled yet, and each of several workers would compile every test: six seconds each.

So each compiles its share first, as pytest does it, and finds what the others have compiled. `tests/conftest.py` calls
this before anything is collected.
"""

import os
from pathlib import Path

import pytest
from _pytest.assertion import rewrite

HERE = Path(__file__).parent


def compile_share(config: pytest.Config) -> None:
    """Compile those test modules of this worker's share that are not compiled, or have changed since."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if workers == 1:
        return
    mine = int(os.environ["PYTEST_XDIST_WORKER"].removeprefix("gw")) % workers
    state = config.stash[rewrite.assertstate_key]
    modules = sorted(path for path in HERE.rglob("test_*.py") if HERE / "real" not in path.parents)
    for path in modules[mine::workers]:
        cache = rewrite.get_cache_dir(path)
        compiled = cache / (path.stem + rewrite.PYC_TAIL)
        if not compiled.exists() or compiled.stat().st_mtime < path.stat().st_mtime:
            if not rewrite.try_makedirs(cache):
                return
            source, code = rewrite._rewrite_test(path, config)
            rewrite._write_pyc(state, code, source, compiled)
