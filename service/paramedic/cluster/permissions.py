"""Permissions as plug-ins declare them, `VERB RESOURCE[.GROUP][/SUB]`, taken apart and merged into RBAC rules.

`paramedic rbac` prints the rules, `paramedic doctor` asks a cluster about each permission.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from paramedic.cluster.port import Json
from paramedic.cluster.resources import NODES, Resource
from paramedic.errors import Fault

__all__ = ["ACCESS_REVIEWS", "Permission", "parse_permission", "review", "rules_of"]

ACCESS_REVIEWS: Final = Resource(
    "authorization.k8s.io/v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", namespaced=False
)
"""Where anybody may ask what they themselves may do."""

_WRITTEN: Final = re.compile(r"([a-z]+) ([a-z]+)((?:\.[a-z0-9.-]+)?)((?:/[a-z]+)?)", re.ASCII)
_CLUSTER_WIDE: Final = frozenset({NODES.plural, ACCESS_REVIEWS.plural})


@dataclass(frozen=True, slots=True, order=True)
class Permission:
    """One verb on one resource. `group` is empty for the core one, `subresource` for the resource itself."""

    group: str
    resource: str
    subresource: str
    verb: str

    @property
    def name(self) -> str:
        """As RBAC names what it is about: `pods/log`."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource

    @property
    def namespaced(self) -> bool:
        """Whether a namespace can grant it."""
        return self.resource not in _CLUSTER_WIDE

    def __str__(self) -> str:
        group = f".{self.group}" if self.group else ""
        sub = f"/{self.subresource}" if self.subresource else ""
        return f"{self.verb} {self.resource}{group}{sub}"


def parse_permission(text: str) -> Permission:
    """A declared permission as its parts. Raises `Fault`."""
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise Fault("permissions", f"{text[:80]!a} is not VERB RESOURCE[.GROUP][/SUB]", "such as get deployments.apps")
    verb, resource, group, sub = found.groups()
    return Permission(group[1:], resource, sub[1:], verb)


def rules_of(permissions: Iterable[Permission]) -> list[Json]:
    """RBAC rules, one for each resource with all its verbs, in an order that does not depend on the one given."""
    verbs: dict[tuple[str, str], set[str]] = {}
    for one in permissions:
        verbs.setdefault((one.group, one.name), set()).add(one.verb)
    return [
        {"apiGroups": [group], "resources": [name], "verbs": sorted(found)}
        for (group, name), found in sorted(verbs.items())
    ]


def review(permission: Permission, namespace: str = "") -> Json:
    """The question to a cluster whether we have this permission; without a namespace: in all of them."""
    about = {
        "verb": permission.verb,
        "group": permission.group,
        "resource": permission.resource,
        "subresource": permission.subresource,
        "namespace": namespace if permission.namespaced else "",
    }
    return {
        "apiVersion": ACCESS_REVIEWS.api,
        "kind": ACCESS_REVIEWS.kind,
        "spec": {"resourceAttributes": {key: value for key, value in about.items() if value}},
    }
