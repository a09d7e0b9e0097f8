"""Promise 7 while too many incidents begin at once: one parent pages for all it holds back, and nobody is forgotten."""

from datetime import datetime
from typing import Any

from tests.simulation.estate import STORM
from tests.simulation.listening import Written
from tests.simulation.notices import Notice
from tests.simulation.oracles.scene import Commit, Oracle

__all__ = ["Storms"]

_LAG = 5.0
"""Seconds after which every member that can reach the store knows what has become of a storm."""


class Storms(Oracle):
    """Books of what began when, of the parents, and of who is held back: out of recorded events and states alone."""

    promise = 7

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self.began: list[datetime] = []
        self.over: dict[int, float] = {}  # parent → when it was last seen to be over
        self.paged: set[int] = set()
        self.by_hand: set[int] = set()

    def committed(self, commit: Commit) -> None:
        for row in commit.batch.incidents:
            state = self.scene.incidents[row.id]
            if state.get("kind") == "storm":
                if state["phase"] in ("resolved", "reviewed") or not row.open:
                    self.over[row.id] = self.scene.now
                if state.get("paging", {}).get("level"):
                    self.paged.add(row.id)
        for incident, event in commit.events:
            if event["event"] == "opened" and event["rule"] == "flood" and event.get("kind") != "storm":
                self._opened(incident, event)
            elif event["event"] == "acted":
                self.by_hand.add(incident)
            elif event["event"] == "calm":
                self._calm(incident)

    def _opened(self, incident: int, event: Any) -> None:
        at = datetime.fromisoformat(event["at"])
        fresh = [one for one in self.began if 0 <= (at - one).total_seconds() < 60.0]
        self.began.append(at)
        stormed = event.get("storm") is not None
        if stormed and len(fresh) < STORM // 2:
            lasting = event["storm"] in self.scene.incidents and self._lasts(event["storm"])
            if not lasting:
                self.broken(f"INC-{incident} is held back, and only {len(fresh)} have begun in this minute")
        alone = self.scene.plan.processes == 1 and self.scene.steady and not self.over
        if alone and not stormed and len(fresh) > STORM:
            self.broken(f"INC-{incident} is not held back, though {len(fresh)} have begun in this minute")

    def _lasts(self, parent: int) -> bool:
        state = self.scene.incidents.get(parent, {})
        was = self.over.get(parent)
        return state.get("phase") not in ("resolved", "reviewed") or (was is not None and self.scene.now - was < _LAG)

    def _calm(self, incident: int) -> None:
        parent = self.scene.before.get(incident, {}).get("storm") or self.scene.incidents[incident].get("storm")
        if parent is None or parent not in self.scene.incidents:
            return
        if parent not in self.over:
            self.broken(f"INC-{incident} is to go on, and its storm INC-{parent} has never been over")

    def _held(self, incident: int) -> bool:
        state = self.scene.incidents.get(incident, {})
        return state.get("storm") is not None and not state.get("parked")

    def written(self, write: Written) -> None:
        if write.key.startswith("INC-") and write.on != "bell":
            incident = int(write.key.removeprefix("INC-").split("/")[0])
            if self._held(incident):
                self.broken(f"{write.path} at {write.at}, and a storm holds INC-{incident} back")

    def noticed(self, notice: Notice) -> None:
        if notice.state == "leaves" and self._held(notice.incident):
            self.broken(f"a {notice.kind} of INC-{notice.incident} leaves, and a storm holds it back")

    def at_rest(self) -> None:
        for number, state in self.scene.incidents.items():
            if state.get("kind") == "storm" and number not in self.paged | self.by_hand:
                self.broken(f"INC-{number} is a storm, and nobody was paged for it")
        for number in self.scene.disk.open.values():
            state = self.scene.incidents[number]
            if state.get("storm") is not None and state.get("firing", {}).get("open"):
                self.broken(f"INC-{number} fires, and is still held back by INC-{state['storm']}")
