"""Action `collect`: what a person would look at first, kept as evidence before a remedy changes it. It only reads."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

from pydantic import Field

from paramedic.cluster.history import kept_in
from paramedic.cluster.masking import shown
from paramedic.cluster.names import Target
from paramedic.cluster.port import Json, Kube
from paramedic.cluster.refusals import workload_target
from paramedic.cluster.resources import EVENTS, PODS
from paramedic.cluster.revisions import revisions_of, selector_of
from paramedic.cluster.telling import cut_after, cut_before, events_text, history_text, logs_of, pods_text, ready
from paramedic.cluster.writes import sealed
from paramedic.core.model import Change
from paramedic.core.text import one_line
from paramedic.core.words import Once
from paramedic.errors import Fault, Permanent, Refused, Temporary, UnknownOutcome
from paramedic.plugin import Action, Applied, Exhibit, Params, Resources, Seen, Tools

__all__ = ["Collect"]

Part = Literal["pods", "events", "rollout_history", "logs"]

_PARTS: tuple[Part, ...] = get_args(Part)
_LARGEST = 64 * 1024  # bytes of a part; there are four
_LOGS = 6
_ASKED = 8  # objects whose events are read
_PATIENCE = 4.0  # seconds for each read
_READS = 3 + _ASKED + _LOGS  # at most: workload, pods and revisions, then one by one

_ERRORS = (Temporary, Permanent, UnknownOutcome, Refused)


class CollectParams(Params):
    """What `collect` may be told."""

    of: tuple[Part, ...] = Field(_PARTS, min_length=1, max_length=4, description="what to collect, in this order")


@dataclass(frozen=True, slots=True)
class _Scene:
    """What every part begins with."""

    kube: Kube
    target: Target
    workload: Json
    pods: Sequence[Json]


class Collect(Action):
    """Keeps pods, events, rollout history and logs of a Deployment, StatefulSet or DaemonSet as evidence.

    Of logs, containers that are not ready come first, and what they said before they restarted. Each part has at most
    64 KiB; what is left out is the oldest or the least telling, and that is said. Values of environments, and whatever
    looks like a password, a token or a key, are hidden. A part that cannot be read says so, and keeps neither another
    part nor a later step from going on.
    """

    name = "collect"
    example = "collect: {of: [pods, events, rollout_history, logs]}"
    Params = CollectParams
    reads = frozenset({"kube"})
    permissions = (
        "get deployments.apps",
        "get statefulsets.apps",
        "get daemonsets.apps",
        "list pods",
        "get pods/log",
        "list events",
        "list replicasets.apps",
        "list controllerrevisions.apps",
    )
    escapes: ClassVar = {"of": "literal"}
    undone_by = "nothing: it changes nothing"
    refuses: ClassVar[tuple[str, ...]] = ("the target is not a Deployment, StatefulSet or DaemonSet",)
    timeout = _READS * _PATIENCE

    def once(self, params: CollectParams, resources: Resources) -> Once:
        """Reading twice does no harm."""
        return Once.KEY

    async def plan(self, params: CollectParams, seen: Seen, tools: Tools) -> Change:
        """What is to be read."""
        target = workload_target(seen.target)
        of = list(dict.fromkeys(params.of))
        return sealed(f"collect {', '.join(of)} of {target.short}", {"of": of})

    async def apply(self, write: Mapping[str, Any], key: str, seen: Seen, tools: Tools) -> Applied:
        """Read part after part."""
        target = workload_target(seen.target)
        try:
            workload = await tools.kube.get(target.place, max_age=1.0, timeout=_PATIENCE)
            pods = await tools.kube.list(
                target.place.beside(PODS), labels=selector_of(workload), max_age=1.0, timeout=_PATIENCE
            )
        except _ERRORS as error:
            return Applied(f"nothing of {target.short} could be read: {error}", {})
        scene = _Scene(tools.kube, target, workload, pods)
        exhibits, told = [], {"ready": f"{sum(ready(pod) for pod in pods)} of {len(pods)} pods"}
        for part in write["of"]:
            try:
                exhibits.append(Exhibit(part, (await _READERS[part](scene)).encode(errors="replace")))
            except (*_ERRORS, Fault) as error:
                told[part] = one_line(f"could not be read: {error}")
        kept = ", ".join(exhibit.name for exhibit in exhibits) or "nothing"
        missing = "; ".join(f"{part} {told[part]}" for part in write["of"] if part in told)
        return Applied(
            f"collected {kept} of {target.short}" + (f"; {missing}" if missing else ""), told, tuple(exhibits)
        )

    async def observe(self, write: Mapping[str, Any], key: str, seen: Seen, tools: Tools) -> bool | None:
        """There is nothing to look at: what was read and got lost is read again."""
        return None


async def _pods(scene: _Scene) -> str:
    return cut_after(pods_text(scene.pods), _LARGEST)


async def _events(scene: _Scene) -> str:
    """Events of the workload, of its newest revisions, and of its pods, those that do not serve first."""
    revisions = await _revisions(scene) if scene.workload["kind"] == "Deployment" else ()
    waiting = sorted(scene.pods, key=ready)
    things = [scene.workload, *revisions[:2], *waiting]
    found: list[Json] = []
    for thing in things[:_ASKED]:
        uid = str(thing["metadata"]["uid"])
        place = scene.target.place.beside(EVENTS)
        found += await scene.kube.list(place, fields=f"involvedObject.uid={uid}", max_age=1.0, timeout=_PATIENCE)
    return cut_before(events_text(found), _LARGEST)


async def _rollout_history(scene: _Scene) -> str:
    revisions = revisions_of(scene.workload, await _revisions(scene))
    return cut_after(history_text(scene.workload, revisions), _LARGEST)


async def _revisions(scene: _Scene) -> Sequence[Json]:
    """The objects that keep its revisions, the newest first."""
    place = scene.target.place.beside(kept_in(scene.workload["kind"]))
    found = await scene.kube.list(place, labels=selector_of(scene.workload), max_age=1.0, timeout=_PATIENCE)
    return sorted(found, key=lambda one: str(one["metadata"].get("creationTimestamp", "")), reverse=True)


async def _logs(scene: _Scene) -> str:
    logs = logs_of(scene.pods, _LOGS)
    share = _LARGEST // max(1, len(logs)) - 300
    texts = []
    for log in logs:
        place = scene.target.place.beside(PODS, log.pod)
        try:
            raw = await scene.kube.logs(
                place, container=log.container, previous=log.previous, most=share, timeout=_PATIENCE
            )
            said = cut_before(shown(raw).strip() or "(nothing)", share)
            newest = f", the newest {len(raw)} bytes" if len(raw) >= share else ""
            texts.append(f"== {one_line(str(log), 200)}{newest}\n{said}\n")
        except _ERRORS as error:
            texts.append(f"== {one_line(str(log), 200)}: could not be read: {one_line(str(error))}\n")
    return "\n".join(texts) or "no container has said anything"


_READERS: Mapping[str, Callable[[_Scene], Awaitable[str]]] = {
    "pods": _pods,
    "events": _events,
    "rollout_history": _rollout_history,
    "logs": _logs,
}
