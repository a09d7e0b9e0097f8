"""Promise 12: shadow changes no target; people are told what would have been done."""

from tests.simulation.listening import Written
from tests.simulation.oracles.scene import Commit, Oracle

__all__ = ["Shadow"]

_RULES = ("peek", "hush")
"""One has a playbook in shadow, the other is in shadow itself."""


class Shadow(Oracle):
    """What these rules do."""

    promise = 12

    def committed(self, commit: Commit) -> None:
        for incident, event in commit.events:
            planned = event["event"] == "planned" and event.get("change", {}).get("needed", True)
            planned &= event["mode"] not in ("off", "freeze")  # then it is refused instead
            if planned and not event.get("failure") and self.scene.incidents[incident]["rule"] in _RULES:
                said = b"".join(row.body for row in commit.batch.timeline if row.incident == incident)
                if b'"kind":"shadow"' not in said and b'"kind":"late"' not in said:
                    self.broken(f"INC-{incident}: a plan in shadow, and nobody is told what it would have done")

    def written(self, write: Written) -> None:
        if write.on == "bell":
            return
        incident = int(write.key.split("/")[0].removeprefix("INC-"))
        if self.scene.incidents.get(incident, {}).get("rule") in _RULES:
            self.broken(f"{write.path} was written under {write.key}, which is in shadow")
