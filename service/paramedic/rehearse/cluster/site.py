"""What all controllers of one simulated cluster share: its objects, its time, its speeds, and how its pods behave.

The cluster builds one and hands it to every controller. What happens to pods is looked up here, by workload and image.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final

from paramedic.cluster.port import Json
from paramedic.cluster.resources import DEPLOYMENTS, EVENTS, REPLICA_SETS, Resource
from paramedic.errors import Permanent
from paramedic.rehearse.cluster.clockwork import Clockwork
from paramedic.rehearse.cluster.server import Server
from paramedic.rehearse.cluster.storage import Storage, controller_of

__all__ = ["Behaviour", "Habit", "Site", "Speeds", "condition", "hashed", "labels_of", "pod_name"]

_LETTERS: Final = "bcdfghjklmnpqrstvwxz2456789"
"""What Kubernetes makes random names of: no vowels, so that no words come out."""

_KEPT: Final = 3600.0
"""Seconds that an Event is kept after its last count, as the API server's --event-ttl has it."""


@dataclass(frozen=True, slots=True)
class Speeds:
    """How long things take, in seconds.

    `reacts`: a controller, to what changed. `schedules`: a pod, to find its node. `starts`: a container, from then.
    `ready`: a pod, from its start until it is ready. `stops`: one that is deleted, at most. `crashes`: a broken
    container, until it ends. `backs_off`: before the first restart; each further one takes twice as long, up to
    `backs_off_most`. `scales`: how often a HorizontalPodAutoscaler looks.
    """

    reacts: float = 0.01
    schedules: float = 0.05
    starts: float = 1.0
    ready: float = 4.0
    stops: float = 2.0
    crashes: float = 1.0
    backs_off: float = 10.0
    backs_off_most: float = 300.0
    scales: float = 15.0


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a pod behaves. `ready`: after the usual time (True), after so many seconds, or never (False).

    `crash`: its containers end again and again. `pending`: no node has room for it. `logs`: what each container writes.
    """

    ready: bool | float = True
    crash: bool = False
    pending: bool = False
    logs: str = ""


@dataclass(frozen=True, slots=True)
class Habit:
    """Which pods behave so: by image (`*` for anything), namespace, their workload's name, their own; empty: any."""

    image: str
    behaviour: Behaviour
    namespace: str = ""
    workload: str = ""
    pod: str = ""

    def concerns(self, pod: Json, workload: str) -> bool:
        """Whether it is about this pod of that workload."""
        metadata = pod["metadata"]
        own = self.namespace in ("", metadata["namespace"]) and self.pod in ("", metadata["name"])
        return (
            own and self.workload in ("", workload) and fnmatchcase(pod["spec"]["containers"][0]["image"], self.image)
        )


_USUAL: Final = (
    Habit("api:bad", Behaviour(ready=False, crash=True)),
    Habit("*-bad", Behaviour(ready=False, crash=True)),
)
"""As the stages of the real control plane have it: an image that ends in -bad crashes."""


@dataclass(slots=True)
class Site:
    """One cluster's inside."""

    storage: Storage
    clockwork: Clockwork
    server: Server
    speeds: Speeds
    mark: Callable[[Resource, Json], None]
    habits: list[Habit] = field(default_factory=list)
    wants: dict[tuple[str, str], Sequence[tuple[float, int]]] = field(default_factory=dict)

    def again(self, resource: Resource, found: Json, seconds: float) -> None:
        """Let the controller look at this object again in so many seconds."""
        self.later(resource, found, seconds, lambda now: self.mark(resource, now))

    def later(self, resource: Resource, found: Json, seconds: float, act: Callable[[Json], None]) -> None:
        """Do something about this very object in so many seconds, if it is still there."""
        namespace, name, uid = (found["metadata"].get(key, "") for key in ("namespace", "name", "uid"))

        def due() -> None:
            now = self.storage.get(resource, namespace, name)
            if now is not None and now["metadata"]["uid"] == uid:
                act(now)

        self.clockwork.after(seconds, due)

    def workload_of(self, pod: Json) -> str:
        """The name of the workload that a pod belongs to in the end; empty for a pod of its own."""
        reference = controller_of(pod)
        if reference.get("kind") == REPLICA_SETS.kind:
            made_by = self.storage.get(REPLICA_SETS, pod["metadata"]["namespace"], reference["name"])
            above = controller_of(made_by) if made_by else {}
            if above.get("kind") == DEPLOYMENTS.kind:
                return str(above["name"])
        return str(reference.get("name", ""))

    def behaviour_of(self, pod: Json) -> Behaviour:
        """How this pod behaves: the first habit that fits it."""
        workload = self.workload_of(pod)
        found = (habit.behaviour for habit in (*self.habits, *_USUAL) if habit.concerns(pod, workload))
        return next(found, Behaviour())

    def tell(self, about: Json, reason: str, message: str, component: str, *, warning: bool = False) -> None:
        """Write an Event about an object; one that says the same again is counted."""
        metadata, now = about["metadata"], self.clockwork.stamp()
        namespace = metadata.get("namespace") or "default"
        digest = hashlib.sha256(f"{metadata['uid']}/{reason}/{message}".encode()).hexdigest()[:16]
        name = f"{metadata['name']}.{digest}"
        known = self.storage.get(EVENTS, namespace, name)
        if known is not None:
            again = self.storage.draft(known)
            again["count"], again["lastTimestamp"] = known["count"] + 1, now
            self.storage.save(EVENTS, again)
            return
        event = {
            "apiVersion": "v1",
            "kind": EVENTS.kind,
            "metadata": {"name": name, "namespace": namespace},
            "involvedObject": {
                "apiVersion": about["apiVersion"],
                "kind": about["kind"],
                "namespace": namespace,
                "name": metadata["name"],
                "uid": metadata["uid"],
                "resourceVersion": metadata["resourceVersion"],
            },
            "reason": reason,
            "message": message,
            "type": "Warning" if warning else "Normal",
            "count": 1,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "eventTime": None,
            "source": {"component": component},
            "reportingComponent": component,
            "reportingInstance": "",
        }
        self._forget(self.storage.add(EVENTS, event), _KEPT)

    def _forget(self, event: Json, seconds: float) -> None:
        """Let an Event go once nothing was added to it for an hour."""

        def due(now: Json) -> None:
            left = _KEPT - self.clockwork.since(now["lastTimestamp"])
            if left > 0:
                self._forget(now, left)
            else:
                self.storage.remove(EVENTS, now)

        self.later(EVENTS, event, seconds, due)

    def log(self, pod: Json, container: str, previous: bool) -> str:
        """What a container has written, or its last life. Raises `Permanent` as the API answers 400."""
        names = [one["name"] for one in pod["spec"]["containers"]]
        name = pod["metadata"]["name"]
        if not container and len(names) > 1:
            raise Permanent(f"a container name must be specified for pod {name}, choose one of: [{' '.join(names)}]")
        if container and container not in names:
            raise Permanent(f"container {container[:63]} is not valid for pod {name}")
        chosen = container or names[0]
        states = pod["status"].get("containerStatuses") or ()
        state = next((one for one in states if one["name"] == chosen), None)
        if state is None:
            raise Permanent(f'container "{chosen}" in pod "{name}" is waiting to start: ContainerCreating')
        if previous and not state["restartCount"]:
            raise Permanent(f'previous terminated container "{chosen}" in pod "{name}" not found')
        return self.behaviour_of(pod).logs or f"{chosen}: {state['image']} started\n"


def hashed(value: Json, length: int = 10) -> str:
    """A hash as Kubernetes puts it into names."""
    number = int.from_bytes(hashlib.sha256(json.dumps(value, sort_keys=True).encode()).digest()[:12])
    return _spelt(number, length)


def pod_name(base: str, number: int) -> str:
    """A name that nothing else has, as Kubernetes makes them of a base."""
    return f"{base}-{_spelt(number * 104_729 + 7_919, 5)}"


def _spelt(number: int, length: int) -> str:
    letters = []
    for _ in range(length):
        number, letter = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[letter])
    return "".join(letters)


def condition(found: Json, name: str) -> Json | None:
    """A condition in an object's status."""
    conditions: Sequence[Json] = (found.get("status") or {}).get("conditions") or ()
    return next((one for one in conditions if one["type"] == name), None)


def labels_of(found: Json) -> Mapping[str, str]:
    """An object's labels."""
    labels: Mapping[str, str] = found["metadata"].get("labels") or {}
    return labels
