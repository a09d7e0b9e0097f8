"""Where `${}` may stand in a PromQL query, and how a value is written there. `templates` calls this for such fields.

A value may stand in one place only: inside the quoted value of a label matcher, where every value can be escaped so
that it is nothing but a value. Anywhere else (a metric's name, a number, a function's argument, a comment, a raw string
in backticks) some value would be read as a part of the query.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from string import punctuation

from paramedic.errors import Fault

__all__ = ["Quoted", "read_quotes"]

_RIGHT = 'write it into the value of a label matcher, such as namespace="${params.namespace}"'
_LITERAL = frozenset(punctuation) - {"_"}
_NAMED = {"\n": r"\n", "\r": r"\r", "\t": r"\t", "\\": r"\\"}


@dataclass(frozen=True, slots=True)
class Quoted:
    """A place inside quotes. `regex`: the whole is a regular expression, in which the value stands for itself."""

    quote: str
    regex: bool

    def write(self, text: str) -> str:
        """`text` as it must be written there. Raises `Fault` for text that UTF-8 cannot carry."""
        if any("\ud800" <= char <= "\udfff" for char in text):
            raise Fault("query", "holds a character that UTF-8 cannot write")
        if self.regex:
            text = "".join(f"\\{char}" if char in _LITERAL else char for char in text)
        return "".join(self._char(char) for char in text)

    def _char(self, char: str) -> str:
        if char in _NAMED:
            return _NAMED[char]
        if char == self.quote:  # the other kind of quote must not be escaped: PromQL takes that for an error
            return f"\\{char}"
        return char if char >= " " and char != "\x7f" else f"\\x{ord(char):02x}"


class _Reader:
    """Reads a query from left to right, and knows inside what it is."""

    def __init__(self) -> None:
        self.quote = ""
        self._comment = False
        self._escaped = False
        self._slashes = 0  # how many backslashes the value that is being read ends with
        self._braces = 0
        self._before = ""  # the last two characters outside of quotes and comments, blanks left out

    def take(self, text: str) -> None:
        for char in text:
            if self._comment:
                self._comment = char != "\n"
            elif self.quote:
                self._inside(char)
            elif char in "\"'`":
                self.quote, self._slashes = char, 0
            elif char == "#":
                self._comment = True
            elif not char.isspace():
                self._before = (self._before + char)[-2:]
                self._braces += (char == "{") - (char == "}")

    def _inside(self, char: str) -> None:
        if self._escaped:
            self._escaped = False
            self._slashes = self._slashes + 1 if char == "\\" else 0
        elif char == "\\" and self.quote != "`":
            self._escaped = True
        elif char == self.quote:
            self.quote, self._before = "", '""'
        else:
            self._slashes = 0

    def place(self, written: str) -> Quoted:
        """The place for an expression that is reached now. Raises `Fault` where there can be none."""
        if self.quote == "`":
            raise Fault("query", f"{written} stands in backticks, where nothing can be escaped", "use double quotes")
        regex = self._before in {"=~", "!~"}
        matches = regex or (self._before[-1:] == "=" and self._before not in {"==", ">=", "<="})
        if not (self.quote and matches and self._braces == 1):
            raise Fault("query", f"{written} stands where its value could become a part of the query", _RIGHT)
        if self._escaped or (regex and self._slashes % 2):
            raise Fault("query", f"{written} stands right after a backslash", "leave the backslash out")
        self._slashes = 0
        return Quoted(self.quote, regex)


def read_quotes(parts: Sequence[str | None], expressions: Sequence[str]) -> Sequence[Quoted]:
    """The places of a query's expressions. `parts` is the query with None for each of them, in order.

    Raises `Fault` where an expression may not stand, and where a quote is not closed.
    """
    reader = _Reader()
    left = iter(expressions)
    places = []
    for part in parts:
        if part is None:
            places.append(reader.place("${" + next(left) + "}"))
        else:
            reader.take(part)
    if reader.quote:
        raise Fault(
            "query", f"a quote ({reader.quote}) is not closed", "close it; inside quotes write it as \\" + reader.quote
        )
    return places
