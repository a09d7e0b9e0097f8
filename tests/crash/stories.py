"""The stories that are told while the process is killed: rehearsals in `stories/`, and what happens beside them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from paramedic.catalog.load import Loaded
from paramedic.core.bundle import Bundle
from paramedic.rehearse.cluster.spec import Hand
from paramedic.rehearse.files import read_rehearsals
from paramedic.rehearse.script import Script
from tests.rehearse.staged import plugins

__all__ = ["Beside", "Story", "stories"]

FOLDER = Path(__file__).parent / "stories"


@dataclass(frozen=True)
class Beside:
    """What happens beside a rehearsal and cannot be said in one.

    `stops` is when the process is stopped as one stops it; `adopts` when another bundle is adopted, a moment or a
    point; `hand` a point, and what somebody changes on the cluster there; `latency` what a request takes, if unusual.
    `neighbour` is when another member comes and when it dies; `restored`: the database is older than what is known.
    """

    stops: float | None = None
    adopts: float | str | None = None
    hand: tuple[str, Hand] | None = None
    latency: float = 0.0
    neighbour: tuple[float, float] | None = None
    restored: bool = False


@dataclass(frozen=True)
class Story:
    """A rehearsal, the bundle it is about, another version of it, and what happens beside."""

    script: Script
    bundle: Bundle
    other: Bundle
    beside: Beside = field(default_factory=Beside)

    @property
    def name(self) -> str:
        """What it tells."""
        return self.script.rehearsal


BESIDE: Mapping[str, Beside] = {
    "It is stopped in the middle of a write, as one stops it, and started again": Beside(stops=3.0),
    "Another member comes, and dies": Beside(neighbour=(0.5, 200.0)),
    "A database that was put back is frozen until a person opens it": Beside(restored=True),
    "The catalog is changed while it runs": Beside(adopts=30.0),
    "The catalog is changed while it starts": Beside(adopts="engine.recovery:recover:store.recover:after"),
    "A slow cluster, and somebody changes something between the trial of a write and the write": Beside(
        hand=(
            "cluster.writes:guarded_write:kube.patch#2:before",
            Hand(edit="deployment/worker.shop", patch={"spec": {"minReadySeconds": 1}}),
        ),
        latency=0.6,
    ),
    "Somebody sets another number before it is there": Beside(
        hand=("engine.perform:Performer._check:check.ask#2:before", Hand(edit="deployment/worker.shop", replicas=4))
    ),
}


@cache
def stories() -> Mapping[str, Story]:
    """All of them, by name."""
    found: dict[str, Story] = {}
    for path in sorted(FOLDER.glob("*.test.yaml")):
        text = path.read_text()
        read = [read_rehearsals(path.name, some, plugins(), load_nothing) for some in (text, f"# another\n{text}")]
        assert not read[0].faults, [str(fault) for fault in read[0].faults]
        for one, other in zip(read[0].rehearsals, read[1].rehearsals, strict=True):
            name = one.script.rehearsal
            found[name] = Story(one.script, one.bundle, other.bundle, BESIDE.get(name, Beside()))
    assert BESIDE.keys() <= found.keys(), BESIDE.keys() - found.keys()
    return found


def load_nothing() -> Loaded:
    """Every file of stories has its rules in it."""
    raise AssertionError("a file of stories without rules")
