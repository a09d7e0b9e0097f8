"""Targets on a cluster: `main/shop/deployment/api`. Parsed here and nowhere else, so that one thing has one name.

Names out of alerts are hostile: only what Kubernetes itself accepts as a name passes, so that no path can be climbed
and no look-alike letter stands for another.
"""

import re
from dataclasses import dataclass
from typing import Final

from paramedic.cluster.resources import Place, Resource, named_kind
from paramedic.errors import Fault

__all__ = ["Target", "checked_cluster", "checked_label", "checked_name", "parse_short", "parse_target", "say_target"]

_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", re.ASCII)
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?", re.ASCII)
_CLUSTER: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9])?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Target:
    """A target as its parts. `str()` is its name in records and reservations."""

    cluster: str
    namespace: str
    resource: Resource
    name: str

    @property
    def place(self) -> Place:
        """Where the object is."""
        return Place(self.cluster, self.resource, self.namespace, self.name)

    @property
    def short(self) -> str:
        """As people read it: `deployment/api.shop`."""
        return f"{self.resource.word}/{self.name}.{self.namespace}"

    def __str__(self) -> str:
        return f"{self.cluster}/{self.namespace}/{self.resource.word}/{self.name}"


def parse_target(text: str) -> Target:
    """CLUSTER/NAMESPACE/KIND/NAME as its parts. Raises `Fault` naming the part that is wrong."""
    parts = text.split("/")
    if len(parts) != 4:
        raise Fault(
            "target", f"{text[:80]!a} is not CLUSTER/NAMESPACE/KIND/NAME", "for example main/shop/deployment/api"
        )
    cluster, namespace, kind, name = parts
    checked_cluster(cluster)
    checked_label(namespace, "the namespace")
    return Target(cluster, namespace, named_kind(kind), checked_name(name))


def parse_short(text: str, cluster: str) -> Target:
    """A target as people write it, `deployment/api.shop`, on that cluster; or in full. Raises `Fault`."""
    kind, slash, name = text.partition("/")
    if not slash or "/" in name:
        return parse_target(text)
    own, dot, namespace = name.rpartition(".")
    if not dot:
        raise Fault("target", f"{text[:80]!a} says no namespace", "for example deployment/api.shop")
    return parse_target(f"{cluster}/{namespace}/{kind}/{own}")


def checked_cluster(name: str) -> str:
    """A cluster's name, as settings give it and targets use it. Raises `Fault`."""
    if _CLUSTER.fullmatch(name) is None:
        raise Fault("target", f"the cluster {name[:80]!a} is not a name", "letters, digits, dots and dashes")
    return name


def checked_label(name: str, what: str, where: str = "target") -> str:
    """The name of a namespace or an account (RFC 1123, without dots). Raises `Fault` at `where` that names `what`."""
    if _LABEL.fullmatch(name) is None:
        raise Fault(where, f"{what} {name[:80]!a} is not a name", "small letters, digits and dashes")
    return name


def checked_name(name: str) -> str:
    """An object's name, as Kubernetes defines it (RFC 1123). Raises `Fault`."""
    if _NAME.fullmatch(name) is None or ".." in name:
        raise Fault("target", f"{name[:80]!a} is not the name of an object", "small letters, digits, dashes and dots")
    return name


def say_target(text: str) -> str:
    """A target as people read it; what is not on a cluster stays as it is."""
    try:
        return parse_target(text).short
    except Fault:
        return text
