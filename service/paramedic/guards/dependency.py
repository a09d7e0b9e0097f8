"""Guard `dependency`: is what the target depends on down itself? Then the target is the wrong thing to treat."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field, StrictStr

from paramedic.cluster.names import Target, parse_short, parse_target
from paramedic.cluster.resources import WORKLOADS
from paramedic.cluster.rollout import progress
from paramedic.core.matching import Matcher, about
from paramedic.core.model import Episode, Verdict
from paramedic.core.text import ago, one_line
from paramedic.core.words import Answer
from paramedic.errors import Fault
from paramedic.matchers import Matchers, parse_matchers
from paramedic.plugin import Guard, Params, Seen, Tools

__all__ = ["Dependency"]

_CONTROL_PLANE: Final = parse_matchers(
    'alertname=~"KubeAPIDown|KubeAPITerminatedRequests|KubeControllerManagerDown|KubeSchedulerDown|KubeletDown|etcd.*'
    '|KubeClientCertificateExpiration", severity!~"info|warning|none"'
)
"""What says that a cluster cannot be told the truth by, or that it does nothing: while it fires, nothing is treated."""


class DependencyParams(Params):
    """What `dependency` may be told."""

    services: list[Annotated[StrictStr, Field(min_length=1, max_length=200)]] = Field(
        [], max_length=50, description="names of what it depends on, beside `depends_on` of the service map"
    )
    only: Matchers | None = Field(
        None, description='what an alert about a dependency must match too, such as `severity="critical"`'
    )
    workloads: list[Annotated[str, Field(min_length=1, max_length=500)]] = Field(
        [], max_length=10, description="workloads that it depends on, such as `statefulset/db.shop`"
    )
    least: float = Field(
        50.0, gt=0, le=100, description="so many percent of the pods of each of them must be available"
    )
    control_plane: bool = Field(True, description="deny while an alert says that the cluster itself is down")


class Dependency(Guard):
    """Denies while something that the target depends on is firing or unhealthy: that is what has to be treated.

    An alert is about a dependency if its label `job` or `service` has the dependency's name. Names are those given, and
    those under `depends_on` in the entry of the service map that the alert matches. A workload of `workloads` is
    unhealthy with fewer than `least` percent of its pods available, and with none wanted. With `control_plane` alerts
    about the cluster itself deny as well: KubeAPIDown, KubeControllerManagerDown, KubeSchedulerDown, KubeletDown,
    `etcd.*` and such, those of severity warning and info left out, of this cluster or of one that is not named.
    """

    name = "dependency"
    example = "dependency: {services: [postgres], workloads: [statefulset/postgres.shop]}"
    Params = DependencyParams
    reads = frozenset({"kube"})
    on_target = False
    permissions = tuple(f"get {each.permission}" for each in WORKLOADS)
    escapes: ClassVar[Mapping[str, str]] = dict.fromkeys(("services", "only", "control_plane", "least"), "literal")

    def watches(self, params: DependencyParams) -> tuple[tuple[Matcher, ...], ...]:
        """Alerts about the names and about the cluster; the catalog adds those of the service map."""
        named = tuple(matchers for name in params.services for matchers in about(name))
        return (*named, _CONTROL_PLANE) if params.control_plane else named

    async def judge(self, params: DependencyParams, seen: Seen, tools: Tools) -> Verdict:
        """Look for what fires, then at the workloads."""
        names = tuple(dict.fromkeys((*params.services, *seen.depends_on())))
        evidence: dict[str, Any] = {"depends_on": [one_line(name, 80) for name in names[:20]]}
        for what, episode in _firing(params, names, seen):
            since = ago(episode.starts_at, seen.now)
            reason = f"{what}: {one_line(episode.alertname, 100)} has been firing for {since}"
            return Verdict(self.name, Answer.DENY, one_line(reason), evidence | {"labels": _labels(episode)})
        targets = [_workload(name, seen.target) for name in params.workloads]
        for target in targets:
            found = progress(await tools.kube.get(target.place, max_age=1.0))
            evidence[str(target)] = f"{found.ready} of {found.wanted}"
            if found.ready * 100 < params.least * found.wanted or not found.wanted:
                up = f"{found.ready} of {found.wanted} pods are available" if found.wanted else "no pod is wanted"
                reason = f"it depends on {target.short}, of which {up}"
                return Verdict(self.name, Answer.DENY, one_line(reason), evidence)
        asked = [one_line(name, 60) for name in names[:5]] + [one.short for one in targets[:5]]
        what = ", ".join(asked) or "the cluster"
        return Verdict(self.name, Answer.ALLOW, one_line(f"nothing is known against {what}"), evidence)


def _firing(params: DependencyParams, names: Sequence[str], seen: Seen) -> Iterator[tuple[str, Episode]]:
    if params.control_plane:
        cluster = seen.target.partition("/")[0]
        for where in dict.fromkeys(("", cluster)):
            for one in seen.others.matching((*_CONTROL_PLANE, Matcher("cluster", "=", where))):
                yield "the cluster itself is not well", one
    for name in names:
        for matchers in about(name):
            for one in seen.others.matching((*matchers, *(params.only or ()))):
                yield f"it depends on {one_line(name, 60)}", one


def _workload(name: str, beside: str) -> Target:
    """A workload by its name, on the cluster of the target where it names none. Raises `Fault`."""
    found = parse_short(name, beside.partition("/")[0]) if name.count("/") == 1 else parse_target(name)
    if found.resource not in WORKLOADS:
        raise Fault("workloads", f"{found.short} is no workload", "a deployment, statefulset or daemonset")
    return found


def _labels(episode: Episode) -> dict[str, str]:
    return {one_line(key, 50): one_line(value, 100) for key, value in sorted(episode.labels.items())[:20]}
