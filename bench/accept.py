"""Durable accept of 5-alert bodies, closed loop with 32 connections, against the machine's ceiling, in turns.

One service, and two on one database, each of which gets half of the bodies.
"""

import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.load import WEBHOOK, Load, drive
from bench.members import Crowd, crowd, used
from bench.processes import running, serving, sink

_ROUNDS = 3
_RESTING = 0.1
_PATIENCE = 120.0
_NOBODY = "'alertname=\"Nothing\"'"
_SYSTEMS = {
    "bare": "bare handler, journal only",
    "unwanted": "serve, no rule wants them",
    "acting": "serve, every alert acts",
    "two": "two of them, no rule wants them",
}


@dataclass(frozen=True, slots=True)
class Done:
    """Bodies a second; CPU in seconds a body."""

    rate: float
    python: float
    postgres: float


def main(bodies: int = 3000) -> None:
    """The same burst on the bare handler, on the service where no rule wants the alerts, where one does, on two."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pb-")))
        hook = stack.enter_context(sink(folder))
        command = [sys.executable, "-m", "bench.ceiling", str(folder / "bare")]
        systems = {"bare": Crowd([stack.enter_context(running(command, r"ready (\S+)", folder / "bare.log", {}))])}
        for name, match in (("unwanted", {"match": _NOBODY}), ("acting", {})):
            place = folder / name
            place.mkdir()
            systems[name] = Crowd([stack.enter_context(serving(place, hook, **match))])
        systems["two"] = stack.enter_context(crowd(folder, hook, 2, match=_NOBODY))
        done: dict[str, list[Done]] = {name: [] for name in systems}
        for n in range(_ROUNDS):
            for name, system in systems.items():
                done[name].append(_measured(name, system, f"{name}{n}", bodies))
        rate = {name: statistics.median(one.rate for one in some) for name, some in done.items()}
        cpu = {name: min(one.python + one.postgres for one in some) for name, some in done.items()}
        for name in ("unwanted", "acting", "two"):
            print(
                f"   {_SYSTEMS[name]}: {rate[name] / rate['bare']:.2f} of the ceiling (aim: 0.8),"
                f" {cpu[name] / cpu['bare']:.1f} times its CPU",
                flush=True,
            )


def _measured(name: str, what: Crowd, run: str, bodies: int) -> Done:
    """One burst; its CPU is counted until what was accepted is decided."""
    _sent(what, f"{run}w", 200)
    _rest(what)
    before = used(what)
    found = _sent(what, run, bodies)
    _rest(what)
    sent = max(1, sum(one["sent"] for one in found))
    python, postgres = ((now - then) / sent for now, then in zip(used(what), before, strict=True))
    rate = sum(one["webhooks_per_s"] for one in found)
    refused = sent - sum(one["ok"] for one in found)
    p50, p99 = (max(one["http_ms"][which] for one in found) for which in ("p50", "p99"))
    cpu = f"CPU ms a body {python * 1e3:.2f} + {postgres * 1e3:.2f}"
    times = f"p50 {p50:.1f} ms  p99 {p99:.1f} ms  refused {refused}"
    print(f"   {_SYSTEMS[name]:32} {rate:6.0f} bodies/s ({5 * rate:.0f} alerts/s)  {times}  {cpu}", flush=True)
    return Done(float(rate), python, postgres)


def _sent(what: Crowd, run: str, bodies: int) -> list[dict[str, Any]]:
    """The burst, spread over the members."""
    urls, many = [one.url + WEBHOOK for one in what.members], len(what.members)
    loads = [Load(f"{run}-{n}", bodies // many, alerts=5, concurrency=32 // many, seconds=20) for n in range(len(urls))]
    with ThreadPoolExecutor(many) as at_once:
        return list(at_once.map(drive, urls, loads))


def _rest(what: Crowd) -> None:
    """Wait until there is no work left: what was accepted is decided, and would take time from the next."""
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        before = used(what)[0]
        time.sleep(1.0)
        if used(what)[0] - before < _RESTING:
            return
    raise RuntimeError("what was accepted was not decided in time")


if __name__ == "__main__":
    main()
