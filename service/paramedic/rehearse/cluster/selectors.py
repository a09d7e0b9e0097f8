"""Label and field selectors: as text in a request, and as the objects that workloads carry. The server chooses by them.

A selector that cannot be read is `Permanent`, as the API's 400; a field that a kind cannot be chosen by likewise.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from paramedic.cluster.port import Json
from paramedic.errors import Permanent

__all__ = ["Requirement", "chosen_by", "field_selector", "label_selector", "matches", "selector_text"]

_KEY: Final = r"(?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_VALUE: Final = r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?"
_EQUAL: Final = re.compile(rf"({_KEY})\s*(==|=|!=)\s*({_VALUE})", re.ASCII)
_AMONG: Final = re.compile(rf"({_KEY})\s+(in|notin)\s+\(([^()]*)\)", re.ASCII)
_THERE: Final = re.compile(rf"(!?)\s*({_KEY})", re.ASCII)
_VALUE_ONLY: Final = re.compile(_VALUE, re.ASCII)

_FIELDS: Final = {
    "Pod": {"metadata.name", "metadata.namespace", "status.phase", "spec.nodeName"},
    "Event": {
        "metadata.name",
        "metadata.namespace",
        "reason",
        "type",
        *(f"involvedObject.{part}" for part in ("kind", "namespace", "name", "uid", "apiVersion", "fieldPath")),
    },
}


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on a label or field: it is among `values` (in), is not (notin), is there (exists) or is not."""

    key: str
    operator: str
    values: frozenset[str] = frozenset()

    def holds(self, found: Mapping[str, str]) -> bool:
        """Whether these labels fulfil it; an absent label fulfils `notin`."""
        value = found.get(self.key)
        if self.operator == "exists":
            return value is not None
        if self.operator == "absent":
            return value is None
        return (value in self.values) is (self.operator == "in")


def label_selector(text: str) -> list[Requirement]:
    """A label selector: `a=b, c!=d, e in (f, g), h, !i`. Empty text chooses everything."""
    return [_requirement(part.strip()) for part in re.split(r",(?![^()]*\))", text)] if text.strip() else []


def _requirement(part: str) -> Requirement:
    if found := _EQUAL.fullmatch(part):
        return Requirement(found[1], "notin" if found[2] == "!=" else "in", frozenset({found[3]}))
    if found := _AMONG.fullmatch(part):
        values = frozenset(one.strip() for one in found[3].split(","))
        if all(_VALUE_ONLY.fullmatch(one) for one in values):
            return Requirement(found[1], found[2], values)
    elif found := _THERE.fullmatch(part):
        return Requirement(found[2], "absent" if found[1] else "exists")
    raise Permanent(f"unable to parse requirement: {part[:100]!a} is not a label selector")


def field_selector(text: str, kind: str) -> list[Requirement]:
    """A field selector: `metadata.name=a,status.phase!=Running`. Raises `Permanent` for a field this kind lacks."""
    known = _FIELDS.get(kind, {"metadata.name", "metadata.namespace"})
    found = []
    for part in text.split(",") if text else []:
        key, sign, value = re.split(r"(==|!=|=)", part, maxsplit=1) if "=" in part else (part, "", "")
        if not sign:
            raise Permanent(f"invalid selector: {part[:100]!a}; can't understand it")
        if key not in known:
            raise Permanent(f"field label not supported: {key[:100]}")
        found.append(Requirement(key, "notin" if sign == "!=" else "in", frozenset({value})))
    return found


def chosen_by(item: Json, labels: list[Requirement], fields: list[Requirement]) -> bool:
    """Whether an object fulfils both selectors."""
    own = item["metadata"].get("labels") or {}
    return all(one.holds(own) for one in labels) and all(one.holds({one.key: _field(item, one.key)}) for one in fields)


def _field(item: Json, path: str) -> str:
    value: Any = item
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return "" if value is None else str(value)


_OPERATORS: Final = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "absent"}


def matches(selector: Json | None, labels: Mapping[str, str]) -> bool:
    """Whether a workload's selector (`matchLabels`, `matchExpressions`) chooses these labels; none chooses nothing."""
    if selector is None:
        return False
    return all(one.holds(labels) for one in _requirements(selector))


def _requirements(selector: Json) -> list[Requirement]:
    equal = [Requirement(key, "in", frozenset({value})) for key, value in (selector.get("matchLabels") or {}).items()]
    among = [
        Requirement(one["key"], _OPERATORS.get(one["operator"], "in"), frozenset(one.get("values") or ()))
        for one in selector.get("matchExpressions") or ()
    ]
    return equal + among


def selector_text(selector: Json) -> str:
    """A workload's selector as the text of a label selector, as the scale subresource shows it."""
    parts = []
    for one in sorted(_requirements(selector), key=lambda one: one.key):
        values = sorted(one.values)
        if one.operator in ("in", "notin"):
            alone = len(values) == 1 and one.operator == "in"
            parts.append(f"{one.key}={values[0]}" if alone else f"{one.key} {one.operator} ({','.join(values)})")
        else:
            parts.append(one.key if one.operator == "exists" else f"!{one.key}")
    return ",".join(parts)
