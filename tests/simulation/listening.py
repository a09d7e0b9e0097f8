"""What can be seen of a simulation from outside, and how it is told: writes, commits, deliveries, pages.

The stage tells a `Listener` at the moment when it happens. The witness folds what was recorded, and tells people what
they react to; the world tells about each request that arrives.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from paramedic.core.events import Event
from paramedic.core.model import Alert
from paramedic.core.words import Stage as RunStage
from paramedic.rehearse.witness import Witness
from paramedic.rehearse.world import Request, SimulatedWorld
from paramedic.store.port import Batch
from tests.simulation.notices import Notice
from tests.simulation.processes import Process

__all__ = ["Folding", "Listener", "TellingWorld", "Written"]


@dataclass(frozen=True, slots=True)
class Written:
    """Something outside was changed, or asked to be: by whom, on what, under which key; `did`: it took effect.

    `late`: its process was stopped when it was about to leave. No service can call it back; its target has to know it.
    """

    at: float
    process: Process | None
    on: str
    path: str
    key: str
    did: bool
    late: bool


class Listener:
    """What is told of a simulation, at the moment when it happens. By default nobody listens."""

    def sent(self, source: str, alerts: Sequence[Alert]) -> None:
        """A delivery has reached a process."""

    def accepted(self, number: int, source: str, body: bytes, alerts: Sequence[Alert]) -> None:
        """A delivery has been answered 2xx."""

    def committed(self, process: Process, batch: Batch) -> None:
        """The store has taken a batch."""

    def written(self, write: Written) -> None:
        """Something outside has been changed."""

    def noticed(self, notice: Notice) -> None:
        """A page or a message leaves, or has come to something."""


class Folding(Witness):
    """The witness, telling only what people react to."""

    def _told(self, before: Any, event: Event, decision: Any) -> Any:
        if before is None:
            return
        yield from self._sent(before, getattr(event, "n", 0))
        run, was = decision.incident.run, before.run
        if run is not None and run.stage is RunStage.APPROVAL and (was is None or was.stage is not RunStage.APPROVAL):
            yield "approval", {"run": run.n}, ""


class TellingWorld(SimulatedWorld):
    """Tells about each request at the moment when it arrives."""

    told: Callable[[Request], None]

    def _arrive(self, endpoint: Any, spec: Any, answer: Any, request: Request) -> Any:
        reply = super()._arrive(endpoint, spec, answer, request)
        self.told(self.requests[-1])
        return reply
