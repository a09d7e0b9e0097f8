"""Clusters: can each be reached, who are we there, and may we do what the loaded playbooks need, one by one."""

import asyncio
from collections.abc import Mapping, Sequence

from paramedic.catalog.permissions import needed
from paramedic.clients.kube.client import KubeClient
from paramedic.clients.kube.opening import open_clusters
from paramedic.clock import Clock
from paramedic.cluster.permissions import ACCESS_REVIEWS, Permission, review
from paramedic.cluster.port import Kube
from paramedic.cluster.resources import Place
from paramedic.core.bundle import Bundle
from paramedic.doctor.alerting import moment_of
from paramedic.doctor.finding import Finding, fine, open_, skewed, wrong
from paramedic.errors import Fault, ParamedicError
from paramedic.plugin import Plugins
from paramedic.settings import ClusterSetting, Settings

__all__ = ["examine_cluster", "examine_permissions", "no_cluster"]

_SYSTEM = "cluster"
_AT_ONCE = 8


def no_cluster(settings: Settings, bundle: Bundle | None) -> Sequence[Finding]:
    """What it means that no cluster is configured; nothing where one is."""
    if settings.clusters:
        return []
    names = sorted(one.name for one in bundle.playbooks.values() if one.on_cluster) if bundle is not None else []
    if not names:
        return [open_(_SYSTEM, "", "none is configured, and no playbook acts on one")]
    right = "set KUBECONFIG or PARAMEDIC_CLUSTERS"
    return [wrong(_SYSTEM, "", f"none is configured, so that nothing comes of {', '.join(names)}", right)]


async def examine_cluster(
    cluster: ClusterSetting,
    settings: Settings,
    permissions: Mapping[Permission, Sequence[str]],
    namespace: str,
    clock: Clock,
    timeout: float,
) -> Sequence[Finding]:
    """Reach it, compare clocks, and ask about each permission."""
    try:
        async with await open_clusters([cluster], settings.environment, clock) as kube:
            return await _reached(kube, cluster.name, permissions, namespace, clock, timeout)
    except Fault as fault:
        return [wrong(_SYSTEM, cluster.name, fault.what, fault.right)]
    except ParamedicError as error:
        right = f"start it, or correct {cluster.setting}"
        return [wrong(_SYSTEM, cluster.name, str(error), right)]


async def _reached(
    kube: KubeClient,
    name: str,
    permissions: Mapping[Permission, Sequence[str]],
    namespace: str,
    clock: Clock,
    timeout: float,
) -> Sequence[Finding]:
    before = clock.now()
    version, date = await kube.version(name, timeout=timeout)
    found = [fine(_SYSTEM, name, f"Kubernetes {version or 'of an unknown version'}, reached")]
    theirs = moment_of(date)
    if theirs is not None:
        found.append(skewed(_SYSTEM, name, theirs, before))
    return [*found, *await examine_permissions(kube, name, permissions, namespace, timeout)]


async def examine_permissions(
    kube: Kube, cluster: str, permissions: Mapping[Permission, Sequence[str]], namespace: str, timeout: float
) -> Sequence[Finding]:
    """Whether we have each permission; `namespace`: there only, empty: everywhere."""
    slots = asyncio.Semaphore(_AT_ONCE)

    async def one(permission: Permission, users: Sequence[str]) -> Finding:
        async with slots:
            return await _allowed(kube, cluster, permission, users, namespace, timeout)

    return await asyncio.gather(*(one(permission, users) for permission, users in permissions.items()))


async def _allowed(
    kube: Kube, cluster: str, permission: Permission, users: Sequence[str], namespace: str, timeout: float
) -> Finding:
    where = f" in {namespace}" if namespace and permission.namespaced else ""
    try:
        answer = await kube.create(Place(cluster, ACCESS_REVIEWS), review(permission, namespace), timeout=timeout)
        allowed = answer["status"]["allowed"]
    except ParamedicError as error:
        return open_(_SYSTEM, cluster, f"may {permission}{where} cannot be told: {error}")
    except (KeyError, TypeError):
        return open_(_SYSTEM, cluster, f"may {permission}{where} cannot be told: the answer does not say so")
    if allowed is True:
        return fine(_SYSTEM, cluster, f"may {permission}{where}")
    right = "grant it: paramedic rbac" + (f" --namespace {namespace}" if namespace else "") + " | kubectl apply -f -"
    return wrong(_SYSTEM, cluster, f"may not {permission}{where}, which {', '.join(users)} needs", right)


def needed_by(bundle: Bundle | None, plugins: Plugins) -> Mapping[Permission, Sequence[str]]:
    """What the playbooks need; nothing where they could not be loaded."""
    return needed(bundle, plugins) if bundle is not None else {}
