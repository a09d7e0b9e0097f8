"""Promise 9: folding an incident's recorded events gives its stored state again, byte for byte."""

from typing import Any

import msgspec

from paramedic.core.model import Incident
from paramedic.rehearse.witness import Witness
from tests.simulation.oracles.scene import Commit, Oracle

__all__ = ["Refold"]


class Refold(Oracle):
    """The witness folds by itself what was recorded; here its answer is compared with what was stored."""

    promise = 9
    witness: Witness

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self._encoder = msgspec.json.Encoder()

    def committed(self, commit: Commit) -> None:
        for row in commit.batch.incidents:
            folded = self.witness.incidents.get(row.id)
            if self._encoder.encode(folded) != row.state:
                stored = msgspec.json.decode(row.state, type=Incident)
                if stored != folded:
                    self.broken(f"INC-{row.id} folds to {folded}\nand is stored as {stored}")

    def at_rest(self) -> None:
        for number in self.scene.disk.open.values():
            if self.scene.incidents[number].get("parked"):
                self.broken(f"INC-{number} is parked: {self.scene.incidents[number]['parked']}")
