"""From an alert to an `http` action, end to end: 1 alert a POST, the rig's sink as the endpoint, the example rules."""

import json
import sys
import tempfile
import urllib.request
from pathlib import Path

from bench.load import WEBHOOK, Load, drive, settled
from bench.machine import calibrate, spent
from bench.processes import Running, running, serving, sink

_LOADS = (
    Load("r10", 100, rate=10, seconds=12),
    Load("r100", 1000, rate=100, seconds=12),
    Load("r600", 6000, rate=600, seconds=12),
    Load("closed", 6000, concurrency=64, seconds=20),
    Load("r1500", 6000, rate=1500, seconds=12),
)
_CLOSED = 3  # its place above
_BARE = (Load("b10", 100, rate=10, seconds=12), Load("b600", 6000, rate=600, seconds=12), Load("bclosed", 6000))


def main() -> None:
    """The same loads on a bare handler that journals and calls, then on the service."""
    print(
        "   CPU ms an alert: of Python, of PostgreSQL; x calibration: the same in units of this machine's speed",
        flush=True,
    )
    with tempfile.TemporaryDirectory(prefix="pb-") as name:
        folder = Path(name)
        with sink(folder) as hook:
            command = [sys.executable, "-m", "bench.ceiling", str(folder / "bare"), hook]
            with running(command, r"ready (\S+)", folder / "bare.log", {}) as bare:
                bare_cpu = [_measured("bare", bare, hook, load, folder) for load in _BARE][-1]
            with serving(folder, hook) as service:
                drive(service.url + WEBHOOK, Load("warm", 300, concurrency=16))
                cpu = [_measured("serve", service, hook, load, folder) for load in _LOADS][_CLOSED]
    print(f"   serve : bare, CPU of Python an alert, closed loop: {cpu / bare_cpu:.1f}")


def _measured(label: str, what: Running, hook: str, load: Load, folder: Path) -> float:
    """Send one load, wait until it has been executed, print a line; CPU ms of Python an alert."""
    speed, log = calibrate(), folder / f"{load.run}.log"
    before, calls = spent(what.pid), _calls(hook)
    done = drive(what.url + WEBHOOK, load, log)
    found = settled(hook, log, calls + done["sent"])
    used = spent(what.pid) - before
    executed = max(1, found["executed_distinct"])
    python, postgres = used.python / executed, used.postgres / executed
    ms, rate = found["action_latency_ms"], found["actions_per_s_from_first_send"]
    how = f"{load.rate:g}/s" if load.rate else f"closed, c={load.concurrency}"
    counts = f"sent {done['sent']} accepted {found['accepted']} executed {found['executed_distinct']}"
    wrong = f"lost {found['accepted_not_executed']} dups {found['dups']}"
    cpu = f"CPU {python * 1e3:.2f} + {postgres * 1e3:.2f} ms ({python / speed:.2%} + {postgres / speed:.2%})"
    times = f"p50 {ms['p50'] or 0:7.1f}  p99 {ms['p99'] or 0:7.1f} ms"
    print(f"   {label:5} {how:13} {rate:6.0f} actions/s  {times}  {counts} {wrong}  {cpu}", flush=True)
    return float(python)


def _calls(hook: str) -> int:
    with urllib.request.urlopen(f"{hook}/stats", timeout=10) as answer:
        return int(json.load(answer)["calls"])


if __name__ == "__main__":
    main()
