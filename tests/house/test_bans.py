"""Time, ids and randomness come from one module: the linter's ban is shown to bite everywhere else."""

import json
import subprocess
import sys

import pytest

from tests.house.tree import ROOT

IMPORTS = "import asyncio, os, time, uuid\nfrom datetime import UTC, date, datetime\n"
BANNED = [
    "import random",
    "import secrets",
    "from time import monotonic",
    "asyncio.sleep(1)",
    "date.today()",
    "datetime.now(UTC)",
    "datetime.today()",
    "datetime.utcnow()",
    "os.urandom(8)",
    "time.monotonic()",
    "time.perf_counter()",
    "time.sleep(1)",
    "time.time()",
    "time.time_ns()",
    "uuid.uuid1()",
    "uuid.uuid4()",
]
MODULES = ["core/decide.py", "engine/turn.py", "app.py", "actions/http.py", "rehearse/world.py"]


def banned(filename: str, lines: list[str]) -> list[str]:
    """Those of the lines that the project's own configuration bans in a file of this name."""
    ruff = [sys.executable, "-m", "ruff", "check", "--select", "TID251", "--output-format", "json", "--no-cache"]
    done = subprocess.run(
        [*ruff, "--stdin-filename", filename, "-"],
        input=IMPORTS + "\n".join(lines) + "\n",
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode in {0, 1}, done.stderr
    rows = {fault["location"]["row"] - IMPORTS.count("\n") - 1 for fault in json.loads(done.stdout)}
    return [lines[row] for row in sorted(rows)]


@pytest.mark.parametrize("module", MODULES)
def test_every_use_is_banned_in_the_service(module: str) -> None:
    assert banned(f"service/paramedic/{module}", BANNED) == BANNED


@pytest.mark.parametrize("module", ["service/paramedic/clock.py", "tests/engine/test_turn.py", "bench/accept.py"])
def test_the_clock_itself_and_those_who_measure_may(module: str) -> None:
    assert banned(module, BANNED) == []


def test_comparing_and_converting_need_no_clock() -> None:
    lines = ["import hmac", "datetime.fromtimestamp(0, UTC)", "hmac.compare_digest(a, b)", "asyncio.timeout(1)"]

    assert banned("service/paramedic/intake/auth.py", lines) == []
