"""Plays a plan under the eyes of all oracles, and says which promise was broken first, if one was."""

import gc
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from paramedic.core.model import Alert
from paramedic.rehearse.loop import VirtualLoop, virtually
from paramedic.rehearse.stage import Played
from paramedic.store.port import Batch
from tests.simulation.listening import Listener, Written
from tests.simulation.notices import ORDERED, Notice
from tests.simulation.oracles.budgets import Budgets
from tests.simulation.oracles.bundles import Bundles
from tests.simulation.oracles.chain import Chain
from tests.simulation.oracles.deliveries import Deliveries
from tests.simulation.oracles.doubt import Doubt
from tests.simulation.oracles.episodes import Episodes
from tests.simulation.oracles.gate import Gate
from tests.simulation.oracles.pages import Pages
from tests.simulation.oracles.refold import Refold
from tests.simulation.oracles.scene import Commit, Oracle, Scene
from tests.simulation.oracles.shadow import Shadow
from tests.simulation.oracles.storms import Storms
from tests.simulation.oracles.targets import Targets
from tests.simulation.oracles.timers import Timers
from tests.simulation.oracles.windows import Windows
from tests.simulation.oracles.writes import Writes
from tests.simulation.plan import Plan
from tests.simulation.processes import Process
from tests.simulation.stage import Replicas

__all__ = ["ORACLES", "Broken", "Verdict", "judge"]

ORACLES: tuple[type[Oracle], ...] = (
    Deliveries,
    Episodes,
    Writes,
    Targets,
    Gate,
    Timers,
    Pages,
    Chain,
    Refold,
    Bundles,
    Doubt,
    Shadow,
    Storms,
    Budgets,
    Windows,
)


class Broken(AssertionError):
    """A promise was broken."""

    def __init__(self, number: int, seen: str) -> None:
        super().__init__(f"promise {number}: {seen}")
        self.number = number


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a plan: the number of the promise that was broken (0: none; -1: it could not be played), and why."""

    promise: int = 0
    seen: str = ""
    accepted: int = 0
    events: int = 0
    writes: int = 0


class _Court(Listener):
    """Tells every oracle what it listens to."""

    def __init__(self, stage: Replicas, plan: Plan) -> None:
        self.stage = stage
        self.scene = Scene(plan, stage.clock, stage.disk, stage.owns)
        self.found: list[Broken] = []
        self.oracles = [oracle(self.scene, self._broken) for oracle in ORACLES]
        for oracle in self.oracles:
            if isinstance(oracle, Refold):
                oracle.witness = stage.witness
        self._listening = {
            name: [getattr(one, name) for one in self.oracles if getattr(type(one), name) is not getattr(Oracle, name)]
            for name in ("sent", "accepted", "committed", "written", "noticed")
        }
        self._decode = msgspec.json.Decoder().decode
        self.answered = self.events = self.writes = 0

    def _broken(self, number: int, seen: str) -> None:
        """End the play: raised here, it would only be one more defect that the engine starts over after."""
        self.found.append(Broken(number, f"at {self.scene.now:.3f}s: {seen}"))
        self.stage.stop(self.found[0])

    def sent(self, source: str, alerts: Sequence[Alert]) -> None:
        for listen in self._listening["sent"]:
            listen(source, alerts)

    def accepted(self, number: int, source: str, body: bytes, alerts: Sequence[Alert]) -> None:
        self.answered += 1
        for listen in self._listening["accepted"]:
            listen(number, source, body, alerts)

    def committed(self, process: Process, batch: Batch) -> None:
        scene = self.scene
        decode = self._decode
        for row in batch.incidents:
            scene.before[row.id] = scene.incidents.get(row.id, {})
            scene.incidents[row.id] = decode(row.state)
        if batch.switch is not None:
            scene.mode.append((scene.now, str(batch.switch.mode)))
        events = [(row.incident, decode(row.body)) for row in batch.events if row.done]
        self.events += len(events)
        commit = Commit(process, batch, events)
        for listen in self._listening["committed"]:
            listen(commit)

    def written(self, write: Written) -> None:
        self.writes += 1
        for listen in self._listening["written"]:
            listen(write)

    def noticed(self, notice: Notice) -> None:
        for listen in self._listening["noticed"]:
            listen(notice)


def judge(plan: Plan, telling: Callable[[Replicas, Listener], Listener] | None = None) -> Verdict:
    """Play it. Never raises for what goes wrong in it. `telling` may listen in front of the oracles."""
    courts: list[_Court] = []

    async def play(loop: VirtualLoop) -> Played:
        stage = Replicas(loop, plan)
        court = _Court(stage, plan)
        stage.listener = court if telling is None else telling(stage, court)
        courts.append(court)
        return await stage.play()

    collects = gc.isenabled()
    gc.disable()
    logging.disable(logging.CRITICAL)
    try:
        played = virtually(play)
    except Exception as error:  # of whatever kind: it is the result
        first = _first(error)
        return Verdict(first.number if isinstance(first, Broken) else -1, str(first) or repr(first))
    finally:
        logging.disable(logging.NOTSET)
        if collects:
            gc.enable()
    return _at_rest(courts[0], played)


def _at_rest(court: _Court, played: Played) -> Verdict:
    for oracle in court.oracles:
        oracle.at_rest()
    defects = [defect for defect in played.defects if ORDERED not in defect]
    if court.found:
        return Verdict(court.found[0].number, str(court.found[0]))
    if defects:
        return Verdict(9, f"a defect: {defects}")
    return Verdict(0, "", court.answered, court.events, court.writes)


def _first(group: BaseException) -> Any:
    return _first(group.exceptions[0]) if isinstance(group, BaseExceptionGroup) else group
