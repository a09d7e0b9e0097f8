"""What a CEL expression is made of, as far as its bounds and names can be judged before it runs. `cel` calls this.

The CEL library tells which variables and functions an expression uses, but not which fields, and has no limit on cost.
So the expression is cut into tokens here: the paths it follows (`params.id`, `labels["a b"]`), and how its
comprehensions (`all`, `exists`, `map`…) are nested.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["Reading", "read_tokens"]

_STRING = (
    r"[rRbB]{0,2}(?:\"\"\".*?\"\"\"|'''.*?'''"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'(?:[^'\\\n]|\\.)*')"
)
_TOKEN = re.compile(rf"(?P<text>{_STRING})|(?P<name>[A-Za-z_]\w*)|(?P<skip>\s+|//[^\n]*)|(?P<mark>[\d.]*\d\w*|.)", re.S)
_MACROS = frozenset(("all", "exists", "exists_one", "existsOne", "map", "filter"))
_WORDS = frozenset(("true", "false", "null", "in"))


class Token(NamedTuple):
    """A string, a name, or anything else."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Reading:
    """The paths that begin with a name, the names of comprehension variables, and the comprehensions.

    A path ends where a method is called or an index is computed. `macros` counts comprehensions, `depth` is how many
    of them stand inside one another. `bare` names are used as a whole somewhere, not only by their fields.
    """

    paths: tuple[tuple[str, ...], ...]
    bare: frozenset[str]
    variables: frozenset[str]
    macros: int
    depth: int


def read_tokens(expression: str) -> Reading:
    """Read an expression that is known to compile."""
    tokens = list(_tokens(expression))
    variables, macros, depth = _comprehensions(tokens)
    found = list(_paths(tokens))
    bare = frozenset(path[0] for path in found if len(path) == 1)
    return Reading(tuple(found), bare, variables, macros, depth)


def _tokens(expression: str) -> Iterator[Token]:
    for found in _TOKEN.finditer(expression):
        kind = found.lastgroup or "mark"
        if kind != "skip":
            yield Token(kind, found[0])


def _comprehensions(tokens: Sequence[Token]) -> tuple[frozenset[str], int, int]:
    """Variables, number and greatest nesting of comprehensions."""
    variables: set[str] = set()
    macros, deepest = 0, 0
    open_: list[bool] = []  # for each open bracket: is it a comprehension's
    for position, token in enumerate(tokens):
        if token.text in ("(", "[", "{") and token.kind == "mark":
            begins = token.text == "(" and _is_macro(tokens, position)
            open_.append(begins)
            if begins:
                macros += 1
                deepest = max(deepest, sum(open_))
                variables.update(each.text for each in tokens[position + 1 : position + 2] if each.kind == "name")
        elif token.text in (")", "]", "}") and token.kind == "mark" and open_:
            open_.pop()
    return frozenset(variables), macros, deepest


def _is_macro(tokens: Sequence[Token], bracket: int) -> bool:
    return bracket >= 2 and tokens[bracket - 1].text in _MACROS and tokens[bracket - 2].text == "."


def _paths(tokens: Sequence[Token]) -> Iterator[tuple[str, ...]]:
    position = 0
    while position < len(tokens):
        token = tokens[position]
        follows = position > 0 and tokens[position - 1].text == "."
        calls = position + 1 < len(tokens) and tokens[position + 1].text == "("
        position += 1
        if token.kind != "name" or token.text in _WORDS or follows or calls:
            continue
        path = [token.text]
        while (step := _step(tokens, position)) is not None:
            path.append(step[0])
            position += step[1]
        yield tuple(path)


def _step(tokens: Sequence[Token], position: int) -> tuple[str, int] | None:
    """The next field of a path and how many tokens it takes; None where the path ends."""
    ahead = [*tokens[position : position + 3], *[Token("mark", "")] * 3]
    if ahead[0].text == "." and ahead[1].kind == "name" and ahead[2].text != "(":
        return ahead[1].text, 2
    if ahead[0].text == "[" and ahead[1].kind == "text" and ahead[2].text == "]":
        field = ahead[1].text
        if field[0] in "\"'" and "\\" not in field and field[:3] not in ('"""', "'''"):
            return field[1:-1], 3
    return None
