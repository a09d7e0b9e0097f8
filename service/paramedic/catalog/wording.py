"""What pydantic found wrong, in plain words at the right column. Everything that validates an entry comes through here.

pydantic says where by a path of keys; `Node` knows which line and column that is. Its own texts are never shown.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from paramedic.catalog import models
from paramedic.catalog.documents import Node
from paramedic.catalog.faults import Faults, Mark, did_you_mean, quoted
from paramedic.durations import say_duration

__all__ = ["Path", "say", "validated"]

Path = tuple[str | int, ...]
M = TypeVar("M", bound=BaseModel)

_PATTERNS: Mapping[str, str] = {
    models.NAME: "a name: letters, digits, dots, dashes and underscores, at most 100",
    models.PARAM: "a name of small letters, digits and underscores, at most 64",
    models.SETTING: "the name of a setting, such as HOOK_TOKEN, and never the secret itself",
    models.LABEL: "the name of a label",
}
_KINDS: Mapping[str, str] = {
    "string": "text",
    "int": "a whole number",
    "float": "a number",
    "decimal": "a number",
    "bool": "true or false",
    "list": "a list",
    "tuple": "a list",
    "set": "a list",
    "dict": "a mapping of keys to values",
    "mapping": "a mapping of keys to values",
    "model": "a mapping of keys to values",
    "none": "nothing",
}


def validated(file: str, node: Node, model: type[M], faults: Faults, noun: str) -> M | None:
    """`node` as a `model`, or None after adding what is wrong with it. `noun` is what it is called: `rule`, `level`."""
    if not isinstance(node.value, dict):
        faults.add(file, node.mark, f"a {noun} must be a mapping of keys to values, not {_shown(node.value)}")
        return None
    try:
        return model.model_validate(node.value)
    except ValidationError as error:
        say(file, node, model, error, faults, noun)
        return None


def say(file: str, node: Node, model: type[BaseModel], error: ValidationError, faults: Faults, noun: str) -> None:
    """Add what `error` says about `node`, each at the column of the key or value that it is about."""
    found: dict[Path, list[Mapping[str, Any]]] = {}
    for each in error.errors(include_url=False):
        found.setdefault(_path(node, each), []).append(dict(each))
    meant = _meant(model, found)
    for path, errors in found.items():
        kinds = [one for one in errors if _kind_of(one["type"])]
        deeper = any(len(other) > len(path) and other[: len(path)] == path for other in found)
        if kinds and len(kinds) == len(errors) and deeper:
            continue  # the other members of a union, which the value was not meant to be
        if len(kinds) > 1:
            faults.add(file, node.at(path), _must(path, _any_of(kinds), kinds[0]))
        for one in errors:
            misspelt = one["type"] == "missing" and (*path, one["loc"][-1]) in meant
            if not misspelt and (len(kinds) < 2 or one not in kinds):
                faults.add(file, *_fault(node, model, path, one, noun))


def _meant(model: type[BaseModel], found: Mapping[Path, Sequence[Mapping[str, Any]]]) -> set[Path]:
    """The keys that misspelt ones stand for: of these nobody needs to hear that they are missing."""
    meant: set[Path] = set()
    for path, errors in found.items():
        if path and errors[0]["type"] == "extra_forbidden":
            close = get_close_matches(str(path[-1]), _fields(model, path[:-1]), n=1, cutoff=0.6)
            meant.update((*path[:-1], name) for name in close)
    return meant


def _any_of(errors: Sequence[Mapping[str, Any]]) -> str:
    """What the members of a union want, together."""
    wanted = list(dict.fromkeys(_kind_of(one["type"]) for one in errors))
    if "a number" in wanted and "a whole number" in wanted:
        wanted.remove("a whole number")
    return ", ".join(wanted[:-1]) + f" or {wanted[-1]}" if len(wanted) > 1 else wanted[0]


def _path(node: Node, error: Mapping[str, Any]) -> Path:
    """How far the error's path leads into what was written; names of union members lead nowhere."""
    path: Path = ()
    here = node
    for step in error["loc"]:
        child = here.children.get(step)
        if child is not None:
            path, here = (*path, step), child
    return path


def _fault(
    node: Node, model: type[BaseModel], path: Path, error: Mapping[str, Any], noun: str
) -> tuple[Mark, str, str]:
    kind, context = error["type"], error.get("ctx") or {}
    key = str(error["loc"][-1]) if error["loc"] else ""
    if kind == "missing":
        fields = _fields(model, path)
        needed = ", ".join(name for name, field in fields.items() if field.is_required())
        whose = noun if not path else _subject(path)
        return node.at(path), f'{whose} has no "{key}"', f"needed: {needed}" if needed else ""
    if kind == "extra_forbidden":
        known = _fields(model, path[:-1])
        return node.key_at(path), f"unknown key {quoted(key)}", did_you_mean(key, known, _list_of(known))
    if key == "[key]":
        return node.key_at(path), f"{quoted(path[-1])} must be {_expected(error)}", ""
    if kind in ("value_error", "assertion_error"):
        reason = str(context.get("error", "is not right"))
        return node.at(path), f"{_subject(path)}: {reason}" if path else f"{noun}: {reason}", ""
    if kind == "matcher":
        return node.at(path), context["what"], context["right"]
    if "what" in context and "right" in context:
        return node.at(path), f"{_subject(path)}: {context['what']}", context["right"]
    return node.at(path), _must(path, _expected(error), error), _hint(node, path, error)


def _subject(path: Sequence[str | int]) -> str:
    """`severity`, or `page, item 2`."""
    if path and isinstance(path[-1], int):
        return f"{_subject(path[:-1])}, item {path[-1] + 1}"
    return str(path[-1]) if path else "this"


def _must(path: Path, wanted: str, error: Mapping[str, Any]) -> str:
    said = f"{_subject(path)} must be {wanted}"
    if error["type"] in ("too_short", "too_long", "string_too_short", "string_too_long"):
        return said
    # What stands where the name of a setting should may be the secret itself.
    secret = (error.get("ctx") or {}).get("pattern") == models.SETTING
    return said if secret else f"{said}, not {_shown(error.get('input'))}"


def _kind_of(kind: str) -> str:
    """The word for what was wanted, if the error is about the kind of value."""
    for ending in ("_type", "_parsing", "_from_float", "_attributes_type", "_required"):
        if kind.endswith(ending):
            return _KINDS.get(kind.removesuffix(ending).split("_")[0], "")
    return ""


def _expected(error: Mapping[str, Any]) -> str:
    """What would be right, to follow "must be"."""
    kind, context = error["type"], error.get("ctx") or {}
    if wanted := _kind_of(kind):
        return wanted
    say_it = _PHRASES.get(kind)
    if say_it is not None:
        return say_it(context, error.get("input"))
    return "something else"


def _bound(word: str, name: str) -> Callable[[Mapping[str, Any], Any], str]:
    def phrase(context: Mapping[str, Any], value: Any) -> str:
        limit = context[name]
        return f"{word} {say_duration(limit) if isinstance(value, str) and limit else format(limit, 'g')}"

    return phrase


def _count(word: str, name: str, one: str) -> Callable[[Mapping[str, Any], Any], str]:
    def phrase(context: Mapping[str, Any], _: Any) -> str:
        limit = context[name]
        return f"{word} {limit} {one}" + ("" if limit == 1 else "s")

    return phrase


def _one_of(context: Mapping[str, Any], _: Any) -> str:
    options = _options(context)
    return quoted(options[0]) if len(options) == 1 else "one of " + ", ".join(options)


def _options(context: Mapping[str, Any]) -> list[str]:
    return [part.strip("'") for part in str(context.get("expected", "")).replace(" or ", ", ").split(", ")]


def _pattern(context: Mapping[str, Any], _: Any) -> str:
    pattern = str(context.get("pattern"))
    return _PATTERNS.get(pattern, f"text that fits {pattern}")


_PHRASES: Mapping[str, Callable[[Mapping[str, Any], Any], str]] = {
    "literal_error": _one_of,
    "enum": _one_of,
    "string_pattern_mismatch": _pattern,
    "string_too_short": _count("at least", "min_length", "character"),
    "string_too_long": _count("at most", "max_length", "character"),
    "too_short": _count("a list of at least", "min_length", "item"),
    "too_long": _count("a list of at most", "max_length", "item"),
    "greater_than": _bound("more than", "gt"),
    "greater_than_equal": _bound("at least", "ge"),
    "less_than": _bound("less than", "lt"),
    "less_than_equal": _bound("at most", "le"),
    "finite_number": lambda _context, _value: "a finite number",
}


def _hint(node: Node, path: Path, error: Mapping[str, Any]) -> str:
    value = error.get("input")
    written = node.child(path)
    if written is not None and "${" in written.raw:
        return "a typical value was tried; write it out, or give its parameter a default that is right here"
    if error["type"] in ("literal_error", "enum") and isinstance(value, str):
        return did_you_mean(value, _options(error.get("ctx") or {}), "")
    if error["type"] == "string_type" and isinstance(value, bool | int | float):
        return "quote it"
    return ""


def _shown(value: Any) -> str:
    """A value as a fault shows it."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case str():
            return quoted(value)
        case list() | tuple():
            return "a list"
        case _:
            return "a mapping"


def _list_of(names: Iterable[str]) -> str:
    return "keys: " + ", ".join(names)


def _fields(model: type[BaseModel], path: Path) -> Mapping[str, Any]:
    """The fields, by their names in YAML, of the model that stands at `path`; none where there is no model."""
    here: type[BaseModel] | None = model
    for step in path:
        if here is None:
            return {}
        if isinstance(step, str):
            field = _named(here).get(step)
            here = _model_in(field.annotation) if field is not None else here
    return _named(here) if here is not None else {}


def _named(model: type[BaseModel]) -> Mapping[str, Any]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model inside an annotation such as `list[LevelEntry]` or `dict[str, ParamEntry] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part)) is not None), None)
