"""What PostgreSQL's programs say on stderr, kept in part, passed to our log, and made into one line for a person.

`postmaster` and `cluster` feed it; `supervisor` asks it why something ended.
"""

import logging
import re
from collections import deque
from collections.abc import Iterable
from pathlib import Path

from paramedic.errors import ParamedicError, Permanent, Temporary

__all__ = ["ServerLog", "explained"]

LOG = logging.getLogger(__name__)
KEPT = 50  # lines; a reason is among the last few
# While initdb works, its servers have not read that their lines need no time and number.
SEVERITY = re.compile(
    r"^(?:initdb: |[\d-]+ [\d:.]+ \w+ \[\d+\] )?"
    r"(?P<word>DEBUG\d|INFO|NOTICE|WARNING|LOG|ERROR|FATAL|PANIC|error):\s+(?P<text>.*)"
)
FULL = "No space left on device"
ORDERED = "due to administrator command"  # the server was told to stop, as we tell it ourselves
LEVELS = {"WARNING": logging.WARNING, "FATAL": logging.ERROR, "PANIC": logging.CRITICAL}
# Values that came with an alert can be part of a server's message.
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class ServerLog:
    """The last lines that a server said."""

    def __init__(self) -> None:
        self.lines: deque[str] = deque(maxlen=KEPT)

    def take(self, line: bytes) -> str:
        """Keep one line and pass it to our log; the line as text, without control characters."""
        text = CONTROL.sub(" ", line.decode(errors="replace")).strip()
        found = SEVERITY.match(text)
        told = found is not None and not found["text"].endswith(ORDERED)
        LOG.log(LEVELS.get(found["word"], logging.DEBUG) if found and told else logging.DEBUG, "PostgreSQL: %s", text)
        self.lines.append(text)
        return text


def explained(what: str, lines: Iterable[str], folder: Path, status: int = 1) -> ParamedicError:
    """Why `what` happened ("PostgreSQL ended"), from the last lines it said: and what to do, where that is known.

    `status` is the exit status; below 0 it is the signal by which somebody else ended it.
    """
    if status < 0:
        return Permanent(f"{what}: killed by signal {-status}")
    reason = _reason(list(lines))
    if FULL in reason:
        return Permanent(f"{what}: the disk that holds {folder} is full; make room, then start again ({reason})")
    if "pre-existing shared memory block" in reason:
        return Temporary(f"{what}: processes of the server before it are still ending", delay=0.25)
    if "could not look up effective user" in reason:
        return Permanent(f"{what}: {reason}; give the user a name in /etc/passwd, or set PARAMEDIC_DATABASE_URL")
    return Permanent(f"{what}: {reason}")


def _reason(lines: list[str]) -> str:
    """The gravest line: a full disk, else the last PANIC, a crash, a FATAL or error, else whatever came last."""
    told = [(found["word"], found["text"]) for line in reversed(lines) if (found := SEVERITY.match(line))]
    grave = [
        *(text for _, text in told if FULL in text),
        *(text for word, text in told if word == "PANIC"),
        *(text for word, text in told if word == "LOG" and "was terminated by signal" in text),
        *(text for word, text in told if word in {"FATAL", "error"}),
        *reversed(lines),
    ]
    return grave[0] if grave else "it said nothing"
