"""How much faster than real time rehearsals run: the repository's own, start included, and thirty days of timers.

The month is one alert that fires all the time and one check that is asked 2,000 times: each time a timer is committed,
waited for, fired, folded and followed by the next.
"""

import json
import logging
import statistics
import subprocess
import time

from bench.processes import ROOT, paramedic
from paramedic.catalog.load import Loaded
from paramedic.plugin import discover
from paramedic.rehearse.files import read_rehearsals
from paramedic.rehearse.run import Result, rehearse

_ROUNDS = 3
_TIMERS = 2_000
_MONTH = f"""
endpoints: [{{name: hook, url: "http://127.0.0.1:9", idempotent: true}}]
rules: [{{name: down, match: ['alertname="Down"'], incident: [alertname], playbook: restart}}]
---
playbook: restart
mode: auto
target: hook/it
steps:
  - http: {{endpoint: hook, path: /restart}}
    verify: [alert_cleared: {{within: 30d, every: {30 * 86_400 / _TIMERS:.0f}s}}]
---
rehearsal: It is asked for thirty days
world: {{endpoints: {{hook: {{}}}}}}
when: [{{at: 0s, alert: {{alertname: Down}}}}]
then: [{{times: {_TIMERS}, check: {{alert_cleared: fail}}}}]
clock: {{until: 30d}}
"""


def main() -> None:
    """Print the virtual time of all rehearsals beside playbooks/, and of a month with 2,000 timers; what they took."""
    _own()
    _month()


def _own() -> None:
    took, virtual = [], 0.0
    for _ in range(_ROUNDS):
        began = time.monotonic()
        done = subprocess.run([paramedic(), "test", "--json"], cwd=ROOT, capture_output=True, timeout=120, check=True)
        took.append(time.monotonic() - began)
        virtual = sum(one["simulated_seconds"] for one in json.loads(done.stdout)["rehearsals"])
    seconds = statistics.median(took)
    print(f"   {virtual:.0f} s of virtual time in {seconds:.2f} s: {virtual / seconds:.0f} times real time", flush=True)


def _month() -> None:
    logging.disable(logging.WARNING)  # the process under test says that it is ended
    cpu, took = [], []
    for _ in range(_ROUNDS):
        began = time.process_time()
        took.append(_played().took)
        cpu.append(time.process_time() - began)
    real, busy = statistics.median(took), statistics.median(cpu)
    print(f"   30 days with {_TIMERS} timers in {real:.2f} s ({busy:.2f} s of CPU; wanted: below 1 s)", flush=True)


def _played() -> Result:
    plugins = discover()
    file = read_rehearsals("month.test.yaml", _MONTH, plugins, _nothing_beside)
    if file.faults:
        raise file.faults[0]
    result = rehearse(file.rehearsals[0], plugins, time.monotonic)
    if not result.ok:
        raise RuntimeError(f"the month did not go as told: {result.error or result.findings}")
    return result


def _nothing_beside() -> Loaded:
    raise LookupError("the month brings its own rules")


if __name__ == "__main__":
    main()
