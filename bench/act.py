"""From an alert to an `http` action, end to end: 1 alert a POST, the rig's sink as the endpoint, the example rules.

Three systems take the same loads in turns: the rig's null peer (parses, answers and calls, keeps nothing), a bare
handler that journals before it answers and calls, and the service.
"""

import json
import statistics
import sys
import tempfile
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.load import WEBHOOK, Load, drive, settled
from bench.machine import calibrate, spent
from bench.processes import Running, null_peer, running, serving, sink

_ROUNDS = 3
_AIMS = "aims: 0.1 of the null peer; 10/s: p50 6 and p99 12 ms; 1,500/s: p99 100 ms"


@dataclass(frozen=True, slots=True)
class Done:
    """What one load came to. CPU is in seconds an alert, times in milliseconds."""

    rate: float
    p50: float
    p99: float
    python: float
    postgres: float


def closed(run: str) -> Load:
    """As fast as 64 connections go."""
    return Load(run, 3000, concurrency=64, seconds=20)


def steady(run: str, rate: int, seconds: int) -> Load:
    """So many a second."""
    return Load(run, rate * seconds, rate=rate, seconds=seconds + 2)


def main() -> None:
    """The loads on the three, then what the service's figures are of the others'."""
    print("   CPU ms an alert: of Python, of PostgreSQL (in units of this machine's speed)", flush=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pb-")))
        hook = stack.enter_context(sink(folder))
        bare = [sys.executable, "-m", "bench.ceiling", str(folder / "bare"), hook]
        systems = {
            "null": stack.enter_context(null_peer(folder, hook)),
            "bare": stack.enter_context(running(bare, r"ready (\S+)", folder / "bare.log", {})),
            "serve": stack.enter_context(serving(folder, hook)),
        }
        for label, system in systems.items():
            drive(system.url + WEBHOOK, Load(f"{label}warm", 300, concurrency=16))

        def measured(label: str, load: Load) -> Done:
            return _measured(label, systems[label], hook, load, folder)

        _print_ratios(measured)


def _print_ratios(measured: Callable[[str, Load], Done]) -> None:
    fast: dict[str, list[Done]] = {"null": [], "bare": [], "serve": []}
    for n in range(_ROUNDS):
        for label, done in fast.items():
            done.append(measured(label, closed(f"{label}c{n}")))
    slow = {label: measured(label, steady(f"{label}s", 10, 30)) for label in fast}
    measured("serve", steady("serve100", 100, 10))
    for label in ("bare", "serve"):
        measured(label, steady(f"{label}600", 600, 10))
    many = measured("serve", steady("serve1500", 1500, 10))

    best = {label: statistics.median(one.rate for one in done) for label, done in fast.items()}
    cpu = {label: min(one.python for one in done) for label, done in fast.items()}
    print(f"   {_AIMS}", flush=True)
    print(
        f"   serve : null peer {best['serve'] / best['null']:.2f} of its actions/s,"
        f" serve : bare {best['serve'] / best['bare']:.2f};"
        f" CPU of Python an alert {cpu['serve'] * 1e3:.2f} ms, {cpu['serve'] / cpu['bare']:.1f} times bare,"
        f" {cpu['serve'] / cpu['null']:.0f} times null",
        flush=True,
    )
    reached = "" if many.rate > 1400 else f" (not reached: {many.rate:.0f}/s)"
    print(
        f"   at 10/s p50 {slow['serve'].p50:.1f} p99 {slow['serve'].p99:.1f} ms,"
        f" {slow['serve'].p50 / slow['bare'].p50:.1f} and {slow['serve'].p99 / slow['bare'].p99:.1f} times bare;"
        f" at 1,500/s p99 {many.p99:.0f} ms{reached}",
        flush=True,
    )


def _measured(label: str, what: Running, hook: str, load: Load, folder: Path) -> Done:
    """Send one load, wait until it has been executed, print a line."""
    speed, log = calibrate(), folder / f"{load.run}.log"
    before, earlier = spent(what.pid), calls(hook)
    done = drive(what.url + WEBHOOK, load, log)
    found = settled(hook, log, earlier + done["sent"])
    used = spent(what.pid) - before
    executed = max(1, found["executed_distinct"])
    ms: dict[str, Any] = found["action_latency_ms"]
    came = Done(
        found["actions_per_s_from_first_send"],
        ms["p50"] or 0.0,
        ms["p99"] or 0.0,
        used.python / executed,
        used.postgres / executed,
    )
    how = f"{load.rate:g}/s" if load.rate else f"closed, c={load.concurrency}"
    counts = f"sent {done['sent']} accepted {found['accepted']} executed {found['executed_distinct']}"
    wrong = f"lost {found['accepted_not_executed']} dups {found['dups']}"
    cpu = f"CPU {came.python * 1e3:.2f} + {came.postgres * 1e3:.2f} ms"
    cpu += f" ({came.python / speed:.2%} + {came.postgres / speed:.2%})"
    times = f"p50 {came.p50:7.1f}  p99 {came.p99:7.1f} ms"
    print(f"   {label:5} {how:13} {came.rate:6.0f} actions/s  {times}  {counts} {wrong}  {cpu}", flush=True)
    return came


def calls(hook: str) -> int:
    """How often the hook was called so far."""
    with urllib.request.urlopen(f"{hook}/stats", timeout=10) as answer:
        return int(json.load(answer)["calls"])


if __name__ == "__main__":
    main()
