"""JSON Patch (RFC 6902) and merge patch (RFC 7386) over raw JSON, as the API server applies them. `writing` calls this.

Nothing given is changed: every function returns a new document. A patch that does not fit the object is `Changed`, as
the real server answers 422 without saying which operation it was; a patch that is none is `Permanent`.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from paramedic.cluster.port import Json
from paramedic.errors import Changed, Permanent

__all__ = ["json_patched", "merged"]

_MOST = 10_000
"""Operations in a patch; the API server takes no more."""


def json_patched(document: Json, patch: Sequence[Json]) -> Json:
    """The document after all operations; one that does not fit makes the whole patch fail (`Changed`)."""
    if len(patch) > _MOST:
        raise Permanent(f"the patch has {len(patch)} operations; the API server takes {_MOST}")
    held: Json = {"": deepcopy(document)}
    for position, operation in enumerate(patch):
        if not isinstance(operation, Mapping) or not isinstance(operation.get("path"), str):
            raise Permanent(f"operation {position} of the JSON patch has no path")
        try:
            _operate(held, operation)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise Changed(f"the JSON patch does not fit the object: {_say(operation)}") from error
    result: Json = held[""]
    return result


def _operate(held: Json, operation: Mapping[str, Any]) -> None:
    path = _tokens(operation["path"])
    match operation.get("op"):
        case "add":
            _add(held, path, deepcopy(operation["value"]))
        case "remove":
            _remove(held, path)
        case "replace":
            _remove(held, path)
            _add(held, path, deepcopy(operation["value"]))
        case "move":
            source = _tokens(operation["from"])
            value = _at(held, source)
            _remove(held, source)
            _add(held, path, value)
        case "copy":
            _add(held, path, deepcopy(_at(held, _tokens(operation["from"]))))
        case "test":
            if not _same(_at_or_none(held, path), operation.get("value")):
                raise ValueError("the test failed")
        case _:
            raise ValueError("there is no such operation")


def _tokens(pointer: str) -> list[str]:
    """A JSON pointer as its parts, behind the root's name."""
    if pointer and not pointer.startswith("/"):
        raise ValueError(f"{pointer} is not a JSON pointer")
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")]


def _at(value: Any, path: Sequence[str]) -> Any:
    for part in path:
        value = value[_index(part, len(value))] if isinstance(value, list) else value[part]
    return value


def _at_or_none(value: Any, path: Sequence[str]) -> Any:
    """What is there; nothing at all counts as null where its parent exists, as the API server's library has it."""
    parent = _at(value, path[:-1])
    return parent.get(path[-1]) if isinstance(parent, dict) else _at(parent, path[-1:])


def _index(part: str, length: int) -> int:
    if not part.isdecimal() or (len(part) > 1 and part.startswith("0")) or int(part) > length:
        raise ValueError(f"{part} is not an index")
    return int(part)


def _add(held: Json, path: Sequence[str], value: Any) -> None:
    parent = _at(held, path[:-1])
    if isinstance(parent, list):
        parent.insert(len(parent) if path[-1] == "-" else _index(path[-1], len(parent)), value)
    elif isinstance(parent, dict):
        parent[path[-1]] = value
    else:
        raise TypeError("nothing can be added to it")


def _remove(held: Json, path: Sequence[str]) -> None:
    parent = _at(held, path[:-1])
    if isinstance(parent, list):
        del parent[_index(path[-1], len(parent) - 1)]
    else:
        del parent[path[-1]]


def _same(found: Any, wanted: Any) -> bool:
    """JSON's equality: true is not 1."""
    if isinstance(found, bool) or isinstance(wanted, bool):
        return found is wanted
    if isinstance(found, dict) and isinstance(wanted, dict):
        return found.keys() == wanted.keys() and all(_same(found[key], wanted[key]) for key in found)
    if isinstance(found, list) and isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(_same, found, wanted))
    return bool(found == wanted)


def _say(operation: Mapping[str, Any]) -> str:
    return f"{operation.get('op')} {operation['path']}"[:200]


def merged(document: Any, patch: Any) -> Any:
    """The document after a merge patch: null removes, objects merge, all else replaces."""
    if not isinstance(patch, Mapping):
        return deepcopy(patch)
    result = dict(document) if isinstance(document, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result
