"""How much faster than real time the repository's own rehearsals run: virtual seconds a second, start included."""

import json
import statistics
import subprocess
import time

from bench.processes import ROOT, paramedic

_ROUNDS = 3


def main() -> None:
    """Print the virtual time of all rehearsals beside playbooks/, and what it took."""
    took, virtual = [], 0.0
    for _ in range(_ROUNDS):
        began = time.monotonic()
        done = subprocess.run([paramedic(), "test", "--json"], cwd=ROOT, capture_output=True, timeout=120, check=True)
        took.append(time.monotonic() - began)
        virtual = sum(one["simulated_seconds"] for one in json.loads(done.stdout)["rehearsals"])
    seconds = statistics.median(took)
    print(f"   {virtual:.0f} s of virtual time in {seconds:.2f} s: {virtual / seconds:.0f} times real time", flush=True)


if __name__ == "__main__":
    main()
