"""The simulated shop: five workloads on a simulated cluster, and what happens to them. Nothing outside is touched.

`stories` breaks it, the service repairs it over the cluster's port, and `gauges` says how well it serves.
"""

from collections.abc import Sequence
from typing import Final

from paramedic.clock import Clock
from paramedic.cluster.port import Json, Kube
from paramedic.cluster.resources import DEPLOYMENTS, PODS, Place
from paramedic.rehearse.cluster import Behaviour, SimulatedCluster, Speeds

__all__ = ["CLUSTER", "NAMESPACE", "Shop"]

CLUSTER: Final = "main"
NAMESPACE: Final = "shop"

_BEGAN: Final = -72 * 3600.0
_BEGINNING: Final = (
    # workload, image, replicas
    ("api", "api:41", 3),
    ("checkout", "checkout:17", 2),
    ("worker", "worker:5", 2),
    ("payments", "payments:17", 2),
    ("search", "search:7", 2),
)
_QUICK: Final = Speeds(
    reacts=0.01, schedules=0.02, starts=0.1, ready=0.3, stops=0.2, crashes=0.1, backs_off=600.0, backs_off_most=600.0
)
_CI: Final = "ci-deploy"


class Shop:
    """The cluster with the shop on it: three days old, and well."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._cluster = SimulatedCluster(clock, CLUSTER, speeds=_QUICK, begins=_BEGAN)
        self._cluster.at(_BEGAN, self._open)
        self._cluster.catch_up()

    def _open(self) -> None:
        for name, image, replicas in _BEGINNING:
            self._cluster.apply(_deployment(name, image, replicas), manager=_CI)

    @property
    def kube(self) -> Kube:
        """The cluster, as the service sees it."""
        return self._cluster.port

    def release(self, workload: str, image: str) -> None:
        """Somebody deploys another version."""
        container = {"name": workload, "image": image}
        template = {"spec": {"template": {"spec": {"containers": [container]}}}}
        self._cluster.edit(DEPLOYMENTS, NAMESPACE, workload, template, "strategic", manager=_CI)

    def keep_in_git(self, workload: str) -> None:
        """From now on Argo CD keeps a workload as Git says."""
        note = {"metadata": {"annotations": {"argocd.argoproj.io/tracking-id": f"{workload}:apps/Deployment"}}}
        self._cluster.edit(DEPLOYMENTS, NAMESPACE, workload, note, manager="argocd-controller")

    def migrate(self, workload: str, image: str) -> None:
        """A workload's database is changed so that this older version cannot start on it any more."""
        logs = f'{workload}: FATAL: column "region" does not exist\n'
        self._cluster.behaves(image, Behaviour(crash=True, logs=logs), namespace=NAMESPACE, workload=workload)

    def crash(self, workload: str) -> None:
        """All pods that a workload has now crash, and crash again whenever they are started."""
        logs = f"{workload}: connection pool is closed\n"
        self._cluster.catch_up()
        self._cluster.strike(NAMESPACE, workload, Behaviour(crash=True, logs=logs))

    async def pods(self, workload: str) -> Sequence[Json]:
        """The pods of a workload that are not on their way out."""
        found = await self.kube.list(Place(CLUSTER, PODS, NAMESPACE), labels=f"app={workload}")
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    async def stands(self, workload: str) -> tuple[str, int]:
        """Which image a workload is to have, and how many replicas."""
        found = await self.kube.get(Place(CLUSTER, DEPLOYMENTS, NAMESPACE, workload))
        return found["spec"]["template"]["spec"]["containers"][0]["image"], found["spec"]["replicas"]


def _deployment(name: str, image: str, replicas: int) -> Json:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": {"app": name}},
        "spec": {
            "replicas": replicas,
            "progressDeadlineSeconds": 2,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": name, "image": image}]},
            },
        },
    }
