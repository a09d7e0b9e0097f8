"""Promise 11: a guard that errs or cannot know denies; a check that cannot know hands over and never undoes."""

from typing import Any

import msgspec

from tests.simulation.listening import Written
from tests.simulation.oracles.scene import SLACK, Commit, Oracle

__all__ = ["Doubt"]


class Doubt(Oracle):
    """The last answers that each run was given, and what it did with them."""

    promise = 11

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self.denied: dict[tuple[int, int], str] = {}
        self.checked: dict[tuple[int, int], str] = {}
        self.load: list[tuple[float, float | None]] = self.scene.plan.told["world"]["metrics"]["load"]

    def committed(self, commit: Commit) -> None:
        for incident, event in commit.events:
            if event["event"] == "judged":
                against = [one for one in event["verdicts"] if one["answer"] != "allow"]
                self.denied[incident, event["run"]] = str(against[0]) if against else ""
            elif event["event"] == "checked":
                self.checked[incident, event["run"]] = event["verdict"]["answer"]
        for row in commit.batch.effects:
            if row.lane == "write":
                self._asked(row.incident, msgspec.json.decode(row.body))

    def _asked(self, incident: int, effect: dict[str, Any]) -> None:
        about = (incident, effect["run"])
        if effect["purpose"] == "remedy" and self.denied.get(about, "never judged"):
            self.broken(f"INC-{incident}: a write is asked for, and a guard said {self.denied.get(about)}")
        if effect["purpose"] == "undo" and self.checked.get(about) != "fail":
            self.broken(f"INC-{incident}: a change is taken back, and its check said {self.checked.get(about)}")

    def written(self, write: Written) -> None:
        if not write.path.startswith("/drain") or write.late:
            return
        begins = write.at - 10.0 - 2 * SLACK
        values = [value for moment, value in self.load if begins < moment <= write.at]
        values += [value for moment, value in self.load if moment <= begins][-1:]
        if not any(value is not None and value > 5 for value in values):
            self.broken(f"{write.path} at {write.at}, and the load was {values}")
