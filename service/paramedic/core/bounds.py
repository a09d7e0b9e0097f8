"""How much of an answer is kept: what a guard or a check returns may hold pieces of an alert or of a live object.

Called by `engine.perform` on every answer, so that no plug-in can fill a timeline, or put control characters in it.
"""

import math
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from paramedic.core.model import Verdict
from paramedic.core.text import one_line

__all__ = ["LARGEST", "REASON", "bounded", "bounded_evidence"]

LARGEST = 4096
"""Bytes of JSON that the evidence of one answer may take."""

REASON = 400
"""Characters of a reason."""

_DEPTH, _ITEMS, _TEXT, _KEY = 5, 32, 400, 100
_CLAIMS = 16
_CUT = "…"


def bounded(verdict: Verdict, name: str) -> Verdict:
    """The answer in the name of the plug-in that was asked, with a reason on one line and evidence that is small."""
    reason = one_line(verdict.reason, REASON)
    seen = bounded_evidence(verdict.seen) if verdict.seen else verdict.seen
    if (reason, seen, name) == (verdict.reason, verdict.seen, verdict.name) and len(verdict.claims) <= _CLAIMS:
        return verdict
    if len(verdict.claims) > _CLAIMS:
        raise ValueError(f"{name} claims {len(verdict.claims)} scopes, {_CLAIMS} are the most")
    return replace(verdict, name=name, reason=reason, seen=seen)


def bounded_evidence(seen: Mapping[str, Any]) -> dict[str, Any]:
    """Evidence as plain JSON of bounded depth, length and size; what was left out shows as an ellipsis."""
    whole: dict[str, Any] = _plain(seen, _DEPTH)
    if _size(whole) <= LARGEST:
        return whole
    kept: dict[str, Any] = {}
    room = LARGEST - _size({_CUT: len(whole)})
    for key, value in whole.items():
        size = _size({key: value})
        if size <= room:
            kept[key] = value
            room -= size
    return {**kept, _CUT: f"{len(whole) - len(kept)} more"}


def _plain(value: Any, depth: int) -> Any:
    match value:
        case bool() | int() | None:
            return value if not isinstance(value, int) or abs(value) < 2**63 else str(value)[:_TEXT]
        case float():
            return value if math.isfinite(value) else str(value)
        case str():
            return one_line(str(value), _TEXT)
        case dict() | Mapping() | list() | tuple() | set() | frozenset() if depth == 0:
            return _CUT
        case dict() | Mapping():  # most are dicts, and whether something else is a mapping is a long question
            items = list(value.items())[:_ITEMS]
            plain = {one_line(str(key), _KEY): _plain(item, depth - 1) for key, item in items}
            return plain if len(value) <= _ITEMS else {**plain, _CUT: f"{len(value) - _ITEMS} more"}
        case list() | tuple() | set() | frozenset():
            listed = [_plain(item, depth - 1) for item in list(value)[:_ITEMS]]
            return listed if len(value) <= _ITEMS else [*listed, f"{_CUT} {len(value) - _ITEMS} more"]
        case _:
            return one_line(str(value), _TEXT)


def _size(value: Any) -> int:
    return len(msgspec.json.encode(value))
