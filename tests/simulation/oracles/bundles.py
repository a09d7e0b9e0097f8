"""Promise 10: a run keeps the bundle it began with, on every process."""

from typing import Any

from tests.simulation import estate
from tests.simulation.listening import Written
from tests.simulation.oracles.scene import Commit, Oracle

__all__ = ["Bundles"]


class Bundles(Oracle):
    """Each path says of which version it is; so does the first event of each incident."""

    promise = 10

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self.versions = {estate.bundle(version).hash: version for version in estate.VERSIONS}
        self.began: dict[int, str] = {}

    def committed(self, commit: Commit) -> None:
        for incident, event in commit.events:
            if event["event"] == "opened":
                self.began[incident] = self.versions[event["bundle"]]
        for row in commit.batch.incidents:
            if self.versions[self.scene.incidents[row.id]["bundle"]] != self.began.get(row.id):
                self.broken(f"INC-{row.id} has another bundle than it began with")

    def written(self, write: Written) -> None:
        if write.on in ("bell", "cluster"):
            return
        began = self.began.get(int(write.key.split("/")[0].removeprefix("INC-")), "?")
        if f"?v={began}&" not in write.path:
            self.broken(f"{write.path} left under {write.key}, which began with version {began}")
