"""`${...}` inside a JSON tree: compiled when it is loaded, rendered for each alert or run.

A text that is exactly one `${expression}` becomes the expression's value with its type; inside a longer text values are
written out. `$${` stands for a plain `${`. What a value may do to the text around it is the plug-in's to say, by field
(`escapes`): in a `url` field it is percent-encoded and must not be empty, in a `promql` field it stands in the value of
a label matcher and must not be empty either, a `literal` field takes no `${...}`, a `cel` field is itself one
condition, which arrives evaluated, and a `live` field one about an object that the plug-in has yet to read.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

from paramedic.catalog.cel import CelCondition, Expression, compile_cel, compile_condition
from paramedic.catalog.faults import quoted
from paramedic.catalog.live import compile_live
from paramedic.catalog.promql import read_quotes
from paramedic.catalog.shapes import Shape
from paramedic.errors import Fault

__all__ = ["Constant", "Path", "Renders", "TemplateFault", "compile_tree", "has_expressions"]

Path = tuple[str | int, ...]


class TemplateFault(Fault):
    """A template that cannot be compiled; `path` leads to it inside the tree."""

    def __init__(self, path: Path, what: str, right: str = "") -> None:
        super().__init__("template", what, right)
        self.path = path


class Renders(Protocol):
    """A compiled template; `core.bundle.Template` is its other name."""

    def render(self, scope: Mapping[str, Any]) -> Any:
        """The value; raises `Fault` naming the expression that has none."""
        ...

    def sample(self) -> Any:
        """What it came to on typical values when it was compiled."""
        ...


@dataclass(frozen=True, slots=True)
class Constant:
    """A tree without expressions. Whoever renders it must not change it: it is handed out as it is."""

    value: Any

    def render(self, scope: Mapping[str, Any]) -> Any:
        """The value."""
        return self.value

    def sample(self) -> Any:
        """The value."""
        return self.value


@dataclass(frozen=True, slots=True)
class _Value:
    """Exactly one `${expression}`."""

    expression: Expression

    def render(self, scope: Mapping[str, Any]) -> Any:
        return self.expression.value(scope)

    def sample(self) -> Any:
        return "1" if self.expression.sample is None else self.expression.sample


@dataclass(frozen=True, slots=True)
class _Text:
    """Text with expressions in it. `writes` says for each of them how its value is escaped; none: as it is."""

    parts: tuple[str | Expression, ...]
    writes: tuple[Callable[[str], str], ...] = ()

    def render(self, scope: Mapping[str, Any]) -> str:
        return self._filled(lambda expression: expression.value(scope))

    def sample(self) -> Any:
        return self._filled(lambda expression: expression.sample or "1")

    def _filled(self, value: Callable[[Expression], Any]) -> str:
        writes = iter(self.writes)
        return "".join(
            [part if isinstance(part, str) else _written(part, value(part), next(writes, None)) for part in self.parts]
        )


def _written(expression: Expression, value: Any, write: Callable[[str], str] | None) -> str:
    text = _as_text(value, expression)
    if write is None:
        return text
    if not text:
        raise Fault("${" + expression.text + "}", "is empty", "an empty value never stands for everything")
    try:
        return write(text)
    except Fault as fault:
        raise Fault("${" + expression.text + "}", fault.what, fault.right) from fault


@dataclass(frozen=True, slots=True)
class _Condition:
    """A field that is a condition."""

    condition: CelCondition

    def render(self, scope: Mapping[str, Any]) -> bool:
        return self.condition.holds(scope)

    def sample(self) -> Any:
        return True


@dataclass(frozen=True, slots=True)
class _Mapping:
    items: tuple[tuple[str, Renders], ...]

    def render(self, scope: Mapping[str, Any]) -> dict[str, Any]:
        return {key: item.render(scope) for key, item in self.items}

    def sample(self) -> Any:
        return {key: item.sample() for key, item in self.items}


@dataclass(frozen=True, slots=True)
class _Sequence:
    items: tuple[Renders, ...]

    def render(self, scope: Mapping[str, Any]) -> list[Any]:
        return [item.render(scope) for item in self.items]

    def sample(self) -> Any:
        return [item.sample() for item in self.items]


def compile_tree(tree: Any, shape: Shape, escapes: Mapping[str, str], path: Path = ()) -> Renders:
    """Compile a JSON tree. `escapes` maps paths such as `undo.path` to modes. Raises `TemplateFault`."""
    mode = escapes.get(".".join(str(step) for step in path), "") if escapes else ""
    try:
        return _leaf(tree, shape, mode) if mode else _branch(tree, shape, escapes, path)
    except TemplateFault:
        raise
    except Fault as fault:
        raise TemplateFault(path, fault.what, fault.right) from fault


def _branch(tree: Any, shape: Shape, escapes: Mapping[str, str], path: Path) -> Renders:
    match tree:
        case dict():
            items = tuple((key, compile_tree(item, shape, escapes, (*path, key))) for key, item in tree.items())
            if any(mode == "cel" for mode in escapes.values()):
                items += tuple(_condition_texts(items, tree))
            plain = {key: item.value for key, item in items if isinstance(item, Constant)}
            return Constant(plain) if len(plain) == len(items) else _Mapping(items)
        case list():
            each = tuple(compile_tree(item, shape, escapes, (*path, n)) for n, item in enumerate(tree))
            values = [item.value for item in each if isinstance(item, Constant)]
            return Constant(values) if len(values) == len(each) else _Sequence(each)
        case str():
            return _text(tree, shape, "")
        case _:
            return Constant(tree)


def _condition_texts(items: Sequence[tuple[str, Renders]], tree: Mapping[str, Any]) -> Iterator[tuple[str, Renders]]:
    """Beside an evaluated condition its text, so that the reason of an answer can name it."""
    for _, item in items:
        if isinstance(item, _Condition) and "text" not in tree:
            yield "text", Constant(item.condition.text)


def _leaf(tree: Any, shape: Shape, mode: str) -> Renders:
    if mode == "literal":
        if has_expressions(tree):
            raise Fault("template", "no ${...} may stand here", "write it out: it is checked when the file is loaded")
        return _branch(tree, shape, {}, ())
    if not isinstance(tree, str):
        if mode in ("cel", "live"):
            raise Fault("template", "a condition must be text", 'write a CEL expression, such as "params.count > 2"')
        return Constant(tree)
    if mode == "cel":
        return _Condition(compile_condition(tree, shape))
    if mode == "live":
        return compile_live(tree, shape)
    return _text(tree, shape, mode)


def has_expressions(tree: Any) -> bool:
    """Whether there is a `${` anywhere in it."""
    match tree:
        case dict():
            return any(has_expressions(item) for item in tree.values())
        case list():
            return any(has_expressions(item) for item in tree)
        case str():
            return "${" in tree.replace("$${", "")
        case _:
            return False


def _text(text: str, shape: Shape, mode: str) -> Renders:
    parts = tuple(_parts(text, shape))
    writes = _writes(parts, mode)
    if not any(isinstance(part, Expression) for part in parts):
        return Constant("".join(part for part in parts if isinstance(part, str)))
    if len(parts) == 1 and not writes and isinstance(parts[0], Expression):
        return _Value(parts[0])
    compiled = _Text(parts, writes)
    try:
        compiled.sample()  # a list inside a text is found now, not at night
    except Fault as fault:
        raise Fault(fault.where, f"{fault.where} {fault.what}", fault.right) from fault
    return compiled


def _writes(parts: Sequence[str | Expression], mode: str) -> tuple[Callable[[str], str], ...]:
    """How the values of the expressions are escaped, one after the other; nothing where they are not."""
    expressions = [part.text for part in parts if isinstance(part, Expression)]
    match mode:
        case "url":
            return (_percent_encoded,) * len(expressions)
        case "promql":
            places = read_quotes([part if isinstance(part, str) else None for part in parts], expressions)
            return tuple(place.write for place in places)
        case _:
            return ()


def _percent_encoded(text: str) -> str:
    return quote(text, safe="")


def _parts(text: str, shape: Shape) -> Iterator[str | Expression]:
    """The plain stretches and the expressions of a text."""
    plain, at = "", 0
    while (start := text.find("${", at)) >= 0:
        if start > at and text[start - 1] == "$":
            plain += text[at : start - 1] + "${"
            at = start + 2
            continue
        plain += text[at:start]
        end = _closing(text, start + 2)
        if plain:
            yield plain
        plain = ""
        yield compile_cel(text[start + 2 : end].strip(), shape)
        at = end + 1
    plain += text[at:]
    if plain:
        yield plain


def _closing(text: str, start: int) -> int:
    """Where the brace closes that was opened before `start`; braces and quotes of the expression are respected."""
    depth, quote_, at = 0, "", start
    while at < len(text):
        char = text[at]
        if quote_:
            if char == "\\":
                at += 1
            elif char == quote_:
                quote_ = ""
        elif char in "\"'":
            quote_ = char
        elif char == "{":
            depth += 1
        elif char == "}":
            if depth == 0:
                return at
            depth -= 1
        at += 1
    raise Fault("template", f"{quoted(text[start - 2 :])} is not closed", 'add "}"; a plain ${ is written $${')


def _as_text(value: Any, expression: Expression) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    what = "nothing" if value is None else "a list or a mapping"
    raise Fault("${" + expression.text + "}", f"is {what}, which cannot stand inside a text")
