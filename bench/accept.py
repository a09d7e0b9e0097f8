"""Durable accept of 5-alert bodies, closed loop with 32 connections, against the machine's ceiling."""

import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.load import WEBHOOK, Load, drive
from bench.machine import Spent, spent
from bench.processes import Running, running, serving, sink

_BODIES = 4000
_NOBODY = "'alertname=\"Nothing\"'"


def main() -> None:
    """Three times the same load: on the bare handler, on the service where no rule wants the alerts, where one does."""
    with tempfile.TemporaryDirectory(prefix="pb-") as name:
        folder = Path(name)
        command = [sys.executable, "-m", "bench.ceiling", str(folder / "bare")]
        with running(command, r"ready (\S+)", folder / "bare.log", {}) as bare:
            best = _measured("bare handler, journal only", bare, "b", None)
        with sink(folder) as hook:
            for label, match in (("serve, no rule wants them", _NOBODY), ("serve, every alert acts", "")):
                place = folder / f"serve{len(match)}"
                place.mkdir()
                with serving(place, hook, **({"match": match} if match else {})) as service:
                    _measured(label, service, "s", best)


def _measured(label: str, what: Running, run: str, best: float | None) -> float:
    drive(what.url + WEBHOOK, Load(f"{run}w", 200, alerts=5, concurrency=32))
    before = spent(what.pid)
    done: dict[str, Any] = drive(what.url + WEBHOOK, Load(run, _BODIES, alerts=5, concurrency=32, seconds=20))
    used: Spent = spent(what.pid) - before
    rate, ms = done["webhooks_per_s"], done["http_ms"]
    refused = done["sent"] - done["ok"]
    cpu = f"CPU ms a body {used.python / done['sent'] * 1e3:.2f} + {used.postgres / done['sent'] * 1e3:.2f}"
    times = f"p50 {ms['p50']:.1f} ms  p99 {ms['p99']:.1f} ms  refused {refused}"
    ratio = f"{rate / (best or rate):.2f} of the ceiling"
    print(f"   {label:28} {rate:6.0f} bodies/s ({5 * rate:.0f} alerts/s)  {times}  {cpu}  {ratio}", flush=True)
    return float(rate)


if __name__ == "__main__":
    main()
