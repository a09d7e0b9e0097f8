"""Promise 6: every timer fires once or is cancelled, not before its moment; in the end nothing waits for nothing."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from tests.simulation.estate import GAPS
from tests.simulation.oracles.scene import Commit, Oracle

__all__ = ["Timers"]

_LATE = 60.0
"""Seconds that a level counts at most from when the page before it was due instead of sent."""

_WAITS = {"again", "approval", "retry", "check", "held"}


class Timers(Oracle):
    """Books of every timer that was set."""

    promise = 6

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self.live: dict[tuple[int, int], datetime] = {}
        self.climbed: dict[int, datetime] = {}
        self.asked: dict[tuple[int, int], float] = {}

    def committed(self, commit: Commit) -> None:
        batch = commit.batch
        for incident, event in commit.events:
            if event["event"] == "timerfired":
                self._fired(incident, event)
            elif event["event"] == "acted" or event["event"] == "alertsseen":
                self.climbed.pop(incident, None)
        for key in batch.timers_gone:
            self.live.pop(key, None)
        self.live |= {(row.incident, row.n): row.due for row in batch.timers}
        self.asked |= {(row.incident, row.n): self.scene.now for row in batch.effects}

    def _fired(self, incident: int, event: Any) -> None:
        due = self.live.pop((incident, event["n"]), None)
        at = datetime.fromisoformat(event["at"])
        if due is None:
            self.broken(f'timer {event["n"]} "{event["name"]}" of INC-{incident} fires, and is none')
            return
        late = (at - due).total_seconds()
        if late < -0.001:
            self.broken(f'timer "{event["name"]}" of INC-{incident} fires {-late}s too early')
        if abs(late - event.get("late", 0.0)) > 0.01:
            self.broken(
                f'timer "{event["name"]}" of INC-{incident} is {late}s late, and {event.get("late")} is recorded'
            )
        if event["name"] == "climb":
            self._climbs(incident, at)

    def _climbs(self, incident: int, at: datetime) -> None:
        """However late they are, levels do not go off together."""
        before, self.climbed[incident] = self.climbed.get(incident), at
        if before is not None and (at - before).total_seconds() < min(GAPS) - _LATE:
            self.broken(f"INC-{incident} climbs a level {(at - before).total_seconds()}s after the one before")

    def _tried_later(self, temporary: Mapping[str, Any]) -> bool:
        """It could not be taken back, somebody was told of it, and it is due to be tried once more."""
        again = temporary.get("again")
        due = again is not None and datetime.fromisoformat(again) > self.scene.clock.now()
        return due and bool(temporary.get("failed")) and bool(temporary.get("told"))

    def at_rest(self) -> None:
        disk, scene = self.scene.disk, self.scene
        long_ago = scene.clock.now() - timedelta(seconds=10)
        overdue = [timer for timer in disk.timers.values() if timer.due <= long_ago]
        if overdue:
            self.broken(f"overdue: {overdue}")
        left = scene.now - 600
        waiting = [one for one in disk.effects.values() if self.asked[one.incident, one.n] < left]
        if waiting:
            self.broken(f"effects that nobody carries out: {waiting}")
        for number in disk.open.values():
            state = scene.incidents[number]
            kept = [one for one in state.get("temporaries", ()) if not self._tried_later(one)]
            if kept and not state.get("firing", {}).get("open") and scene.mode[-1][1] == "auto":
                self.broken(f"INC-{number}: never taken back: {kept}")
            if state.get("run") and not state["timers"].keys() & _WAITS:
                self.broken(f"INC-{number}: its run waits for nothing: {state['run']}")
