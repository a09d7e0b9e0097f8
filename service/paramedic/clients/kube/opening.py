"""From the clusters that the settings name to a client for all of them. `app` and `paramedic doctor` call it.

Only files are looked at: a cluster that cannot be reached now keeps nobody from starting.
"""

from collections.abc import Mapping, Sequence

from paramedic.clients.kube.access import Credentials
from paramedic.clients.kube.client import KubeClient
from paramedic.clients.kube.config import Kubeconfig, ServiceAccount
from paramedic.clients.kube.connection import Connection
from paramedic.clock import Clock
from paramedic.settings import ClusterSetting

__all__ = ["open_clusters"]


async def open_clusters(clusters: Sequence[ClusterSetting], environment: Mapping[str, str], clock: Clock) -> KubeClient:
    """A client for these clusters; close it. Raises `Fault` naming the setting and the file that cannot be used."""
    # A program that a kubeconfig names gets the environment, as it would from kubectl, but none of our secrets.
    handed = {name: value for name, value in environment.items() if not name.startswith("PARAMEDIC_")}
    connections = []
    for cluster in clusters:
        credentials: Credentials
        if cluster.kubeconfig:
            credentials = Kubeconfig(cluster.setting, cluster.kubeconfig, handed, clock)
        else:
            credentials = ServiceAccount(environment, clock)
        await credentials.check()
        connections.append(Connection(cluster.name, credentials, clock))
    return KubeClient(connections, clock)
