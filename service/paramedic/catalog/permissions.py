"""Which permissions on clusters the playbooks of a bundle need, and what for. `paramedic rbac` and `doctor` ask."""

from collections.abc import Iterator, Mapping

from paramedic.clients.kube.targets import PERMISSIONS as TARGETS
from paramedic.cluster.permissions import Permission, parse_permission
from paramedic.core.bundle import Bundle, Playbook
from paramedic.plugin import Plugins

__all__ = ["needed"]

FINDING_TARGETS = "finding targets"
"""What is said to need the permissions that no plug-in declares."""


def needed(bundle: Bundle, plugins: Plugins) -> Mapping[Permission, tuple[str, ...]]:
    """Each permission, with the names of who needs it, both in order."""
    found: dict[Permission, set[str]] = {}
    for playbook in bundle.playbooks.values():
        for user, permission in _of(playbook, plugins):
            found.setdefault(parse_permission(permission), set()).add(user)
    return {permission: tuple(sorted(found[permission])) for permission in sorted(found)}


def _of(playbook: Playbook, plugins: Plugins) -> Iterator[tuple[str, str]]:
    if playbook.on_cluster:
        yield from ((FINDING_TARGETS, permission) for permission in TARGETS)
    for guard in playbook.guards:
        yield from ((guard.kind, permission) for permission in plugins.guards[guard.kind].permissions)
    for step in playbook.steps:
        yield from ((step.kind, permission) for permission in plugins.actions[step.kind].permissions)
        for check in step.verify:
            yield from ((check.kind, permission) for permission in plugins.checks[check.kind].permissions)
