"""Durable accept of 5-alert bodies, closed loop with 32 connections, against the machine's ceiling, in turns."""

import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.load import WEBHOOK, Load, drive
from bench.machine import Spent, spent
from bench.processes import Running, running, serving, sink

_ROUNDS = 3
_RESTING = 0.1
_PATIENCE = 120.0
_NOBODY = "'alertname=\"Nothing\"'"
_SYSTEMS = {
    "bare": "bare handler, journal only",
    "unwanted": "serve, no rule wants them",
    "acting": "serve, every alert acts",
}


@dataclass(frozen=True, slots=True)
class Done:
    """Bodies a second; CPU in seconds a body."""

    rate: float
    python: float
    postgres: float


def main(bodies: int = 3000) -> None:
    """The same burst on the bare handler, on the service where no rule wants the alerts, where one does."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pb-")))
        hook = stack.enter_context(sink(folder))
        command = [sys.executable, "-m", "bench.ceiling", str(folder / "bare")]
        systems = {"bare": stack.enter_context(running(command, r"ready (\S+)", folder / "bare.log", {}))}
        for name, match in (("unwanted", {"match": _NOBODY}), ("acting", {})):
            place = folder / name
            place.mkdir()
            systems[name] = stack.enter_context(serving(place, hook, **match))
        done: dict[str, list[Done]] = {name: [] for name in systems}
        for n in range(_ROUNDS):
            for name, system in systems.items():
                done[name].append(_measured(name, system, f"{name}{n}", bodies))
        rate = {name: statistics.median(one.rate for one in some) for name, some in done.items()}
        cpu = {name: min(one.python + one.postgres for one in some) for name, some in done.items()}
        for name in ("unwanted", "acting"):
            print(
                f"   {_SYSTEMS[name]}: {rate[name] / rate['bare']:.2f} of the ceiling (aim: 0.8),"
                f" {cpu[name] / cpu['bare']:.1f} times its CPU",
                flush=True,
            )


def _measured(name: str, what: Running, run: str, bodies: int) -> Done:
    """One burst; its CPU is counted until what was accepted is decided."""
    drive(what.url + WEBHOOK, Load(f"{run}w", 200, alerts=5, concurrency=32))
    _rest(what.pid)
    before = spent(what.pid)
    done: dict[str, Any] = drive(what.url + WEBHOOK, Load(run, bodies, alerts=5, concurrency=32, seconds=20))
    _rest(what.pid)
    used: Spent = spent(what.pid) - before
    rate, ms, sent = done["webhooks_per_s"], done["http_ms"], max(1, done["sent"])
    refused = done["sent"] - done["ok"]
    cpu = f"CPU ms a body {used.python / sent * 1e3:.2f} + {used.postgres / sent * 1e3:.2f}"
    times = f"p50 {ms['p50']:.1f} ms  p99 {ms['p99']:.1f} ms  refused {refused}"
    print(f"   {_SYSTEMS[name]:28} {rate:6.0f} bodies/s ({5 * rate:.0f} alerts/s)  {times}  {cpu}", flush=True)
    return Done(float(rate), used.python / sent, used.postgres / sent)


def _rest(pid: int) -> None:
    """Wait until the service has no work left: it decides what it has accepted, and would take time from the next."""
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        before = spent(pid).python
        time.sleep(1.0)
        if spent(pid).python - before < _RESTING:
            return
    raise RuntimeError("what was accepted was not decided in time")


if __name__ == "__main__":
    main()
