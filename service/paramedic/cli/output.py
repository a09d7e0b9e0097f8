"""How things look on a terminal: columns at width 100, times in UTC, colour where it helps and is wanted.

The commands print what these functions make. Text that came from outside is made harmless here: no control character
and no character that changes the direction of writing ever reaches the terminal.
"""

import os
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol, TextIO

from paramedic.console.tones import tone_of
from paramedic.core.text import one_line

__all__ = ["WIDTH", "Line", "block", "coloured", "cut", "line", "paint", "plain", "table", "width", "wrap"]

WIDTH = 100

_INDENT = "   "
_KIND = 9
_TEXT_AT = len(_INDENT) + 8 + 2 + _KIND + 1
_TONES = {"red": "31", "yellow": "33", "green": "32", "dim": "2", "bold": "1"}


class Line(Protocol):
    """What `line` prints: an entry of a timeline, from the core or out of JSON."""

    @property
    def kind(self) -> str:
        """The word in front."""
        ...

    @property
    def text(self) -> str:
        """The sentence."""
        ...

    @property
    def note(self) -> str:
        """What stands at the right edge."""
        ...


def plain(text: str, most: int = 4000) -> str:
    """`text` on one line, without anything that a terminal could take as an instruction."""
    return one_line(text, most)


def block(text: str, indent: int, most: int) -> list[str]:
    """Evidence as at most `most` lines: control characters are shown as `\\x1b`, long lines are cut at the width."""
    lines = text.expandtabs(4).splitlines()
    shown = [" " * indent + cut(_visible(each), WIDTH - indent) for each in lines[:most]]
    if len(lines) > most:
        shown.append(" " * indent + f"… {len(lines) - most} more lines")
    return shown


def _visible(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def coloured(stream: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether colour is wanted: on a terminal, unless NO_COLOR is set or the terminal says that it is dumb."""
    return stream.isatty() and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


def paint(text: str, tone: str, colour: bool) -> str:
    """`text` in a tone (red, yellow, green, dim, bold), where colour is on and the tone is one."""
    return f"\x1b[{_TONES[tone]}m{text}\x1b[0m" if colour and tone in _TONES else text


def line(entry: Line, at: datetime, *, colour: bool = False) -> str:
    """An entry as one or more terminal lines: time (UTC), kind, text, and the note at the right edge."""
    kind = plain(entry.kind, 20)
    over = max(0, width(kind) - _KIND)
    room = WIDTH - _TEXT_AT - over
    note = cut(plain(entry.note), room)
    texts = [part for each in entry.text.split("\n") for part in wrap(plain(each), room)]
    head = f"{_INDENT}{at.astimezone(UTC):%H:%M:%S}  {paint(kind, tone_of(kind), colour)}"
    lines = [head + " " * (_KIND - width(kind) + over + 1) + texts[0]]
    lines += [" " * (_TEXT_AT + over) + each for each in texts[1:]]
    if note:
        gap = room - width(texts[-1]) - width(note)
        if gap < 2:
            lines.append("")
            gap = WIDTH - width(note)
        lines[-1] += " " * gap + paint(note, "dim", colour)
    return "\n".join(lines)


def width(text: str) -> int:
    """How many columns `text` takes: two for wide characters, none for those that sit on the one before."""
    if text.isascii():
        return len(text)
    return sum(_columns(char) for char in text)


def _columns(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


def cut(text: str, most: int) -> str:
    """`text` in at most `most` columns, with an ellipsis where something was left off."""
    if width(text) <= most:
        return text
    kept, taken = "", 0
    for char in text:
        taken += _columns(char)
        if taken > most - 1:
            break
        kept += char
    return kept.rstrip() + "…"


def wrap(text: str, most: int) -> list[str]:
    """`text` in lines of at most `most` columns, broken at spaces; a longer word is broken where it must be."""
    lines = [""]
    for word in text.split(" "):
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if width(joined) <= most:
            lines[-1] = joined
            continue
        pieces = list(_pieces(word, most))
        lines[-1:] = [*([lines[-1]] if lines[-1] else []), *pieces]
    return lines


def _pieces(word: str, most: int) -> Iterable[str]:
    piece, taken = "", 0
    for char in word:
        if taken + _columns(char) > most:
            yield piece
            piece, taken = "", 0
        piece += char
        taken += _columns(char)
    yield piece


def table(rows: Sequence[Sequence[str]], widest: Sequence[int]) -> list[str]:
    """`rows` in columns two spaces apart, each as wide as its content and at most `widest`; the last one unbounded."""
    safe = [[cut(plain(cell), most) for cell, most in zip(row, widest, strict=True)] for row in rows]
    sizes = [max((width(row[column]) for row in safe), default=0) for column in range(len(widest))]
    return [
        "  ".join(cell + " " * (size - width(cell)) for cell, size in zip(row, sizes, strict=True)).rstrip()
        for row in safe
    ]
