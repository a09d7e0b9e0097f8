"""A simulated Kubernetes cluster: an API server, controllers and kubelets in this process, in virtual or real time.

    cluster = SimulatedCluster(clock, name="main")     an empty cluster with one node
    cluster.apply(manifest)                            what `kubectl apply` does; ReplicaSets, pods and status follow
    cluster.behaves("api:42", Behaviour(ready=False))  pods of this image never become ready
    cluster.port                                       the port `Kube` for whoever is under test
    cluster.edit(DEPLOYMENTS, "shop", "api", {...})    somebody else's hand
    cluster.fail(KubeFault("lost", on="patch *"))      what goes wrong between a process and the cluster

Nothing runs by itself: each question lets everything happen first that is due by then, each thing at its own moment.
"""

from paramedic.rehearse.cluster.cluster import SimulatedCluster
from paramedic.rehearse.cluster.faults import KubeFault
from paramedic.rehearse.cluster.port import SimulatedKube
from paramedic.rehearse.cluster.site import Behaviour, Speeds

__all__ = ["Behaviour", "KubeFault", "SimulatedCluster", "SimulatedKube", "Speeds"]
