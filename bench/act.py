"""From an alert to an `http` action, end to end: 1 alert a POST, the rig's sink as the endpoint, the example rules."""

import sys
import tempfile
from pathlib import Path

from bench.load import WEBHOOK, Load, drive, settled
from bench.machine import calibrate, spent
from bench.processes import Running, running, serving, sink

_LOADS = (
    Load("r10", 100, rate=10, seconds=12),
    Load("r100", 1000, rate=100, seconds=12),
    Load("r600", 6000, rate=600, seconds=12),
    Load("r1500", 15000, rate=1500, seconds=12),
    Load("closed", 8000, concurrency=64, seconds=20),
)
_BARE = (Load("b10", 100, rate=10, seconds=12), Load("b600", 6000, rate=600, seconds=12), Load("bclosed", 8000))


def main() -> None:
    """The same loads on a bare handler that journals and calls, then on the service."""
    print("   CPU ms an alert: of Python, of PostgreSQL; x calibration: the same in units of this machine's speed", flush=True)
    with tempfile.TemporaryDirectory(prefix="pb-") as name:
        folder = Path(name)
        with sink(folder) as hook:
            command = [sys.executable, "-m", "bench.ceiling", str(folder / "bare"), hook]
            with running(command, r"ready (\S+)", folder / "bare.log", {}) as bare:
                bare_cpu = [_measured("bare", bare, hook, load, folder) for load in _BARE][-1]
            with serving(folder, hook) as service:
                drive(service.url + WEBHOOK, Load("warm", 300, concurrency=16))
                cpu = [_measured("serve", service, hook, load, folder) for load in _LOADS][-1]
    print(f"   serve : bare, CPU of Python an alert, closed loop: {cpu / bare_cpu:.1f}")


def _measured(label: str, what: Running, hook: str, load: Load, folder: Path) -> float:
    """Send one load, wait until it has been executed, print a line; CPU ms of Python an alert."""
    speed, log = calibrate(), folder / f"{load.run}.log"
    before, calls = spent(what.pid), _calls(hook)
    done = drive(what.url + WEBHOOK, load, log)
    found = settled(hook, log, calls + done["ok"])
    used = spent(what.pid) - before
    executed = max(1, found["executed_distinct"])
    python, postgres = used.python / executed * 1e3, used.postgres / executed * 1e3
    ms, rate = found["action_latency_ms"], found["actions_per_s_from_first_send"]
    how = f"{load.rate:g}/s" if load.rate else f"closed, c={load.concurrency}"
    print(
        f"   {label:5} {how:13} {rate:6.0f} actions/s  p50 {ms['p50'] or 0:7.1f}  p99 {ms['p99'] or 0:7.1f} ms"
        f"  sent {done['sent']} accepted {found['accepted']} executed {found['executed_distinct']}"
        f" lost {found['accepted_not_executed']} dups {found['dups']}"
        f"  CPU {python:.2f} + {postgres:.2f} ms  ({python / speed / 1e3 * 100:.2f} % + {postgres / speed / 1e3 * 100:.2f} %"
        f" of the {speed * 1e3:.0f} ms job)",
        flush=True,
    )
    return python


def _calls(hook: str) -> int:
    import json
    import urllib.request

    with urllib.request.urlopen(f"{hook}/stats", timeout=10) as answer:
        return int(json.load(answer)["calls"])


if __name__ == "__main__":
    main()
