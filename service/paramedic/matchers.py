"""Matchers and regular expressions as people write them: Alertmanager's own syntax, with RE2 semantics.

The catalog reads a rule's `match` through here, plug-ins their own lists (`Matchers` is the field for that), `explain`
and the rehearsal whatever they are asked about. What comes out is `core.matching.Matcher`, compiled.

Alertmanager has two parsers and falls back from one to the other; where both can read a text but differ, it takes the
classic one. So that one is asked first here, and the newer one, which knows quoted UTF-8 names, where it cannot.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import re2
from pydantic import GetPydanticSchema, WithJsonSchema
from pydantic_core import PydanticCustomError, core_schema

from paramedic.core.matching import Matcher, Op
from paramedic.errors import Fault

__all__ = ["LONGEST", "Matchers", "Regex", "parse_matchers"]

LONGEST = 4096  # characters of one text; Alertmanager's own are below a hundred

_RIGHT = 'write NAME="VALUE" with one of = != =~ !~'
_OPERATORS: Mapping[str, Op] = {"=": "=", "!=": "!=", "=~": "=~", "!~": "!~"}
_CLASSIC = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|=|!=|!~)\s*(.*?)\s*", re.DOTALL)
_TOKEN = re.compile(r"""\s*(?:(=~|!=|!~|=|[{},])|"((?:[^"\\]|\\.)*)"|([^\s{}!=~,\\"'`]+))""", re.DOTALL)
_ESCAPE = re.compile(
    r"\\(?:([abfnrtv\\\"])|x([0-9a-fA-F]{2})|([0-7]{3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL
)
_SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", '"': '"'}
_LITERALS = re.compile(r"[\w@:/ ,-]+(?:\|[\w@:/ ,-]+)*", re.ASCII)
_BEGINNING = re.compile(r"([\w@:/ ,-]*)\.([*+])", re.ASCII)


class Regex:
    """A compiled RE2 expression. `literals` are the texts it matches as a whole, where it is only a list of them.

    Lists (`a|b`) and beginnings (`api-.*`), which most are, are matched without asking RE2.
    """

    __slots__ = ("_beginning", "_compiled", "_shortest", "literals", "text")

    def __init__(self, text: str) -> None:
        """Raises `Fault` saying what is wrong, and where in the expression, when RE2 cannot compile it."""
        options = re2.Options()
        options.log_errors = False  # RE2 would write to standard error by itself
        try:
            self._compiled = re2.compile(text.encode(), options)
        except (re2.error, UnicodeEncodeError) as error:
            raise Fault("expression", *_complaint(text, error)) from error
        self.text = text
        self.literals: frozenset[str] | None = frozenset(text.split("|")) if _LITERALS.fullmatch(text) else None
        begins = _BEGINNING.fullmatch(text)
        self._beginning: str | None = begins[1] if begins else None
        self._shortest = len(begins[1]) + (begins[2] == "+") if begins else 0

    def fullmatch(self, text: str) -> bool | None:
        """True if the whole text matches, else None."""
        if self.literals is not None:
            return True if text in self.literals else None
        if self._beginning is not None:
            fits = text.startswith(self._beginning) and len(text) >= self._shortest and "\n" not in text
            return True if fits else None
        return True if self._compiled.fullmatch(text.encode(errors="surrogatepass")) is not None else None

    def search(self, text: str) -> bool | None:
        """True if some part of the text matches, else None."""
        return True if self._compiled.search(text.encode(errors="surrogatepass")) is not None else None


def _complaint(text: str, error: Exception) -> tuple[str, str]:
    """RE2's words with the place it means: it names the piece that it stumbled over, or the whole."""
    said = error.args[0].decode(errors="replace") if error.args and isinstance(error.args[0], bytes) else "not UTF-8: "
    problem, _, piece = said.partition(": ")
    at = text.find(piece) + 1 if piece and piece != text else len(text)
    right = "RE2 has no look-around and no back-references" if piece.startswith(("(?", "\\")) else ""
    return f"{problem} at position {at}", right


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """The matchers of one text: `a="b"`, `a=~"b.*"`, several with commas, braces around them or not.

    Raises `Fault` saying which matcher is wrong and how.
    """
    if len(text) > LONGEST:
        raise Fault("match", f"a matcher of {len(text)} characters is too long", f"at most {LONGEST}")
    parts = _classic(text)
    if parts is None:
        parts = list(_newer(text))
    if not parts:
        raise Fault("match", "a matcher is empty", _RIGHT)
    return tuple(_matcher(name, op, value) for name, op, value in parts)


def _matcher(name: str, op: str, value: str) -> Matcher:
    plain = _OPERATORS[op]
    if plain in ("=", "!="):
        return Matcher(name, plain, value)
    try:
        return Matcher(name, plain, value, Regex(value))
    except Fault as fault:
        written = Matcher(name, plain, value)
        raise Fault("match", f"matcher {written} is not a regular expression: {fault.what}", fault.right) from fault


def _classic(text: str) -> list[tuple[str, str, str]] | None:
    """Names, operators and values as Alertmanager's first parser reads them; None where it cannot."""
    parts = []
    text = text.strip()
    for piece in _pieces(text[1:-1] if text[:1] + text[-1:] == "{}" else text):
        found = _CLASSIC.fullmatch(piece)
        value = None if found is None else _classic_value(found[3])
        if found is None or value is None:
            return None
        parts.append((found[1], found[2], value))
    return parts


def _pieces(text: str) -> Iterator[str]:
    """`text` cut at the commas outside quotes; a blank end is no piece."""
    start, quoted, escaped = 0, False, False
    for position, char in enumerate(text):
        if char == "," and not quoted:
            yield text[start:position]
            start = position + 1
        elif char == '"' and not escaped:
            quoted = not quoted
        escaped = char == "\\" and not escaped
    if text[start:].strip():
        yield text[start:]


def _classic_value(raw: str) -> str | None:
    """An optionally quoted value; only \\n, \\\" and \\\\ are escapes, any other backslash stands for itself."""
    quoted = raw.startswith('"')
    if quoted:
        if re.fullmatch(r'"(?:[^"\\]|\\.)*"', raw, re.DOTALL) is None:
            return None
        raw = raw[1:-1]
    elif re.search(r'(?<!\\)(?:\\\\)*"', raw):
        return None
    return re.sub(r'\\([n"\\])', lambda found: "\n" if found[1] == "n" else found[1], raw)


def _newer(text: str) -> Iterator[tuple[str, str, str]]:
    """Names, operators and values as Alertmanager's newer parser reads them: names may be quoted, escapes are Go's."""
    tokens = list(_tokens(text))
    if tokens and tokens[0] == ("mark", "{"):
        if tokens[-1] != ("mark", "}"):
            raise Fault("match", f"matcher {_shown(text)} opens a brace and does not close it", _RIGHT)
        tokens = tokens[1:-1]
    while tokens:
        group, tokens = tokens[:3], tokens[3:]
        kinds = [kind for kind, _ in group]
        if kinds != ["text", "op", "text"] or not group[0][1]:
            raise Fault("match", f"{_shown(text)} is not a matcher", _RIGHT)
        yield group[0][1], group[1][1], group[2][1]
        if tokens and tokens.pop(0) != ("mark", ","):
            raise Fault("match", f"{_shown(text)} is not a matcher", f"{_RIGHT}, and a comma between two")


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at, end = 0, len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if found is None:
            raise Fault("match", f"{_shown(text)} is not a matcher: position {at + 1} cannot be read", _RIGHT)
        mark, quoted, bare = found.groups()
        if mark is not None:
            yield ("mark" if mark in "{}," else "op"), mark
        else:
            yield "text", bare if quoted is None else _unquoted(quoted, text)
        at = found.end()


def _unquoted(raw: str, text: str) -> str:
    """What Go's strconv.Unquote makes of a quoted string."""

    def plain(found: re.Match[str]) -> str:
        simple, hexed, octal, short, long, other = found.groups()
        if simple is not None:
            return _SIMPLE[simple]
        if other is not None or (octal is not None and int(octal, 8) > 255):
            raise Fault("match", f"{_shown(text)} has an unknown escape {found[0]}", "a backslash is written \\\\")
        if hexed is not None or octal is not None:
            return bytes([int(hexed, 16) if hexed is not None else int(octal, 8)]).decode(errors="surrogateescape")
        return chr(int(short or long, 16))

    try:
        return _ESCAPE.sub(plain, raw).encode(errors="surrogateescape").decode()
    except (ValueError, OverflowError) as error:  # bytes that are no UTF-8, half a surrogate, beyond Unicode
        raise Fault("match", f"{_shown(text)} has an escape that is not a character", _RIGHT) from error


def _shown(text: str) -> str:
    return text if len(text) <= 80 else text[:79] + "…"


def _read(value: Any) -> tuple[Matcher, ...]:
    if not isinstance(value, str):
        raise PydanticCustomError("matcher", "{what}; {right}", {"what": "a matcher is text", "right": _RIGHT})
    try:
        return parse_matchers(value)
    except Fault as fault:
        raise PydanticCustomError("matcher", "{what}; {right}", {"what": fault.what, "right": fault.right}) from fault


def _together(lists: list[tuple[Matcher, ...]]) -> tuple[Matcher, ...]:
    return tuple(matcher for matchers in lists for matcher in matchers)


Matchers = Annotated[
    tuple[Matcher, ...],
    GetPydanticSchema(
        lambda _type, _handler: core_schema.no_info_after_validator_function(
            _together, core_schema.list_schema(core_schema.no_info_plain_validator_function(_read), min_length=1)
        )
    ),
    WithJsonSchema(
        {
            "type": "array",
            "items": {"type": "string", "minLength": 3, "maxLength": LONGEST},
            "minItems": 1,
            "description": "matchers in Alertmanager's syntax; all must accept",
        }
    ),
]
"""A pydantic field for a list of matchers, each a text such as `job=~"api-.*"`; all must accept."""
