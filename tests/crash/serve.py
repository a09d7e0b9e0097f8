"""`paramedic serve` that kills itself with SIGKILL where it is told to: `python -m tests.crash.serve`.

The modules that hold points are rewritten while they are imported. CRASH_AT names the point at which the process dies,
with its side and perhaps the how-manieth passing (`POINT:before@3`); CRASH_PASSED a file that takes every point passed.
CRASH_BY=SIGSTOP has it stand still there instead, until somebody wakes it up.
"""

import importlib.abc
import importlib.machinery
import os
import signal
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType

from tests.crash.points import PASSING, modules, points, rewritten
from tests.crash.woven import passing

__all__ = ["main"]


class Rewriting(importlib.machinery.SourceFileLoader):
    """Loads a module out of its rewritten tree; what is compiled is not kept."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return compile(rewritten(fullname, self.get_data(path).decode()), path, "exec")

    def exec_module(self, module: ModuleType) -> None:
        setattr(module, PASSING, PASSES)
        super().exec_module(module)


class Finder(importlib.abc.MetaPathFinder):
    """Finds the modules that hold points."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in HOLDING:
            return None
        file = str(modules()[fullname])
        return importlib.machinery.ModuleSpec(fullname, Rewriting(fullname, file), origin=file)


class Fate:
    """Counts the passings of the point that counts, and writes all down if asked to."""

    def __init__(self, at: str, by: str, passed: str) -> None:
        self._signal = signal.Signals[by or "SIGKILL"]
        self._point, _, time = at.partition("@")
        self._left = int(time or 1)
        self._passed = os.open(passed, os.O_WRONLY | os.O_CREAT | os.O_APPEND) if passed else None

    def tell(self, point: str) -> None:
        """A point is passed."""
        if self._passed is not None:
            os.write(self._passed, f"{point}\n".encode())
        if point == self._point:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), self._signal)


HOLDING = frozenset(point.module for point in points())
PASSES = passing(Fate(*(os.environ.get(f"CRASH_{name}", "") for name in ("AT", "BY", "PASSED"))).tell)


def main() -> int:
    """Serve."""
    early = sorted(HOLDING & sys.modules.keys())
    assert not early, f"imported before they could be rewritten: {early}"
    sys.meta_path.insert(0, Finder())
    from paramedic.cli.main import main as command

    return command(["serve"])


if __name__ == "__main__":
    sys.exit(main())
