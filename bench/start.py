"""From exec to the first 200 of /readyz, on a new data folder and again on the same one; and how fast a command is."""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.load import ready
from bench.processes import cluster, free_port, paramedic, serving

_AGAIN = 3


def main() -> None:
    """Print each in seconds, and against a Python that does nothing."""
    nothing = _median([sys.executable, "-c", "pass"])
    print(f"   python -c pass         {nothing:5.2f} s   1.0")
    for words in (["--help"], ["check", "--help"]):
        took = _median([paramedic(), *words])
        print(f"   paramedic {' '.join(words):12} {took:5.2f} s  {took / nothing:4.1f}")
    with tempfile.TemporaryDirectory(prefix="pb-") as name:
        first = _served(Path(name))
        again = [_served(Path(name)) for _ in range(_AGAIN)]
        with_cluster = [_served(Path(name), cluster(Path(name))) for _ in range(_AGAIN)]
    print(f"   serve, first time      {first:5.2f} s  {first / nothing:4.1f}   (makes the database)")
    took = statistics.median(again)
    print(f"   serve, again           {took:5.2f} s  {took / nothing:4.1f}   (median of {_AGAIN})")
    took = statistics.median(with_cluster)
    print(f"   serve, with a cluster  {took:5.2f} s  {took / nothing:4.1f}   (median of {_AGAIN})", flush=True)


def _served(folder: Path, more: Mapping[str, str] | None = None) -> float:
    began = time.monotonic()
    with serving(folder, f"http://127.0.0.1:{free_port()}", more=more) as service:
        return ready(service.url, began)


def _median(command: Sequence[str]) -> float:
    took = []
    for _ in range(5):
        began = time.monotonic()
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        took.append(time.monotonic() - began)
    return statistics.median(took)


if __name__ == "__main__":
    main()
