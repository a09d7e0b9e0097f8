"""What a rehearsal's world may say about clusters, as models. `script` contains them, `seeding` makes clusters of them.

Everything has a name; all else is as usual unless it is said: the cluster main, the namespace default, one replica.
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from paramedic.cluster.names import checked_cluster, checked_name, parse_short
from paramedic.durations import Duration
from paramedic.errors import Fault
from paramedic.rehearse.expectations import Part
from paramedic.rehearse.moments import After, Moment

__all__ = [
    "AutoscalerWorld",
    "BudgetWorld",
    "ChangeWorld",
    "Condition",
    "DaemonSetWorld",
    "DeploymentWorld",
    "Following",
    "Hand",
    "KubeFails",
    "Measured",
    "NamespaceWorld",
    "PodWorld",
    "QuotaWorld",
    "Revision",
    "ServiceWorld",
    "SpeedsWorld",
    "StatefulSetWorld",
    "Strike",
    "TargetName",
    "Workload",
]

Labels = dict[str, str]


def _read_name(value: Any) -> Any:
    try:
        return checked_name(value) if isinstance(value, str) else value
    except Fault as fault:
        raise PydanticCustomError("name", "{what}; {right}", {"what": fault.what, "right": fault.right}) from fault


def _read_target(value: Any) -> Any:
    try:
        return str(parse_short(value, "main")) if isinstance(value, str) else value
    except Fault as fault:
        raise PydanticCustomError("target", "{what}; {right}", {"what": fault.what, "right": fault.right}) from fault


def _read_cluster(value: Any) -> Any:
    try:
        return checked_cluster(value) if isinstance(value, str) else value
    except Fault as fault:
        raise PydanticCustomError("cluster", "{what}; {right}", {"what": fault.what, "right": fault.right}) from fault


Name = Annotated[str, BeforeValidator(_read_name)]
"""The name of an object or a namespace."""

ClusterName = Annotated[str, BeforeValidator(_read_cluster)]
"""The name of a cluster."""

TargetName = Annotated[str, BeforeValidator(_read_target)]
"""A target, written `deployment/api.shop` (on the cluster main) or in full; in full once it is read."""


class Located(Part):
    """Base of every object: its name, its namespace, its cluster."""

    name: Name
    namespace: Name = "default"
    cluster: ClusterName = "main"
    labels: Labels = Field(default_factory=dict)
    annotations: Labels = Field(default_factory=dict)


class Manner(Part):
    """Base of what says how pods behave. `ready`: after the usual time, after so long, or never."""

    ready: bool | Duration = True
    crash: bool = Field(default=False, description="its containers end again and again")
    pending: bool = Field(default=False, description="no node has room for it")
    logs: str = Field(default="", description="what its containers write")


class Revision(Manner):
    """A release of a workload, `at` the moment given, by whoever deploys (`by`)."""

    image: str = Field(min_length=1)
    at: Moment | None = None
    by: str = "kubectl-client-side-apply"


class Strike(Manner):
    """Something befalls the pods that a workload has at a moment; those that are made later are as they should be."""

    at: Moment
    pods: int | None = Field(default=None, ge=1, description="only so many of them")


class Workload(Located):
    """Base of what has pods: releases, or one `image`; what befalls its pods; who owns it."""

    image: str = ""
    revisions: tuple[Revision, ...] = ()
    strikes: tuple[Strike, ...] = ()
    owner: str = Field(
        default="", pattern="^$|^[A-Za-z]+/[a-z0-9.-]+$", description="the controller above it: KIND/NAME"
    )
    asks: Labels = Field(default_factory=dict, description="what each pod asks of its node, such as {cpu: 100m}")

    @model_validator(mode="after")
    def _one_way_to_say_the_image(self) -> "Workload":
        if bool(self.image) is bool(self.revisions):
            raise ValueError("says its image in one way: image, or revisions")
        return self

    @property
    def releases(self) -> tuple[Revision, ...]:
        """Its releases; an image alone is the first."""
        return self.revisions or (Revision(image=self.image),)


class DeploymentWorld(Workload):
    """A Deployment."""

    replicas: int = Field(default=1, ge=0, le=500)
    paused: bool = False
    strategy: Literal["RollingUpdate", "Recreate"] = "RollingUpdate"
    surge: int | str | None = Field(default=None, description="how many pods may be more during a rollout")
    unavailable: int | str | None = Field(default=None, description="how many pods may be missing during a rollout")
    deadline: Duration = Field(default=600.0, description="after which a rollout that does not get on is given up")
    history: int = Field(default=10, ge=0, description="how many old ReplicaSets are kept")


class StatefulSetWorld(Workload):
    """A StatefulSet."""

    replicas: int = Field(default=1, ge=0, le=500)
    strategy: Literal["RollingUpdate", "OnDelete"] = "RollingUpdate"
    partition: int = Field(default=0, ge=0)


class DaemonSetWorld(Workload):
    """A DaemonSet: a pod on each node."""

    strategy: Literal["RollingUpdate", "OnDelete"] = "RollingUpdate"


class PodWorld(Located, Manner):
    """A pod of its own, or of the controller that it names as its `owner`."""

    image: str = "app:1"
    owner: str = Field(default="", pattern="^$|^[A-Za-z]+/[a-z0-9.-]+$", description="its controller: KIND/NAME")
    at: Moment | None = None


class AutoscalerWorld(Located):
    """A HorizontalPodAutoscaler. `wants`: what its metrics ask for over time; unless given, what its target has."""

    target: str = Field(
        pattern="^(deployment|statefulset)/[a-z0-9.-]+$", description="deployment/NAME or statefulset/NAME"
    )
    least: int = Field(default=1, ge=1, alias="min")
    most: int = Field(ge=1, alias="max")
    wants: tuple[tuple[Moment, int], ...] = ()


class BudgetWorld(Located):
    """A PodDisruptionBudget over the pods that `selects` chooses."""

    selects: Labels = Field(min_length=1)
    available: int | str | None = Field(default=None, description="how many pods must stay available")
    unavailable: int | str | None = Field(default=None, description="how many pods may be missing")

    @model_validator(mode="after")
    def _one_number(self) -> "BudgetWorld":
        if (self.available is None) is (self.unavailable is None):
            raise ValueError("says one of available, unavailable")
        return self


class ServiceWorld(Located):
    """A Service: the pods that it `selects`."""

    selects: Labels = Field(min_length=1)
    port: int = Field(default=80, ge=1, le=65_535)


class QuotaWorld(Located):
    """A ResourceQuota of its namespace: `most` of each thing, such as {pods: 7}."""

    most: Labels = Field(min_length=1)


class NamespaceWorld(Located):
    """A namespace that carries labels or annotations of its own; all others are there once something is in them."""


class Condition(Part):
    """How a workload is: a pod `is` unready, crashing, pending; a ready pod `runs` an image; `fewer` pods are ready."""

    target: TargetName
    is_: Literal["", "unready", "crashing", "pending"] = Field(default="", alias="is")
    runs: str = Field(default="", description="a ready pod has this image, with * for anything")
    fewer: int | None = Field(default=None, ge=1, description="fewer pods than that are ready")

    @model_validator(mode="after")
    def _one_thing(self) -> "Condition":
        if (bool(self.is_), bool(self.runs), self.fewer is not None).count(True) != 1:
            raise ValueError("says one of is, runs, fewer")
        return self


class Following(Part):
    """An alert that follows a cluster: it fires once its condition has held `for` so long, and ends when it is over."""

    alert: Labels
    while_: Condition = Field(alias="while")
    for_: Duration = Field(default=0.0, alias="for")
    stays: Duration = Field(default=0.0, description="how long it goes on firing after the condition is over")
    annotations: Labels = Field(default_factory=dict)
    source: str = ""


class Measured(Part):
    """A metric that follows a cluster: `value` while the condition holds, else `otherwise`."""

    while_: Condition = Field(alias="while")
    value: float
    otherwise: float | None = 0.0


class ChangeWorld(Part):
    """A change that CI reported, of a target or a service."""

    at: Moment
    target: TargetName | Literal[""] = ""
    service: str = ""
    version: str = ""
    url: str = ""

    @model_validator(mode="after")
    def _of_something(self) -> "ChangeWorld":
        if not self.target and not self.service:
            raise ValueError("says of what: target, or service")
        return self


class SpeedsWorld(Part):
    """How long things take in the clusters, where it is not as usual."""

    starts: Duration = Field(default=1.0, description="a container, from the moment that its pod has a node")
    ready: Duration = Field(default=4.0, description="a pod, from its start until it is ready")
    stops: Duration = Field(default=2.0, description="a pod that is deleted, until it is gone")


class Hand(Part):
    """Somebody else's hand on a cluster: it `edit`s an object, or `delete`s it."""

    edit: TargetName | Literal[""] = ""
    delete: TargetName | Literal[""] = ""
    by: str = "kubectl-edit"
    image: str = ""
    replicas: int | None = Field(default=None, ge=0)
    paused: bool | None = None
    patch: dict[str, Any] = Field(default_factory=dict, description="a merge patch")

    @model_validator(mode="after")
    def _one_deed(self) -> "Hand":
        changes = bool(self.image or self.replicas is not None or self.paused is not None or self.patch)
        if bool(self.edit) is bool(self.delete) or changes is not bool(self.edit):
            raise ValueError("says {edit: TARGET} with image, replicas, paused or patch, or {delete: TARGET}")
        return self


class KubeFails(Part):
    """Requests to a cluster go wrong: those that fit `on` (VERB RESOURCE, with * for anything), `times` often."""

    cluster: ClusterName
    fails: Literal["forbidden", "busy", "error", "refused", "timeout", "lost"]
    on: str = "*"
    from_: After = Field(default=0.0, alias="from")
    to: After | None = None
    times: int | None = Field(default=None, ge=1)
    delay: Duration = Field(default=1.0, description="after which a busy server may be asked again")
    dry_runs: bool = Field(default=False, description="whether a write that is only tried meets it too")

    @property
    def last(self) -> float:
        """The last moment that it names, in seconds."""
        return self.to or self.from_
