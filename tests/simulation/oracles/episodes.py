"""Promise 2: one episode opens once, and a run is unique by incident, playbook, target and recurrence."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from paramedic.core.model import Alert
from tests.simulation.estate import EXPIRY
from tests.simulation.oracles.scene import Commit, Oracle

__all__ = ["Episodes"]


class Episodes(Oracle):
    """An alert has no more episodes than beginnings that anybody delivered, and no more are counted as opened."""

    promise = 2

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self.began: dict[tuple[str, str], set[Any]] = {}
        self.heard: dict[tuple[str, str], list[float]] = {}
        self.beginnings = self.opened = 0

    def sent(self, source: str, alerts: Sequence[Alert]) -> None:
        for one in alerts:
            if one.firing:
                known = self.began.setdefault((one.source, one.identity), set())
                self.beginnings += one.starts_at not in known
                known.add(one.starts_at)

    def committed(self, commit: Commit) -> None:
        for episode in commit.batch.episodes:
            self._lapse(episode)
            began = len(self.began.get((episode.source, episode.identity), ()))
            if episode.count > began:
                self.broken(f"{episode.labels} has had {episode.count} episodes, and began {began} times")
        for _, event in commit.events:
            if event["event"] == "alertsseen":
                self.opened += event.get("opened", 0)
        if self.opened > self.beginnings:
            self.broken(f"{self.opened} episodes were opened, and {self.beginnings} began")
        for row in commit.batch.incidents:
            self._runs(row.id)

    def _lapse(self, episode: Any) -> None:
        """An alert is taken as over by itself only when nobody has told of it for as long as its source is given."""
        heard = self.heard.get((episode.source, episode.identity), ())
        # What has come only just may still be on its way to the incident's owner.
        age = self.scene.now - max((moment for moment in heard if moment < self.scene.now - 5.0), default=-1e9)
        if episode.closed_by == "expired" and not episode.open and age < EXPIRY - 1.0 and self.scene.steady:
            self.broken(f"{episode.labels} is taken as over, and was delivered as firing {age:.0f}s ago")

    def accepted(self, number: int, source: str, body: bytes, alerts: Sequence[Alert]) -> None:
        for one in alerts:
            if one.firing:
                self.heard.setdefault((one.source, one.identity), []).append(self.scene.now)

    def _runs(self, number: int) -> None:
        state, before = self.scene.incidents[number], self.scene.before.get(number, {})
        if state.get("past") == before.get("past") and state.get("run", {}).get("n") == before.get("run", {}).get("n"):
            return
        ran = [*state.get("past", ()), *([state["run"]] if state.get("run") else [])]
        treated = [one for one in ran if one.get("purpose") != "expire" and not _attached(one)]
        counts = Counter((one["playbook"], one["target"], one.get("recurrence", 0)) for one in treated)
        for run, times in counts.items():
            if times > 1:
                self.broken(f"INC-{number} has run {run} {times} times")


def _attached(run: dict[str, Any]) -> bool:
    """Whether its target is not known by its one name yet, or turned out to be an earlier run's."""
    attached = run.get("outcome") == "cancelled" and str(run.get("reason")).startswith("the same target as")
    return attached or run.get("stage") == "resolving"
