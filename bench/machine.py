"""What the machine gives: how fast it is right now, and what processes use of it. Read from /proc, so Linux only."""

import json
import os
import platform
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Spent", "calibrate", "described", "resident", "spent"]

_TICKS = os.sysconf("SC_CLK_TCK")


def calibrate() -> float:
    """CPU seconds of a fixed piece of Python, median of five: by it figures of other moments can be compared."""
    return statistics.median(_job() for _ in range(5))


def _job() -> float:
    began = time.process_time()
    for _ in range(40):
        json.loads(json.dumps([{"a": n, "b": str(n)} for n in range(2000)]))
    return time.process_time() - began


def described() -> str:
    """The machine in one line."""
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    speed = f"calibration {calibrate() * 1e3:.0f} ms"
    return f"Python {platform.python_version()} on {os.cpu_count()} cores, load {load}; {speed}"


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU seconds, user and system, of a service since its start: of its own process, and of its PostgreSQL."""

    python: float
    postgres: float

    def __sub__(self, other: "Spent") -> "Spent":
        return Spent(self.python - other.python, self.postgres - other.postgres)


def spent(pid: int) -> Spent:
    """What the process and the database below it have used. A backend that has ended counts with the postmaster."""
    database = [_stat(one) for one in _below(pid)]
    return Spent(sum(_stat(pid)[:2]) / _TICKS, sum(map(sum, database)) / _TICKS)


def resident(pid: int) -> tuple[float, float]:
    """MiB resident: of the process, and of its database's own memory (what its processes share counts once)."""
    shared, own = 0.0, 0.0
    for one in _below(pid):
        sizes = _status(one)
        shared = max(shared, sizes.get("RssShmem", 0.0))
        own += sizes.get("RssAnon", 0.0)
    return _status(pid).get("VmRSS", 0.0), own + shared


def _stat(pid: int) -> tuple[float, ...]:
    """Ticks: user, system, and the same of children that were waited for. Zero for a process that is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return (0.0,) * 4
    return tuple(float(one) for one in text[text.rfind(")") + 2 :].split()[11:15])


def _status(pid: int) -> dict[str, float]:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}
    pairs = (line.split(":", 1) for line in lines if line.endswith(" kB"))
    return {name: float(value.split()[0]) / 1024 for name, value in pairs}


def _below(pid: int) -> list[int]:
    """Every descendant."""
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                text = Path(f"/proc/{entry}/stat").read_text()
            except OSError:
                continue
            parent = int(text[text.rfind(")") + 2 :].split()[1])
            children.setdefault(parent, []).append(int(entry))
    found, waiting = [], list(children.get(pid, []))
    while waiting:
        one = waiting.pop()
        found.append(one)
        waiting += children.get(one, [])
    return found
