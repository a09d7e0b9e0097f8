"""What came of a story, in virtual time (`stage`) or by processes (`trials`): what `compare` compares."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from paramedic.core.decision import Entry
from paramedic.core.model import Incident
from paramedic.core.words import Once

__all__ = ["Came", "Sent"]


@dataclass(frozen=True)
class Sent:
    """A request that arrived: where, what, under which key; `did` is whether it took effect."""

    endpoint: str
    method: str
    path: str
    key: str
    did: bool


@dataclass(frozen=True)
class Came:
    """What came of it: what is stored, what reached the world, what is `left` to do, counted by table.

    `lives` are the points that each process has passed, in order; `killed` is how many died where they were to.

    `flying` is what protected the writes whose intent was kept and whose outcome was not, at the moment of a kill.
    """

    lives: Sequence[Sequence[str]]
    killed: int
    incidents: Mapping[int, Incident]
    entries: Mapping[int, Sequence[Entry]]
    requests: Sequence[Sent]
    posts: Sequence[str]
    left: Mapping[str, int]
    flying: frozenset[Once]
