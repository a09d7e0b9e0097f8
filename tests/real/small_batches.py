"""`paramedic serve` whose turns are short: `python -m tests.real.small_batches`. Otherwise it is the service as it is.

A turn takes four inputs, and whatever has to wait for the next one is late: a few dozen deliveries do to it what a
burst of thousands does to others.
"""

import sys
from functools import partial
from unittest.mock import patch

from paramedic.cli.main import main as command
from paramedic.engine.shell import Options

__all__ = ["BATCH", "main"]

BATCH = 4


def main() -> int:
    """Serve."""
    with patch("paramedic.app.Options", partial(Options, batch=BATCH, late=0.0)):
        return command(["serve"])


if __name__ == "__main__":
    sys.exit(main())
