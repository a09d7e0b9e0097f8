"""Who set which field of an object last, as `managedFields` tells it. The simulated server signs every write with it.

Kept are the fields of `spec` and the like one by one, and single annotations and labels; what lies deeper counts as a
part of its field, which several managers may then share. A plain value belongs to whoever set it last.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from paramedic.cluster.port import Json

__all__ = ["signed"]

Path = tuple[str, ...]

_OURS: Final = frozenset(("apiVersion", "kind"))
_GIVEN: Final = frozenset(
    ("name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "managedFields")
)


def signed(before: Json | None, after: Json, manager: str, subresource: str, moment: str) -> list[Json]:
    """The entries of `after`, which this manager has made of `before` (None: of nothing). The newest is last."""
    if subresource == "status":
        others = [one for one in _entries(after) if _who(one) != (manager, subresource)]
        return [*others, _entry(after, manager, subresource, moment, {("status",)})]
    was, now = dict(_fields(before or {})), dict(_fields(after))
    set_by_it = {path for path in was.keys() | now.keys() if was.get(path) != now.get(path)}
    plain = {path for path in set_by_it if not isinstance(now.get(path), Mapping | list)}
    entries: list[Json] = []
    own: set[Path] = set()
    for one in _entries(after):
        held = set(_paths(one.get("fieldsV1") or {}))
        if _who(one) == (manager, subresource):
            own = held
        elif left := held - plain:
            entries.append({**one, "fieldsV1": _tree(left)})
    owned = (own | set_by_it) & now.keys()
    return [*entries, _entry(after, manager, subresource, moment, owned)] if owned else entries


def _entries(thing: Json) -> Iterable[Json]:
    return thing["metadata"].get("managedFields") or ()


def _who(entry: Json) -> tuple[str, str]:
    return entry["manager"], entry.get("subresource", "")


def _entry(thing: Json, manager: str, subresource: str, moment: str, owned: set[Path]) -> Json:
    mark = {
        "manager": manager,
        "operation": "Update",
        "apiVersion": thing["apiVersion"],
        "time": "" if subresource == "scale" else moment,  # as on a real server, which does not say when
        "fieldsType": "FieldsV1",
        "fieldsV1": _tree(owned),
        "subresource": subresource,
    }
    return {key: value for key, value in mark.items() if value}


def _fields(thing: Json) -> Iterator[tuple[Path, Any]]:
    for root, below in thing.items():
        if root in _OURS or root == "status":
            continue
        if not isinstance(below, Mapping):
            yield (root,), below
            continue
        for name, value in below.items():
            if root == "metadata" and name in _GIVEN:
                continue
            if root == "metadata" and name in ("annotations", "labels") and isinstance(value, Mapping):
                yield from (((root, name, key), each) for key, each in value.items())
            else:
                yield (root, name), value


def _paths(tree: Mapping[str, Any], path: Path = ()) -> Iterator[Path]:
    for name, below in tree.items():
        here = (*path, name.removeprefix("f:"))
        if below:
            yield from _paths(below, here)
        else:
            yield here


def _tree(paths: set[Path]) -> Json:
    tree: Json = {}
    for path in sorted(paths):
        here = tree
        for name in path:
            here = here.setdefault(f"f:{name}", {})
    return tree
