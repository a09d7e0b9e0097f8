"""What the oracles judge: everything that was seen, as plain JSON and plain times. They never see the engine's objects.

`Oracle` is one promise under watch. It is told what happens, keeps books of its own, and says `broken` when they do not
fit the promise.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from paramedic.core.model import Alert
from paramedic.rehearse.loop import VirtualClock
from paramedic.store.memory import MemoryDisk
from paramedic.store.port import Batch
from tests.simulation.listening import Written
from tests.simulation.notices import Notice
from tests.simulation.plan import Plan
from tests.simulation.processes import Process

__all__ = ["SLACK", "Commit", "Oracle", "Scene", "target_of"]

SLACK = 2.0
"""Seconds that a reading may be old when what it allowed arrives: one for the reading, the rest for a commit."""


@dataclass(slots=True)
class Scene:
    """What every oracle may look at."""

    plan: Plan
    clock: VirtualClock
    disk: MemoryDisk
    owns: Callable[[Process, int, float], bool]  # whether a process may write for an incident, or might seconds ago
    incidents: dict[int, dict[str, Any]] = field(default_factory=dict)  # the stored state, as JSON
    before: dict[int, dict[str, Any]] = field(default_factory=dict)  # as it was before the commit that is being judged
    mode: list[tuple[float, str]] = field(default_factory=lambda: [(-1.0, "auto")])  # the switch, and since when

    @property
    def now(self) -> float:
        """Seconds since the beginning."""
        return self.clock.monotonic()

    @property
    def steady(self) -> bool:
        """Whether no process's clock is ever set."""
        return not any("jump" in one for one in self.plan.trouble)

    def modes_since(self, moment: float) -> set[str]:
        """The positions that the switch has had since a moment."""
        found = set()
        for since, mode in reversed(self.mode):
            found.add(mode)
            if since <= moment:
                break
        return found


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit, and its events as plain JSON, in order: incident, event."""

    process: Process
    batch: Batch
    events: Sequence[tuple[int, Mapping[str, Any]]]


class Oracle:
    """One promise under watch."""

    promise = 0

    def __init__(self, scene: Scene, broken: Callable[[int, str], None]) -> None:
        self.scene = scene
        self._broken = broken

    def broken(self, seen: str) -> None:
        """The promise was not kept; this was seen."""
        self._broken(self.promise, seen)

    def sent(self, source: str, alerts: Sequence[Alert]) -> None:
        """A delivery has reached a process."""

    def accepted(self, number: int, source: str, body: bytes, alerts: Sequence[Alert]) -> None:
        """A delivery has been answered 2xx."""

    def committed(self, commit: Commit) -> None:
        """The store has taken a batch."""

    def written(self, write: Written) -> None:
        """Something outside has been changed."""

    def noticed(self, notice: Notice) -> None:
        """A page or a message leaves, or has come to something."""

    def at_rest(self) -> None:
        """The trouble has long been over."""


def target_of(write: Written) -> str:
    """The one name of what a request changes."""
    if write.on == "cluster":
        return f"main/shop/deployment/{write.path}"
    return "shop/" + write.path.partition("job=")[2]
