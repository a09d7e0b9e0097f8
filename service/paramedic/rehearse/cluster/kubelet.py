"""Starts, probes, restarts and ends the pods of all nodes. The cluster tells it of pods that were bound or deleted.

How a pod behaves is its behaviour (`site`), or what somebody made of it since. Each step is due at a moment and bound
to the pod's uid and to its turn: whatever changes a pod's mind begins a new turn, and the steps of the old one lapse.
"""

from collections.abc import Callable
from typing import Final

from paramedic.cluster.port import Json
from paramedic.cluster.resources import PODS
from paramedic.rehearse.cluster.pods import container_status, is_ready, pod_conditions
from paramedic.rehearse.cluster.site import Behaviour, Site

__all__ = ["Kubelet"]

_NAME: Final = "kubelet"


class Kubelet:
    """Every pod's life, from the node that it is bound to until it is gone."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._moods: dict[str, Behaviour] = {}
        self._turns: dict[str, int] = {}

    def bound(self, pod: Json) -> None:
        """A pod was bound to a node: its containers start after a while."""
        self._later(pod, self._site.speeds.starts, self._start)

    def deleted(self, pod: Json) -> None:
        """A pod is to end: it is gone after a while, at the latest when its grace is over."""
        grace = float(pod["metadata"].get("deletionGracePeriodSeconds", 0))
        self._next_turn(pod)
        self._later(pod, min(grace, self._site.speeds.stops), self._end)

    def gone(self, pod: Json) -> None:
        """A pod is no more."""
        self._moods.pop(pod["metadata"]["uid"], None)
        self._turns.pop(pod["metadata"]["uid"], None)

    def become(self, pod: Json, behaviour: Behaviour) -> None:
        """From now on this pod behaves so, whatever its image says: it breaks, or heals."""
        if "deletionTimestamp" in pod["metadata"]:
            return
        self._moods[pod["metadata"]["uid"]] = behaviour
        if not pod["spec"].get("nodeName") or not pod["status"].get("containerStatuses"):
            return
        self._next_turn(pod)
        if behaviour.crash:
            self._crash(pod)
        elif behaviour.ready is False:
            self._run(pod, ready=False)
            self._unhealthy(pod)
        elif not is_ready(pod):
            self._start(pod)

    def _next_turn(self, pod: Json) -> None:
        uid = pod["metadata"]["uid"]
        self._turns[uid] = self._turns.get(uid, 0) + 1

    def _later(self, pod: Json, seconds: float, act: Callable[[Json], None]) -> None:
        uid = pod["metadata"]["uid"]
        turn = self._turns.get(uid, 0)

        def due(now: Json) -> None:
            if self._turns.get(uid, 0) == turn:
                act(now)

        self._site.later(PODS, pod, seconds, due)

    def _mood(self, pod: Json) -> Behaviour:
        return self._moods.get(pod["metadata"]["uid"]) or self._site.behaviour_of(pod)

    # -- its life -----------------------------------------------------------------------------------------------------

    def _start(self, pod: Json) -> None:
        mood, speeds = self._mood(pod), self._site.speeds
        self._run(pod, ready=False)
        if mood.crash:
            self._later(pod, speeds.crashes, self._crash)
        elif mood.ready is False:
            self._unhealthy(pod)
        else:
            self._later(pod, speeds.ready if mood.ready is True else float(mood.ready), self._become_ready)

    def _become_ready(self, pod: Json) -> None:
        self._run(pod, ready=True)

    def _run(self, pod: Json, *, ready: bool) -> None:
        now = self._site.clockwork.stamp()
        states = []
        for one in pod["spec"]["containers"]:
            was = _status_of(pod, one["name"])
            running = "running" in (was.get("state") or {})
            again = bool(was) and not running
            restarts = int(was.get("restartCount", 0)) + again
            state = was["state"] if running else {"running": {"startedAt": now}}
            states.append(container_status(one, ready, restarts, state, was.get("lastState") or {}))
        self._store(pod, states, ready)

    def _crash(self, pod: Json) -> None:
        speeds, now = self._site.speeds, self._site.clockwork.stamp()
        restarts = max(
            (int(_status_of(pod, one["name"]).get("restartCount", 0)) for one in pod["spec"]["containers"]), default=0
        )
        pause = min(speeds.backs_off * 2.0 ** min(restarts, 10), speeds.backs_off_most)
        states = []
        for one in pod["spec"]["containers"]:
            was = _status_of(pod, one["name"])
            since = (was.get("state") or {}).get("running", {}).get("startedAt", now)
            ended = {"exitCode": 1, "reason": "Error", "startedAt": since, "finishedAt": now}
            message = f"back-off {pause:g}s restarting failed container={one['name']} pod={pod['metadata']['name']}"
            waiting = {"reason": "CrashLoopBackOff", "message": message}
            count = int(was.get("restartCount", 0))
            states.append(container_status(one, False, count, {"waiting": waiting}, {"terminated": ended}))
        self._store(pod, states, ready=False)
        first = pod["spec"]["containers"][0]["name"]
        said = f"Back-off restarting failed container {first} in pod {pod['metadata']['name']}"
        self._site.tell(pod, "BackOff", said, _NAME, warning=True)
        self._later(pod, pause, self._start)

    def _unhealthy(self, pod: Json) -> None:
        said = "Readiness probe failed: HTTP probe failed with statuscode: 503"
        self._site.tell(pod, "Unhealthy", said, _NAME, warning=True)

    def _end(self, pod: Json) -> None:
        self._site.storage.remove(PODS, pod)

    def _store(self, pod: Json, states: list[Json], ready: bool) -> None:
        status = pod_conditions(pod, ready, self._site.clockwork.stamp())
        number = int(pod["metadata"]["uid"].rpartition("-")[2], 16)
        address = f"10.1.{number // 250 % 250}.{number % 250 + 1}"
        status |= {"phase": "Running", "containerStatuses": states, "podIP": address, "podIPs": [{"ip": address}]}
        status.setdefault("startTime", self._site.clockwork.stamp())
        self._site.server.set_status(PODS, pod, status)


def _status_of(pod: Json, container: str) -> Json:
    states = (pod.get("status") or {}).get("containerStatuses") or ()
    return next((one for one in states if one["name"] == container), {})
