"""Strategic merge patch: as a merge patch, but lists of named things merge by their name. `writing` calls this.

`$patch: replace` takes the patch as it stands, `$patch: delete` removes. Which lists merge, and by which key, is the
API's own table (the patchMergeKey tags of its types); a list that is not in it is replaced.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, Final

from paramedic.errors import Permanent

__all__ = ["strategically_merged"]

_KEYS: Final = {
    "containers": "name",
    "initContainers": "name",
    "ephemeralContainers": "name",
    "env": "name",
    "volumes": "name",
    "imagePullSecrets": "name",
    "volumeMounts": "mountPath",
    "volumeDevices": "devicePath",
    "hostAliases": "ip",
    "ownerReferences": "uid",
    "conditions": "type",
    "topologySpreadConstraints": "topologyKey",
}
_PORTS: Final = ("containerPort", "port")
"""The lists named `ports`: a container's merge by the one, a Service's by the other."""

_SETS: Final = frozenset({"finalizers"})
"""Lists of plain values that merge as sets."""


def strategically_merged(document: Any, patch: Any) -> Any:
    """The document after the patch. Raises `Permanent` where a list's item lacks the key that it merges by."""
    if not isinstance(patch, Mapping):
        return deepcopy(patch)
    if patch.get("$patch") == "replace":
        return {key: deepcopy(value) for key, value in patch.items() if key != "$patch"}
    result = dict(document) if isinstance(document, Mapping) else {}
    for key, value in patch.items():
        if key.startswith(("$setElementOrder/", "$retainKeys")) or key == "$patch":
            continue
        if value is None or (isinstance(value, Mapping) and value.get("$patch") == "delete"):
            result.pop(key, None)
        elif key.startswith("$deleteFromPrimitiveList/"):
            name = key.partition("/")[2]
            result[name] = [one for one in result.get(name, []) if one not in value]
        elif isinstance(value, list):
            result[key] = _list(key, result.get(key) or [], value)
        else:
            result[key] = strategically_merged(result.get(key), value)
    return result


def _list(name: str, found: Sequence[Any], patch: Sequence[Any]) -> list[Any]:
    if name in _SETS:
        return [*found, *(one for one in patch if one not in found)]
    key = _merge_key(name, [*patch, *found])
    if not key:
        return deepcopy(list(patch))
    items = [one for one in patch if not _whole(one)]
    if len(items) < len(patch):
        return deepcopy(items)
    result = list(found)
    for item in items:
        if not isinstance(item, Mapping) or key not in item:
            raise Permanent(f"the strategic merge patch has an item of {name} without its {key}")
        place = next((n for n, one in enumerate(result) if one.get(key) == item[key]), None)
        if item.get("$patch") == "delete":
            result = [one for one in result if one.get(key) != item[key]]
        elif place is None:
            result.append(strategically_merged({}, item))
        else:
            result[place] = strategically_merged(result[place], item)
    return result


def _whole(item: Any) -> bool:
    """Whether an item says that the whole list is replaced."""
    return isinstance(item, Mapping) and set(item) == {"$patch"} and item["$patch"] == "replace"


def _merge_key(name: str, items: Sequence[Any]) -> str:
    if name == "ports":
        return next((key for key in _PORTS if any(isinstance(one, Mapping) and key in one for one in items)), _PORTS[0])
    return _KEYS.get(name, "")
