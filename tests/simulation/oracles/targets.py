"""Promise 4: two runs never act on one target at once, whichever incidents they belong to."""

from typing import Any

from tests.simulation.listening import Written
from tests.simulation.oracles.scene import Commit, Oracle, target_of

__all__ = ["Targets"]

Run = tuple[int, int]


class Targets(Oracle):
    """Who acted on a target last must have ended when another run does; and a commit must have reserved it."""

    promise = 4

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self.acted: dict[str, Run] = {}
        self.ended: set[Run] = set()

    def committed(self, commit: Commit) -> None:
        for row in commit.batch.incidents:
            past = self.scene.incidents[row.id].get("past", ())
            if past != self.scene.before.get(row.id, {}).get("past", ()):
                self.ended |= {(row.id, one["n"]) for one in past}

    def written(self, write: Written) -> None:
        if write.on == "bell" or write.late:
            return  # what a stopped process was about to send leaves late: its target has to know it by then
        target, incident = target_of(write), int(write.key.split("/")[0].removeprefix("INC-"))
        active = self.scene.incidents.get(incident, {}).get("run", {}).get("n", 0)
        run = active if write.key.endswith("/expire") else int(write.key.split("/")[1])
        hold = self.scene.disk.holds.get(f"target/{target}")
        if hold is None or (hold.incident, hold.run) != (incident, run):
            self.broken(f"{write.path} was written under {write.key}, and {target} is held by {hold}")
        before = self.acted.get(target)
        if before not in (None, (incident, run)) and before not in self.ended:
            self.broken(f"{target} is written by INC-{incident}.{run}, while INC-{before[0]}.{before[1]} is at it")
        self.acted[target] = (incident, run)

    def at_rest(self) -> None:
        for hold in self.scene.disk.holds.values():
            run = self.scene.incidents.get(hold.incident, {}).get("run", {}).get("n")
            if run != hold.run:
                self.broken(f"{hold.scope} is held by a run that is over: INC-{hold.incident}.{hold.run}")
