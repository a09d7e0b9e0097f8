"""SQL that lives in .sql files, read into values.

Whoever sends SQL calls `load` once at start and hands `Query.text` with `Query.arguments(...)` to the driver. A file
holds sections; a section is a line `-- name: close_incident`, comment lines that say what it is for, and one statement
with `:named` parameters:

    -- name: close_incident
    -- Ends an incident; answers nothing when somebody else already did.
    update incident set open = false where id = :id and version < :version::int
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from types import MappingProxyType

from paramedic.errors import Fault

__all__ = ["Query", "load", "parse"]

HEADING = re.compile(r"^--[ \t]*name:[ \t]*(?P<name>.*?)[ \t]*$", re.MULTILINE)
NAME = re.compile(r"[a-z][a-z0-9_]*")
TOKEN = re.compile(
    r"""(?P<passed> --[^\n]*                        # a comment up to the end of its line
          | (?<!\w)[eE]'(?:[^'\\]|\\.|'')*'         # a string with backslash escapes
          | '[^']*' | "[^"]*"                       # a string or a quoted name; a doubled quote is two of them
          | (?P<tag>\$(?:[A-Za-z_]\w*)?\$).*?(?P=tag) )
      | (?<![\w\]:]) : (?P<name>[A-Za-z_]\w*)       # not in a::cast, nor in a slice such as path[low:high]
      | (?P<comment> /\* )
      | (?P<open> ['"] | \$(?:[A-Za-z_]\w*)?\$ )
      | (?P<number> \$\d+ )
      | (?P<end> ; )""",
    re.VERBOSE | re.DOTALL,
)
COMMENT_EDGE = re.compile(r"/\*|\*/")


@dataclass(frozen=True)
class Query:
    """One statement: `text` in the driver's `$1` form, `params` in that order, `about` as written above it."""

    name: str
    text: str
    params: tuple[str, ...]
    about: str

    def arguments(self, **values: object) -> tuple[object, ...]:
        """The values in the order of `$1`...; a missing or unknown name is a mistake of the caller (TypeError)."""
        if values.keys() != set(self.params):
            missing, unknown = sorted(set(self.params) - values.keys()), sorted(values.keys() - set(self.params))
            raise TypeError(f"query {self.name}: missing {missing}, unknown {unknown}")
        return tuple(values[name] for name in self.params)


def load(folder: Traversable) -> Mapping[str, Query]:
    """Every query of every .sql file in `folder`, by name. Raises Fault with file and line."""
    found: dict[str, Query] = {}
    for file in sorted(folder.iterdir(), key=lambda item: item.name):
        if file.name.endswith(".sql"):
            for query in parse(file.read_text(encoding="utf-8"), file.name):
                if query.name in found:
                    raise Fault(file.name, f"another file has a query {query.name} too", "give one a new name")
                found[query.name] = query
    return MappingProxyType(found)


def parse(source: str, where: str) -> tuple[Query, ...]:
    """The queries of one file's text; `where` names the file in a Fault."""
    headings = list(HEADING.finditer(source))
    before = source[: headings[0].start()] if headings else source
    if _statement(before):
        raise Fault(f"{where}:1", "SQL before the first name", "begin with a line `-- name: what_it_does`")
    ends = [*(heading.start() for heading in headings), len(source)][1:]
    queries = tuple(_section(source, heading, end, where) for heading, end in zip(headings, ends, strict=True))
    names = [query.name for query in queries]
    for heading, name in zip(headings, names, strict=True):
        if names.count(name) > 1:
            place = _place(source, heading.start(), where)
            raise Fault(place, f"the name {name} is there twice", "give one a new name")
    return queries


def _section(source: str, heading: re.Match[str], end: int, where: str) -> Query:
    name = heading["name"]
    if not NAME.fullmatch(name):
        raise Fault(
            _place(source, heading.start(), where),
            f"{name!r} is no name for a query",
            "small letters, digits and _, a letter first",
        )
    about, start = _about(source, heading.end() + 1, end)
    if not _statement(source[start:end]):
        raise Fault(_place(source, heading.start(), where), f"the query {name} has no SQL", "write it below the name")
    text, params = _numbered(source, start, end, where)
    return Query(name, text, params, about)


def _about(source: str, start: int, end: int) -> tuple[str, int]:
    """The comment lines at `start` without their dashes, and where the statement begins."""
    lines: list[str] = []
    for line in source[start:end].splitlines(keepends=True):
        if not line.startswith("--"):
            break
        lines.append(line.removeprefix("--").strip())
        start += len(line)
    return " ".join(lines), start


def _statement(text: str) -> str:
    return re.sub(r"--[^\n]*", "", text).strip()


def _numbered(source: str, start: int, end: int, where: str) -> tuple[str, tuple[str, ...]]:
    """The statement with `$n` for each `:name`, and the names; the same name is the same number."""
    while end > start and (source[end - 1].isspace() or source[end - 1] == ";"):
        end -= 1
    params: list[str] = []
    parts: list[str] = []
    at = start
    for found in _tokens(source, start, end, where):
        name = found["name"]
        if name not in params:
            params.append(name)
        parts += [source[at : found.start()], f"${params.index(name) + 1}"]
        at = found.end()
    parts.append(source[at:end])
    return "".join(parts).strip(), tuple(params)


def _tokens(source: str, start: int, end: int, where: str) -> Iterator[re.Match[str]]:
    """The `:name` tokens between two places; comments, strings and casts are passed over."""
    while found := TOKEN.search(source, start, end):
        start = found.end()
        place = _place(source, found.start(), where)
        if found["name"]:
            yield found
        elif found["comment"]:
            start = _comment_end(source, start, end, place)
        elif found["open"]:
            raise Fault(place, f"{found['open']} is opened and never closed", "close it")
        elif found["number"]:
            raise Fault(place, f"{found['number']} is a numbered parameter", "write a :name")
        elif found["end"]:
            raise Fault(place, "a second statement follows", "one statement to a name")


def _comment_end(source: str, start: int, end: int, place: str) -> int:
    """Where the block comment that opened before `start` ends; they nest in PostgreSQL."""
    depth = 1
    for edge in COMMENT_EDGE.finditer(source, start, end):
        depth += 1 if edge.group() == "/*" else -1
        if depth == 0:
            return edge.end()
    raise Fault(place, "/* is opened and never closed", "close it with */")


def _place(source: str, at: int, where: str) -> str:
    return f"{where}:{source.count(chr(10), 0, at) + 1}"
