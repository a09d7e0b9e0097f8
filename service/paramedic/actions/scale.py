"""Action `scale`: another number of pods, for good or for a while, by whoever sets that number. Runs in slots.

The number is patched on the object itself, not on its `scale` subresource: only there can the annotation with our key
go along in the same write, and only its own fields can be compared in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, floor
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from paramedic.cluster.names import Target
from paramedic.cluster.ownership import annotation, mode_of, scaler_of
from paramedic.cluster.port import Json, Kube
from paramedic.cluster.quotas import no_headroom
from paramedic.cluster.refusals import ALLOW_DOWNTIME, against_write, downtime_allowed, paused, refuse, workload_target
from paramedic.cluster.resources import DAEMON_SETS, HPAS, PODS, QUOTAS, Place
from paramedic.cluster.revisions import selector_of
from paramedic.cluster.rollout import rolling, wanted_of
from paramedic.cluster.scaling import keda_of, only_ours, set_by, unschedulable
from paramedic.cluster.writes import RUN, carries, guarded_write, heard, planned, said_of, sealed, wrote
from paramedic.core.model import Change
from paramedic.core.words import Mode, Once
from paramedic.durations import Duration, say_duration
from paramedic.errors import Changed, Missing, Permanent, Refused
from paramedic.plugin import Action, Applied, Params, Resources, Seen, Tools

__all__ = ["Scale"]

_SOON = 1.0


class ScaleParams(Params):
    """What `scale` may be told: the number wanted in one of three ways, and how far it may go."""

    to: int | None = Field(None, ge=0, le=10_000, description="so many replicas at least; with `down`, exactly so many")
    by: int | None = Field(None, ge=1, le=10_000, description="so many more than there are")
    factor: float | None = Field(None, gt=1, le=100, description="so many times as many as there are, rounded up")
    max: int = Field(ge=1, le=10_000, description="never more than this")
    max_factor: float = Field(2.0, gt=1, le=100, description="never more than so many times the present number")
    raise_max: bool = Field(False, description="raise maxReplicas of an autoscaler too where needed, up to `max`")
    down: bool = Field(False, description="with `to`: also to fewer than there are")
    allow_downtime: bool = Field(False, description="with `to: 0` and `down`: none may be left")
    for_: Duration = Field(
        0.0,
        alias="for",
        le=7 * 86400,
        description="for how long at least, and until the alert has cleared; 0: for good",
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if sum(given is not None for given in (self.to, self.by, self.factor)) != 1:
            raise ValueError("one of to, by and factor is needed; write for example by: 2")
        if self.to is not None and self.to > self.max:
            raise ValueError(f"to: {self.to} is more than max: {self.max}; raise max, or lower to")
        if self.factor is not None and self.factor > self.max_factor:
            raise ValueError(f"factor: {self.factor:g} is more than max_factor: {self.max_factor:g}; raise max_factor")
        if self.down and self.to is None:
            raise ValueError("down goes with to; by and factor always mean more")
        return self


@dataclass(frozen=True, slots=True)
class _Found:
    """What a plan has read: the workload, the number that it is to have now, and what scales it, if anything does."""

    target: Target
    workload: Json
    now: int
    hpa: Json | None

    @property
    def most(self) -> Mode | None:
        """The highest mode that both objects allow."""
        modes = [mode_of(self.workload), mode_of(self.hpa) if self.hpa is not None else None]
        return Mode.lowest(*modes) if any(mode is not None for mode in modes) else None


class Scale(Action):
    """Gives a Deployment or StatefulSet another number of pods: `to`, `by` or `factor`, within `max` and `max_factor`.

    Where a HorizontalPodAutoscaler scales it, the autoscaler's minReplicas is raised instead, and its maxReplicas only
    with `raise_max`; fewer pods are then the autoscaler's own decision. With `for` the change is taken back after that
    time, once the alert has cleared, if the number is still the one that was set; otherwise it stays, and it is told
    who changed it.
    """

    name = "scale"
    example = "scale: {by: 2, max: 10, for: 30m}"
    Params = ScaleParams
    reads = frozenset({"kube"})
    writes = frozenset({"kube"})
    permissions = (
        "get deployments.apps",
        "get statefulsets.apps",
        "patch deployments.apps",
        "patch statefulsets.apps",
        "list horizontalpodautoscalers.autoscaling",
        "get horizontalpodautoscalers.autoscaling",
        "patch horizontalpodautoscalers.autoscaling",
        "list pods",
        "list resourcequotas",
    )
    escapes: ClassVar = dict.fromkeys(("max", "max_factor", "raise_max", "down", "allow_downtime"), "literal")
    undone_by = "the number of before, if nobody has changed ours since"
    refuses: ClassVar[tuple[str, ...]] = (
        "the target is not a Deployment or StatefulSet, or is not there",
        "it is a DaemonSet: its nodes decide how many pods it has",
        "it is being deleted",
        "it, or its autoscaler, opted out: the annotation paramedic/mode says off, or nothing that we know",
        "it, or its autoscaler, is kept by somebody else: Argo CD, Flux, an operator",
        "its annotations leave no room for ours",
        "its rollouts are paused",
        "a rollout is under way, or has stalled",
        "somebody has scaled it to zero",
        "KEDA keeps its autoscaler: that would take the change back",
        "max, max_factor or the autoscaler's maxReplicas (without raise_max) allow no more",
        "fewer pods are asked for, and an autoscaler decides that",
        "none is to be left, without allow_downtime",
        "pods of it cannot be placed on any node: more would wait as well",
        "a quota of its namespace has no room for more pods",
    )

    def once(self, params: ScaleParams, resources: Resources) -> Once:
        """The server compares uid, generation and the number that is replaced."""
        return Once.CAS

    async def plan(self, params: ScaleParams, seen: Seen, tools: Tools) -> Change:
        """The number to set, absolute. Raises `Refused` with the reason."""
        found = await _found(seen, tools.kube)
        refuse((against_write(found.workload), paused(found.workload), rolling(found.workload), _at_zero(found)))
        if found.hpa is not None:
            refuse((_kept_by_keda(found.hpa), _of_hpa(against_write(found.hpa)), _fewer(params, found.now)))
        number = _number(params, found)
        if reason := _as_wanted(params, found, number):
            return sealed(f"{found.target.short} {reason}", {"replicas": found.now}, most=found.most, needed=False)
        if number > found.now:
            await _refuse_without_room(found, number - found.now, tools.kube)
        elif number == 0 and not downtime_allowed(found.workload, params.allow_downtime):
            raise Refused(f"none would be left; allow_downtime, or the annotation {ALLOW_DOWNTIME} on it, allows that")
        return _plan(params, found, number)

    async def apply(self, write: Mapping[str, Any], key: str, seen: Seen, tools: Tools) -> Applied:
        """Set the number, or take ours back."""
        target = workload_target(seen.target)
        place = _place(target, write)
        if "ours" in write:
            return await _take_back(tools.kube, place, write, key)
        if place != target.place:
            heard(await tools.kube.get(target.place), write["said_by_workload"], target.place)
        after = await guarded_write(tools.kube, place, write, key)
        fields = {field: after["spec"].get(field) for field in write["sets"]}
        odd = {field: value for field, value in fields.items() if value != write["sets"][field]}
        summary = f"{target.short} is to have {write['replicas']} replicas"
        if odd:
            summary += "; the cluster made " + ", ".join(f"{field} {value} of it" for field, value in odd.items())
        return Applied(summary, fields)

    async def observe(self, write: Mapping[str, Any], key: str, seen: Seen, tools: Tools) -> bool | None:
        """Whether the object carries our key, or has the number that was taken back."""
        place = _place(workload_target(seen.target), write)
        if "ours" not in write:
            return await wrote(tools.kube, place, write, key)
        try:
            present = await tools.kube.get(place)
        except Missing:
            return True
        return carries(present, key) or _gone(present, write) or _has(present, write["sets"])


async def _found(seen: Seen, kube: Kube) -> _Found:
    target = workload_target(seen.target)
    if target.resource is DAEMON_SETS:
        raise Refused(f"{target.short} is a DaemonSet: its nodes decide how many pods it has")
    age = _SOON if seen.run.attempt == 1 else 0.0
    workload = await kube.get(target.place, max_age=age)
    hpas = await kube.list(target.place.beside(HPAS), max_age=age)
    return _Found(target, workload, wanted_of(workload), scaler_of(workload, hpas))


def _at_zero(found: _Found) -> str:
    return "somebody has scaled it to zero, which only somebody can take back" if found.now == 0 else ""


def _kept_by_keda(hpa: Json) -> str:
    keda = keda_of(hpa)
    return f"KEDA keeps its autoscaler (ScaledObject {keda}), and would take our change back" if keda else ""


def _of_hpa(reason: str) -> str:
    return f"its autoscaler: {reason}" if reason else ""


def _fewer(params: ScaleParams, now: int) -> str:
    fewer = params.down and params.to is not None and params.to < now
    return "an autoscaler scales it, and decides itself when fewer will do" if fewer else ""


def _number(params: ScaleParams, found: _Found) -> int:
    """The number of replicas to set. Raises `Refused` where what bounds it leaves nothing to do."""
    bounds = [(params.max, f"max is {params.max}")]
    most = max(1, floor(found.now * params.max_factor))
    bounds.append((most, f"max_factor {params.max_factor:g} makes {most} the most of {found.now}"))
    if found.hpa is not None and not params.raise_max:
        most = int(found.hpa["spec"]["maxReplicas"])
        bounds.append((most, f"maxReplicas of its autoscaler is {most}, without raise_max"))
    ceiling, why = min(bounds, key=lambda bound: bound[0])
    if params.to is not None:
        if params.to > max(ceiling, found.now):
            raise Refused(f"{params.to} replicas are too many: {why}")
        return params.to
    if found.now >= ceiling:
        raise Refused(f"it has {found.now} replicas already, and {why}")
    more = found.now + params.by if params.by is not None else ceil(found.now * (params.factor or 1.0))
    return min(more, ceiling)


def _as_wanted(params: ScaleParams, found: _Found, number: int) -> str:
    """Why nothing needs to be written; empty if something does."""
    if number == found.now or (number < found.now and not params.down):
        return f"has {found.now} replicas already" + (f", {number} are wanted" if number != found.now else "")
    if found.hpa is not None and number <= (least := _least(found.hpa)):
        return f"is to have {least} replicas at least already, says its autoscaler"
    return ""


async def _refuse_without_room(found: _Found, more: int, kube: Kube) -> None:
    place = found.target.place
    pending = await kube.list(
        place.beside(PODS), labels=selector_of(found.workload), fields="status.phase=Pending", max_age=_SOON
    )
    refuse([unschedulable(pending)])
    quotas = await kube.list(place.beside(QUOTAS), max_age=_SOON)
    refuse([no_headroom(found.workload, more, quotas)])


def _plan(params: ScaleParams, found: _Found, number: int) -> Change:
    """The write, what was before, and how it is taken back."""
    hpa = found.hpa
    thing = found.workload if hpa is None else hpa
    sets, before = {"replicas": number}, {"replicas": found.now}
    if hpa is not None:
        sets, before = {"minReplicas": number}, {"minReplicas": _least(hpa)}
        if number > (most := int(hpa["spec"]["maxReplicas"])):
            sets["maxReplicas"], before["maxReplicas"] = number, most
    where = {"of": thing["kind"], "name": thing["metadata"]["name"]}
    write = planned(thing, _replacing(before, sets, thing)) | where | {"sets": sets, "replicas": number, **sets}
    if hpa is not None:
        write["said_by_workload"] = said_of(found.workload)
    undo = {"uid": thing["metadata"]["uid"], "generation": None, "change": _replacing(sets, before, None)}
    undo |= where | {"sets": before, "ours": sets, "replicas": found.now}
    through = "" if hpa is None else f", by its autoscaler: {_said(before, sets)}"
    lasting = f", for {say_duration(params.for_)}" if params.for_ else ""
    summary = f"scale {found.target.short}: {found.now} → {number} replicas{through}{lasting}"
    prior = {"replicas": found.now, **before}
    return sealed(summary, write, prior=prior, undo=undo, most=found.most, lasts=params.for_)


def _replacing(before: Mapping[str, int], after: Mapping[str, int], thing: Json | None) -> list[Json]:
    """Compare each number with what it is believed to be, then set it. `thing` may lack one that has a default."""
    operations: list[Json] = []
    for field, value in before.items():
        path = f"/spec/{field}"
        if thing is None or field in thing["spec"]:
            operations.append({"op": "test", "path": path, "value": value})
        operations.append({"op": "add", "path": path, "value": after[field]})
    return operations


def _said(before: Mapping[str, int], after: Mapping[str, int]) -> str:
    return ", ".join(f"{field} {value} → {after[field]}" for field, value in before.items())


def _least(hpa: Json) -> int:
    return int(hpa["spec"].get("minReplicas", 1))  # the API fills in 1


def _place(target: Target, write: Mapping[str, Any]) -> Place:
    return target.place.beside(HPAS, write["name"]) if write["of"] == HPAS.kind else target.place


async def _take_back(kube: Kube, place: Place, write: Mapping[str, Any], key: str) -> Applied:
    """Set the number of before, if ours is still there. Raises `Changed` naming who has set another one.

    One that another incident has set on ours is nobody else's: `Permanent`, so that it is tried again when that one may
    have been taken back, and a person is told.
    """
    back = f"{place} is back at {_numbers(write['sets'])}"
    try:
        present = await kube.get(place)
    except Missing:
        return Applied(f"{place} is gone, and our change with it", {})
    if _gone(present, write):
        return Applied(f"{place} was replaced by another object, and our change is gone with it", {})
    if carries(present, key) or _has(present, write["sets"]):
        return Applied(f"{back} already", dict(write["sets"]))
    for field, ours in write["ours"].items():
        if (value := present["spec"].get(field)) != ours:
            words = f"{field} of {place} is {value} by now, and not the {ours} that we set"
            other = annotation(present, RUN) or key
            if other.partition("/")[0] != key.partition("/")[0] and only_ours(present, field):
                raise Permanent(f"{words}: by our own {other}")
            who = set_by(present, field)
            raise Changed(f"{words}: {who}" if who else words)
    await guarded_write(kube, place, write, key)
    return Applied(back, dict(write["sets"]))


def _gone(present: Json, write: Mapping[str, Any]) -> bool:
    return bool(present["metadata"]["uid"] != write["uid"])


def _has(present: Json, numbers: Mapping[str, int]) -> bool:
    return all(present["spec"].get(field) == value for field, value in numbers.items())


def _numbers(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{field} {value}" for field, value in numbers.items())
