"""A new template on a workload, and what its controller then leaves undone: `restart` and `roll_back` write with it.

A StatefulSet that keeps its pods in order never replaces one that is not ready, not even by the template that would
mend it (kubernetes/kubernetes#67250): it waits for that pod for ever. So the pods in the way are deleted, one at a
time, each bound to its uid. Deployments, DaemonSets and StatefulSets without an order replace such pods themselves.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from paramedic.cluster.port import Json, Kube
from paramedic.cluster.resources import PODS, Place
from paramedic.cluster.revisions import selector_of
from paramedic.cluster.rollout import condition, strategy_of
from paramedic.cluster.writes import guarded_write, wrote
from paramedic.core.text import one_line
from paramedic.errors import Changed, Missing, Permanent, Refused, Temporary

__all__ = ["Rolled", "roll_out", "rolled_out"]

Wait = Callable[[float], Awaitable[None]]

_LOOK: Final = 0.5
_HASH: Final = "controller-revision-hash"


@dataclass(frozen=True, slots=True)
class Rolled:
    """The workload after the write, the pods that were deleted for it, and why that stopped before its end."""

    workload: Json
    replaced: tuple[str, ...] = ()
    halted: str = ""


async def roll_out(kube: Kube, wait: Wait, place: Place, write: Mapping[str, Any], key: str) -> Rolled:
    """Write the template, then replace the pods in its way, each once the one before is ready.

    `settle` of the write is for how many seconds all waiting may go on. Raises what `guarded_write` raises; whatever
    goes wrong later halts, because the template is written by then.
    """
    workload = await guarded_write(kube, place, write, key)
    if not _in_order(workload):
        return Rolled(workload)
    return await _Replacing(kube, wait, place, float(write.get("settle", 0.0))).run(workload)


async def rolled_out(kube: Kube, place: Place, write: Mapping[str, Any], key: str) -> bool | None:
    """Whether the write with this key is in effect, with no pod left in its way; None where it cannot be known."""
    there = await wrote(kube, place, write, key)
    if not there:
        return there
    workload = await kube.get(place)
    if not _in_order(workload):
        return True
    unready = await _unready(kube, place, workload)
    workload = await kube.get(place)  # after the pods: one that was made meanwhile is then of a revision that is known
    return not unready or (_observed(workload) and not _old(unready, workload))


class _Replacing:
    """One round of deleting pods: what it may still wait, and what it has deleted."""

    def __init__(self, kube: Kube, wait: Wait, place: Place, seconds: float) -> None:
        self._kube, self._wait, self._place, self._left = kube, wait, place, seconds
        self._done: list[str] = []

    async def run(self, workload: Json) -> Rolled:
        while True:
            try:
                return Rolled(workload, halted=await self._all(workload), replaced=tuple(self._done))
            except (Refused, Permanent) as error:
                return Rolled(workload, tuple(self._done), one_line(f"a pod in the way was not replaced: {error}"))
            except Temporary as error:
                if not await self._may_wait():
                    words = one_line(f"whether pods are in the way cannot be seen: {error}")
                    return Rolled(workload, tuple(self._done), words)

    async def _all(self, workload: Json) -> str:
        """Delete what is in the way; why it stopped before the end."""
        if not await _unready(self._kube, self._place, workload):
            return ""
        # A controller that has not seen the new template would make the deleted pod anew from the old one.
        while not _observed(workload):
            if not await self._may_wait():
                return "its controller has not seen the new template yet, so no pod was replaced"
            workload = await self._kube.get(self._place)
        while stuck := _old(await _unready(self._kube, self._place, workload), workload):
            if self._done and not await self._ready(self._done[-1]):
                return f"{self._done[-1]} was replaced and is not ready yet; still in the way: {_names(stuck)}"
            if not await self._delete(stuck[0]):
                return f"{_names(stuck)} could not be replaced in time"
        return ""

    async def _delete(self, pod: Json) -> bool:
        name, uid = pod["metadata"]["name"], pod["metadata"]["uid"]
        place = self._place.beside(PODS, name)
        while True:
            try:
                await self._kube.delete(place, uid=uid, dry_run=True)
                await self._kube.delete(place, uid=uid)
                self._done.append(name)
                return True
            except (Missing, Changed):
                return await self._may_wait()  # somebody else was faster: look again
            except Temporary:
                if not await self._may_wait():
                    return False

    async def _ready(self, name: str) -> bool:
        """Wait until the pod that took the place of a deleted one is ready."""
        while True:
            try:
                pod = await self._kube.get(self._place.beside(PODS, name))
            except (Missing, Temporary):
                pod = None
            if pod is not None and not _ending(pod) and _is_ready(pod):
                return True
            if not await self._may_wait():
                return False

    async def _may_wait(self) -> bool:
        if self._left <= 0:
            return False
        self._left -= _LOOK
        await self._wait(_LOOK)
        return True


async def _unready(kube: Kube, place: Place, workload: Json) -> list[Json]:
    """The workload's own pods that are not ready and may be replaced, lowest number first."""
    uid = workload["metadata"]["uid"]
    _, rolling_update = strategy_of(workload)
    first = int(rolling_update.get("partition") or 0)
    found = []
    for pod in await kube.list(place.beside(PODS), labels=selector_of(workload)):
        metadata = pod["metadata"]
        ours = any(one.get("uid") == uid and one.get("controller") for one in metadata.get("ownerReferences") or ())
        if ours and _ordinal(pod) >= first and not _ending(pod) and not _is_ready(pod):
            found.append(pod)
    return sorted(found, key=_ordinal)


def _old(pods: Sequence[Json], workload: Json) -> list[Json]:
    """Those that are not of the revision that the workload is to have: the ones in the way."""
    wanted = (workload.get("status") or {}).get("updateRevision", "")
    return [pod for pod in pods if (pod["metadata"].get("labels") or {}).get(_HASH) != wanted]


def _in_order(workload: Json) -> bool:
    policy = workload["spec"].get("podManagementPolicy", "OrderedReady")
    return bool(workload["kind"] == "StatefulSet" and policy == "OrderedReady")


def _observed(workload: Json) -> bool:
    observed = (workload.get("status") or {}).get("observedGeneration", 0)
    return int(observed) >= int(workload["metadata"].get("generation", 0))


def _is_ready(pod: Json) -> bool:
    return condition(pod, "Ready")[0] == "True"


def _ending(pod: Json) -> bool:
    return bool(pod["metadata"].get("deletionTimestamp"))


def _ordinal(pod: Json) -> int:
    number = pod["metadata"]["name"].rpartition("-")[2]
    return int(number) if number.isascii() and number.isdigit() else 0


def _names(pods: Sequence[Json]) -> str:
    return ", ".join(pod["metadata"]["name"] for pod in pods[:5]) + (", …" if len(pods) > 5 else "")
