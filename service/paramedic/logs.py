"""How the log is written: one line a record, whatever the record holds. `cli` sets it up once, at the start.

Log text may come out of an alert. So nothing in it may end a line, move a cursor or colour a terminal: everything that
is not printable is escaped. JSON for machines; on a terminal, text for people, with a traceback indented under it.
"""

import json
import logging
from datetime import UTC, datetime
from typing import TextIO

from paramedic.clock import Clock

__all__ = ["HumanFormat", "JsonFormat", "Seldom", "plain", "set_up"]

LONGEST = 8 * 1024
"""Characters of a message that are written; the rest is cut."""


def plain(text: str, most: int = LONGEST) -> str:
    """`text` on one line: control characters, line ends, direction marks and the like as their escapes."""
    if len(text) > most:
        text = text[:most] + f"… ({len(text) - most} more)"
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


class JsonFormat(logging.Formatter):
    """A JSON object a line, in ASCII: at, level, logger, message, and error with the traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": plain(record.getMessage()),
        }
        if record.exc_info:
            line["error"] = "\n".join(plain(part) for part in self.formatException(record.exc_info).splitlines())
        return json.dumps(line)


class HumanFormat(logging.Formatter):
    """`02:14:07  warning  intake.webhook  what happened`, in UTC."""

    def format(self, record: logging.LogRecord) -> str:
        """The line and, under it and indented, the traceback; without the last line's end."""
        at = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        name = record.name.removeprefix("paramedic.")
        line = f"{at}  {record.levelname.lower():8} {name}  {plain(record.getMessage())}"
        if record.exc_info:
            trace = self.formatException(record.exc_info).splitlines()
            line += "".join(f"\n          {plain(part)}" for part in trace)
        return line


def set_up(stream: TextIO, *, level: int = logging.INFO, human: bool | None = None) -> None:
    """Write every record of `level` and above to `stream`, and nowhere else. `human`: as the stream is a terminal."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(HumanFormat() if (stream.isatty() if human is None else human) else JsonFormat())
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)


class Seldom:
    """A warning of one kind at most every `every` seconds, so that a flood of requests is not a flood of lines.

    The line that comes next says how many were not written.
    """

    def __init__(self, log: logging.Logger, clock: Clock, every: float = 10.0) -> None:
        self._log = log
        self._clock = clock
        self._every = every
        self._said: dict[str, tuple[float, int]] = {}

    def warning(self, kind: str, message: str) -> None:
        """Write `message`, unless another of its `kind` (one of a few fixed words) was written a moment ago."""
        now = self._clock.monotonic()
        at, unsaid = self._said.get(kind, (now - self._every, 0))
        if now - at < self._every:
            self._said[kind] = (at, unsaid + 1)
            return
        self._said[kind] = (now, 0)
        more = f" ({unsaid} more like this since the last such line)" if unsaid else ""
        self._log.warning("%s%s", message, more)
