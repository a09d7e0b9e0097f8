"""Faults with their place. Every part of the catalog adds to one `Faults`; `load` hands the sorted list on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import NamedTuple

from paramedic.errors import Fault

__all__ = ["Faults", "Located", "Mark", "did_you_mean", "quoted"]


class Mark(NamedTuple):
    """A place in a text; both count from 1."""

    line: int
    column: int


class Located(Fault):
    """A fault in a file. `line` and `column` count from 1; a fault of a whole file or folder has line 0."""

    def __init__(self, file: str, mark: Mark | None, what: str, right: str = "") -> None:
        where = file if mark is None else f"{file}:{mark.line}:{mark.column}"
        super().__init__(where, what, right)
        self.file = file
        self.line, self.column = (0, 0) if mark is None else (mark.line, mark.column)


@dataclass(slots=True)
class Faults:
    """All faults found so far. `torn`: some file could not be read, so what it would have declared is not known."""

    found: dict[tuple[str, int, int, str], Located] = field(default_factory=dict)
    torn: bool = False
    spoilt: set[tuple[str, Mark]] = field(default_factory=set)

    def add(self, file: str, mark: Mark | None, what: str, right: str = "") -> None:
        """One more; the same words at the same place count once."""
        if mark is not None and (file, mark) in self.spoilt:
            return
        fault = Located(file, mark, what, right)
        self.found.setdefault((file, fault.line, fault.column, what), fault)

    def spoil(self, file: str, mark: Mark, what: str, right: str = "") -> None:
        """One more, after which nothing else that is found at this place means anything."""
        self.add(file, mark, what, right)
        self.spoilt.add((file, mark))

    def sorted(self) -> tuple[Located, ...]:
        """In the order of files, lines and columns."""
        return tuple(fault for _, fault in sorted(self.found.items(), key=lambda item: item[0]))


def did_you_mean(word: str, known: Iterable[str], otherwise: str | None = None) -> str:
    """`did you mean "cooldown"?`; where nothing is close, `otherwise`, or else what there is."""
    names = sorted(set(known))
    close = get_close_matches(word.lower(), _lowered(names), n=1, cutoff=0.6)
    if close:
        return f"did you mean {quoted(_lowered(names)[close[0]])}?"
    if otherwise is not None:
        return otherwise
    return "known: " + ", ".join(names[:20]) + (", …" if len(names) > 20 else "") if names else "there are none"


def _lowered(names: Iterable[str]) -> Mapping[str, str]:
    return {name.lower(): name for name in names}


def quoted(value: object, most: int = 60) -> str:
    """A value as a fault shows it: in quotes, on one line, cut."""
    text = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in str(value)[: most + 1])
    return f'"{text}"' if len(text) <= most else f'"{text[: most - 1]}…"'
