"""Words for people out of values that nobody vouches for. Everything that reaches a timeline goes through here."""

from datetime import UTC, datetime, timedelta

import msgspec

__all__ = ["ago", "iso", "one_line", "span"]


def one_line(text: str, most: int = 400) -> str:
    """`text` on one line, printable, cut with an ellipsis at `most` characters."""
    if not text:
        return text
    if not text.isprintable():
        text = "".join(char if char.isprintable() else " " for char in text)
    text = " ".join(text.split()) if "  " in text or text[:1] == " " or text[-1:] == " " else text
    return text if len(text) <= most else text[: most - 1] + "…"


def span(seconds: float) -> str:
    """A duration as people say it, at most two units: `45s`, `4m12s`, `2h5m`, `3d4h`."""
    whole = max(0, round(seconds))
    units = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
    for position, (name, size) in enumerate(units):
        if whole >= size:
            text = f"{whole // size}{name}"
            if position + 1 < len(units):
                rest = whole % size // units[position + 1][1]
                text += f"{rest}{units[position + 1][0]}" if rest else ""
            return text
    return "0s"


def iso(moment: datetime) -> str:
    """A moment as `isoformat` writes it, which takes its time over the zone; an alert is stamped a dozen times."""
    if moment.tzinfo is not UTC:
        return moment.isoformat()
    written: str = msgspec.to_builtins(moment)
    return written[:-1] + "+00:00"


def ago(then: datetime, now: datetime) -> str:
    """How long ago a moment was."""
    return span(max(timedelta(), now - then).total_seconds())
