"""`paramedic` under a sampling profiler: `python -m bench.sampled FILE serve` writes its stacks into FILE at the end.

A timer of the CPU time that this process uses (1 ms) interrupts it; the stack of the main thread is counted. Waiting
is not counted. `where` reads the file and says what share of the time each part of the service had.
"""

import json
import signal
import sys
from collections import Counter
from pathlib import Path
from types import FrameType

from paramedic.cli.main import main as command

_EVERY = 0.001  # seconds
_DEEPEST = 80


class Sampler:
    """Counts stacks, innermost frame first."""

    def __init__(self) -> None:
        self.stacks: Counter[tuple[str, ...]] = Counter()

    def sample(self, _: int, frame: FrameType | None) -> None:
        """One tick of the timer."""
        stack: list[str] = []
        while frame is not None and len(stack) < _DEEPEST:
            code = frame.f_code
            stack.append(f"{code.co_filename}:{code.co_qualname}")
            frame = frame.f_back
        self.stacks[tuple(stack)] += 1


def main() -> int:
    """Run the command, then write the counts as JSON."""
    file, sampler = Path(sys.argv[1]), Sampler()
    sys.argv = ["paramedic", *sys.argv[2:]]
    signal.signal(signal.SIGPROF, sampler.sample)
    signal.siginterrupt(signal.SIGPROF, False)
    signal.setitimer(signal.ITIMER_PROF, _EVERY, _EVERY)
    try:
        return command() or 0
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        file.write_text(json.dumps([[count, stack] for stack, count in sampler.stacks.items()]))


if __name__ == "__main__":
    sys.exit(main())
