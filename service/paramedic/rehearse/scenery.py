"""What a rehearsal may say about its world, as models: endpoints, clusters, metrics, people, alerts that follow them.

`script` contains them, `world`, `clusters` and `people` play them. Every key is named here or in `cluster.spec`.
"""

from typing import Any, Literal

from pydantic import Field

from paramedic.core.words import Mode
from paramedic.durations import Duration
from paramedic.rehearse.cluster.spec import (
    AutoscalerWorld,
    BudgetWorld,
    ChangeWorld,
    DaemonSetWorld,
    DeploymentWorld,
    Following,
    Measured,
    NamespaceWorld,
    PodWorld,
    QuotaWorld,
    ServiceWorld,
    SpeedsWorld,
    StatefulSetWorld,
)
from paramedic.rehearse.expectations import Part
from paramedic.rehearse.moments import Moment

__all__ = ["Answer", "Consequence", "EndpointWorld", "Habits", "Reaction", "SilenceWorld", "World"]

Labels = dict[str, str]


class Answer(Part):
    """How an endpoint answers the requests it is `on`: the first that applies is taken.

    `reports` puts a metric's value into the body. `fails`: `refused` (nobody listens), `lost` (it arrives and takes
    effect, the answer never comes), `dropped` (neither arrives).
    """

    on: str = Field(default="*", description="METHOD PATH, with * for anything")
    while_: str = Field(default="", alias="while", description="only in this state of the endpoint")
    from_: Moment | None = Field(default=None, alias="from")
    to: Moment | None = None
    times: int | None = Field(default=None, ge=1, description="only so many requests")
    status: int = Field(default=200, ge=100, le=599)
    body: Any = None
    reports: str = Field(default="", description="the name of a metric whose value is the body")
    delay: Duration = 0.02
    fails: Literal["", "refused", "lost", "dropped"] = ""


class Consequence(Part):
    """What a request does to the world, some time `after` it arrived."""

    on: str = Field(default="*", description="METHOD PATH, with * for anything")
    after: Duration = 0.0
    resolves: str | Labels = Field(default="", description="the alert that ends: its name or labels")
    fires: Labels = Field(default_factory=dict, description="the labels of an alert that begins")
    becomes: str = Field(default="", description="the endpoint's next state")


class EndpointWorld(Part):
    """A simulated HTTP service behind an endpoint of the bundle. Where no answer applies it says 200."""

    state: str | tuple[tuple[Moment, str], ...] = ""
    answers: tuple[Answer, ...] = ()
    effects: tuple[Consequence, ...] = ()


class Reaction(Part):
    """When a person does something about a page or an approval: how long `after`, and to which."""

    after: Duration
    level: int | None = Field(default=None, ge=1)
    to: str = "*"
    of: str = Field(default="*", description="the incident's title, with * for anything")


class Habits(Part):
    """What one person does whenever there is cause."""

    acks: Reaction | None = None
    takes: Reaction | None = None
    approves: Reaction | None = None
    denies: Reaction | None = None


class SilenceWorld(Part):
    """What keeps an alert quiet at its Alertmanager: it is neither delivered nor repeated, and the API says why."""

    alert: str | Labels = Field(description="its name, or labels")
    from_: Moment = Field(default=0.0, alias="from")
    to: Moment | None = None
    kind: Literal["silenced", "inhibited"] = "silenced"
    by: str = Field(default="somebody", description="the silence, or the alert that inhibits")


class World(Part):
    """What the world is when the rehearsal begins. A metric without a series, or before its first point, is unknown."""

    endpoints: dict[str, EndpointWorld] = Field(default_factory=dict)
    metrics: dict[str, tuple[tuple[Moment, float | None], ...] | Measured] = Field(default_factory=dict)
    people: dict[str, Habits] = Field(default_factory=dict)
    silences: tuple[SilenceWorld, ...] = Field(default=(), description="what keeps alerts quiet")
    mode: Mode = Mode.AUTO
    repeats: bool = Field(default=True, description="whether Alertmanager repeats what still fires, as it does")
    deployments: tuple[DeploymentWorld, ...] = ()
    stateful_sets: tuple[StatefulSetWorld, ...] = ()
    daemon_sets: tuple[DaemonSetWorld, ...] = ()
    pods: tuple[PodWorld, ...] = ()
    autoscalers: tuple[AutoscalerWorld, ...] = ()
    disruption_budgets: tuple[BudgetWorld, ...] = ()
    services: tuple[ServiceWorld, ...] = ()
    quotas: tuple[QuotaWorld, ...] = ()
    namespaces: tuple[NamespaceWorld, ...] = ()
    nodes: int = Field(default=3, ge=0, le=100, description="how many nodes each cluster has")
    speeds: SpeedsWorld = SpeedsWorld()
    permissions: tuple[str, ...] | None = Field(default=None, description="what the process may do on clusters")
    alerts: tuple[Following, ...] = Field(default=(), description="alerts that follow the clusters")
    changes: tuple[ChangeWorld, ...] = Field(default=(), description="changes that CI reported")
