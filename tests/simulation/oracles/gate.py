"""Promise 5: immediately before every write switch, modes, fence and "does it still fire" are read again."""

import re
from collections.abc import Sequence
from typing import Any

from paramedic.core.model import Alert
from tests.simulation.estate import PAIR
from tests.simulation.listening import Written
from tests.simulation.oracles.scene import SLACK, Commit, Oracle
from tests.simulation.processes import Process

__all__ = ["Gate"]

_LABEL = re.compile(r'(\w+)="([^"]*)"')

_ON_ITS_WAY = 0.05
"""Seconds that a write may take to arrive: what its process has committed by then, it knew when it let it go."""

_FRESH = 10.0
"""Seconds for which the guards' answers are good enough to write by."""


class Gate(Oracle):
    """What the world looked like at the moment of each write."""

    promise = 5

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self.cleared: dict[int, float] = {}  # incident → since when nothing of it fires
        self.judged: dict[tuple[int, int], float] = {}
        self.approved: dict[tuple[int, int], set[str]] = {}  # run → who has approved what it plans now
        self.planned: dict[tuple[int, int], str] = {}
        self.last_commit: dict[Process, float] = {}
        self.told: dict[tuple[str, str], Alert] = {}  # each alert as some process was last told of it

    def sent(self, source: str, alerts: Sequence[Alert]) -> None:
        self.told.update(((source, one.identity), one) for one in alerts)

    def committed(self, commit: Commit) -> None:
        now = self.scene.now
        for row in commit.batch.incidents:
            if not self.scene.owns(commit.process, row.id, 0.0):
                self.broken(f"INC-{row.id} is written by process {commit.process.number}, which was taken over")
            if self.scene.incidents[row.id].get("firing", {}).get("open", 0):
                self.cleared.pop(row.id, None)
            else:
                self.cleared.setdefault(row.id, now)
        for incident, event in commit.events:
            if event["event"] == "judged":
                self.judged[incident, event["run"]] = now
            elif event["event"] == "acted" and event["what"] == "approve":
                self.approved.setdefault((incident, event.get("run") or 0), set()).add(event["who"])
            elif event["event"] == "planned" and "change" in event:
                self._plans((incident, event["run"]), event["change"].get("digest", ""))

    def _plans(self, run: tuple[int, int], digest: str) -> None:
        """What was approved was another plan, unless this is the same."""
        if self.planned.get(run) != digest:
            self.approved.pop(run, None)
        self.planned[run] = digest

    def _told_again(self, incident: int) -> bool:
        """Whether some process was told that an alert of this incident fires, though that is not committed yet."""
        labels = _LABEL.findall(self.scene.incidents[incident]["key"])
        return any(
            one.firing and all(one.labels.get(name) == value for name, value in labels) for one in self.told.values()
        )

    def written(self, write: Written) -> None:
        if write.on == "bell" or write.process is None or write.late:
            return
        incident, run = (int(part) for part in write.key.removeprefix("INC-").split("/")[:2])
        modes = self.scene.modes_since(write.at - SLACK)
        if modes == {"freeze"}:
            self.broken(f"{write.path} at {write.at}, and the switch is at freeze")
        if not self.scene.owns(write.process, incident, SLACK):
            self.broken(f"{write.path} at {write.at} by process {write.process.number}, which may not write any more")
        if write.key.count("/") > 3:
            return  # it takes our own change back
        asked = self.scene.incidents[incident]["rule"] == "asked"
        if "auto" not in modes or asked:
            enough = 2 if asked and PAIR in write.path else 1
            people = self.approved.get((incident, run), ())
            if len(people) < enough or not modes & {"approve", "auto"}:
                self.broken(
                    f"{write.path} at {write.at}, and the switch is at {sorted(modes)}, approved by {len(people)}"
                )
        cleared = self.cleared.get(incident)
        if cleared is not None and write.at - cleared > _ON_ITS_WAY and not self._told_again(incident):
            self.broken(f"{write.path} at {write.at}, and nothing fires since {cleared}")
        age = write.at - self.judged.get((incident, run), -1e9)
        if age > _FRESH + SLACK:
            self.broken(f"{write.path} at {write.at}, judged {age:.1f}s before")
