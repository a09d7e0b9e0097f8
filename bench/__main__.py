"""`python -m bench [NAME ...]`: run measurements one after the other. No name, or `all`, runs them all."""

import argparse
import importlib
import signal
import sys
import time
from collections.abc import Mapping

from bench.machine import calibrate, described

MEASUREMENTS = {
    "start": "from exec to ready, first and again; one command's start",
    "rules": "routing and deciding with 10 and with 1,000 rules",
    "rehearsal": "virtual time against real time in `paramedic test`",
    "accept": "durable accept of 5-alert bodies against a bare handler",
    "act": "from an alert to an http action, end to end",
    "where": "where the CPU time of an alert goes (a sampled service; its figures are not comparable)",
    "kube": "a plan on a cluster, many incidents on one workload, the service with and without a cluster",
    "guards": "a phase of twelve guards without network, and many incidents that look at one workload",
    "members": "one member against two on one database",
    "soak": "a steady load for minutes under autovacuum: --minutes, --rate (alerts/s), --naptime (s)",
    "memory": "the process's memory, idle and with 100,000 open incidents",
}


def main() -> int:
    """Run what was asked for; the exit code is 0 unless a measurement could not be made."""
    listed = "\n".join(f"  {name:10} {what}" for name, what in MEASUREMENTS.items())
    parser = argparse.ArgumentParser(
        prog="python -m bench", epilog=listed, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="what to measure; none: all")
    parser.add_argument("--minutes", type=float, default=2.0, help="soak: for how long")
    parser.add_argument("--rate", type=float, default=50.0, help="soak: alerts a second")
    parser.add_argument("--naptime", type=int, default=60, help="soak: seconds between two rounds of autovacuum")
    parser.add_argument("--bodies", type=int, default=3000, help="accept: bodies in one burst")
    asked = parser.parse_args()
    names, given = asked.names, {"soak": {name: getattr(asked, name) for name in ("minutes", "rate", "naptime")}}
    given["accept"] = {"bodies": asked.bodies}
    if not names or "all" in names:
        names = list(MEASUREMENTS)
    unknown = [name for name in names if name not in MEASUREMENTS]
    if unknown:
        parser.error(f"there is no measurement {', '.join(unknown)}; there are {', '.join(MEASUREMENTS)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started ends too
    print(described())
    return max(run(name, given.get(name, {})) for name in names)


def run(name: str, options: Mapping[str, float]) -> int:
    """One measurement between two looks at the machine, so that a slow phase can be told from slow code."""
    print(f"\n== {name}: {MEASUREMENTS[name]}", flush=True)
    before, began = calibrate(), time.monotonic()
    try:
        importlib.import_module(f"bench.{name}").main(**options)
    except Exception as error:  # what could not be measured is said, and the others go on
        print(f"   could not be measured: {type(error).__name__}: {error}")
        return 1
    finally:
        took = time.monotonic() - began
        print(
            f"   (the machine: {before * 1e3:.0f} ms before, {calibrate() * 1e3:.0f} ms after; {took:.0f} s)",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
