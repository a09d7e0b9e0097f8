"""Where a call goes: the path of a `Place`, made of parts that were looked at. `client` calls it before each request.

Names come out of alerts. Only what Kubernetes itself takes as a name becomes a part of a path, and it is encoded all
the same, so no name can leave its place.
"""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlencode

from paramedic.cluster.names import checked_name
from paramedic.cluster.resources import Place
from paramedic.errors import Fault, Permanent

__all__ = ["collection", "item", "with_query"]

_NAMESPACE: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", re.ASCII)
_API: Final = re.compile(r"([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?v[a-z0-9]{1,20}", re.ASCII)
_PLURAL: Final = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", re.ASCII)
_SUBRESOURCES: Final = frozenset({"", "eviction", "log", "scale", "status"})


def collection(place: Place) -> str:
    """The path of all objects of the kind of `place`, in its namespace if it has one. Raises `Permanent`."""
    resource = place.resource
    if _API.fullmatch(resource.api) is None or _PLURAL.fullmatch(resource.plural) is None:
        raise Permanent(f"{resource.api[:80]!a} {resource.plural[:80]!a} is no kind of object; nothing was sent")
    base = f"/apis/{resource.api}" if resource.group else f"/api/{resource.api}"
    if not place.namespace:
        return f"{base}/{resource.plural}"
    if not resource.namespaced:
        raise Permanent(f"{resource.plural} are in no namespace, {place.namespace[:80]!a} was named; nothing was sent")
    if _NAMESPACE.fullmatch(place.namespace) is None:
        raise Permanent(f"{place.namespace[:80]!a} is not the name of a namespace; nothing was sent")
    return f"{base}/namespaces/{quote(place.namespace, safe='')}/{resource.plural}"


def item(place: Place, subresource: str = "") -> str:
    """The path of one object, or of its subresource. Raises `Permanent`: nothing named never stands for everything."""
    if place.resource.namespaced and not place.namespace:
        raise Permanent(f"{place}: no namespace is named; nothing was sent")
    try:
        name = checked_name(place.name)
    except Fault as fault:
        raise Permanent(f"{fault.what}; nothing was sent") from fault
    if subresource not in _SUBRESOURCES:
        raise Permanent(f"{place}: {subresource[:80]!a} is no subresource that is used; nothing was sent")
    path = f"{collection(place)}/{quote(name, safe='')}"
    return f"{path}/{subresource}" if subresource else path


def with_query(path: str, query: Mapping[str, str]) -> str:
    """The path with those parts of the query that have a value, each encoded."""
    said = urlencode([(name, value) for name, value in query.items() if value], quote_via=quote, safe="")
    return f"{path}?{said}" if said else path
