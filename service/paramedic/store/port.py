"""What the engine asks of a store: one batch, one commit; and what it reads back. Shapes only.

`postgres` is production, `memory` the rehearsal's; one contract suite runs against both.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from paramedic.core.model import Episode
from paramedic.core.words import Mode

__all__ = [
    "Batch",
    "BundleRow",
    "ChangeRow",
    "Committed",
    "DeliveryRow",
    "Doubtful",
    "EffectRow",
    "EventRow",
    "EvidenceRow",
    "Fenced",
    "HoldRow",
    "IncidentRow",
    "Recovered",
    "RejectedRow",
    "Store",
    "Switch",
    "TimelineRow",
    "TimerRow",
    "UseRow",
]


class Fenced(Exception):
    """Another member has taken over: nothing was written, and nothing more may be."""


class Doubtful(Exception):
    """The commit failed, or its answer never came. Memory may be ahead of the store: drop it and reload."""


@dataclass(frozen=True, slots=True)
class Switch:
    """The global switch: the mode somebody set, until when, why. `version` counts the changes."""

    mode: Mode = Mode.AUTO
    until: datetime | None = None
    who: str = ""
    reason: str = ""
    at: datetime | None = None
    version: int = 0


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A delivery as it came. `routed` false: journalled alone, to be routed by a later commit."""

    id: int
    at: datetime
    source: str
    body: bytes
    routed: bool


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """Something that was sent and could not be used: a whole body, or one element of a delivery."""

    id: int
    at: datetime
    source: str
    reason: str
    body: bytes


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """An incident: what lists and searches read as columns, and its whole state."""

    id: int
    shard: int
    key: str
    source: str
    title: str
    severity: str
    phase: str
    rule: str
    opened_at: datetime
    updated_at: datetime
    version: int
    events: int
    entries: int
    head: bytes
    state: bytes
    open: bool
    new: bool


@dataclass(frozen=True, slots=True)
class EventRow:
    """A recorded event. `done` false: it waits in the inbox (for another member, or because its fold raised)."""

    incident: int
    seq: int
    at: datetime
    body: bytes
    done: bool = True


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """The entries of one decision as a JSON list, chained by hash. `seq` is the number of the first."""

    incident: int
    seq: int
    at: datetime
    body: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class EffectRow:
    """An effect that waits (`intended` false) or may be under way until `until`."""

    incident: int
    n: int
    shard: int
    lane: str
    body: bytes
    intended: bool = False
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class TimerRow:
    """A timer."""

    incident: int
    n: int
    shard: int
    due: datetime
    name: str


@dataclass(frozen=True, slots=True)
class HoldRow:
    """An exclusive scope, held by a run until the run lets go."""

    scope: str
    incident: int
    run: int
    at: datetime


@dataclass(frozen=True, slots=True)
class UseRow:
    """One use of a limited scope (a budget, a cooldown)."""

    scope: str
    at: datetime
    incident: int
    run: int


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """A piece of evidence by its digest."""

    digest: str
    name: str
    body: bytes


@dataclass(frozen=True, slots=True)
class BundleRow:
    """A bundle: its sources (file name → text) as JSON, by hash."""

    hash: str
    at: datetime
    body: bytes


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A change that was reported: of a workload (`target`, canonical), or of a `service` wherever `target` is a place.

    A place is CLUSTER/NAMESPACE, CLUSTER, or empty for anywhere.
    """

    target: str
    service: str
    version: str
    at: datetime
    url: str
    who: str


@dataclass(slots=True)
class Batch:
    """Everything one commit writes. The turn fills it; the store writes all of it or nothing."""

    deliveries: list[DeliveryRow] = field(default_factory=list)
    routed: list[int] = field(default_factory=list)
    rejected: list[RejectedRow] = field(default_factory=list)
    episodes: list[Episode] = field(default_factory=list)
    incidents: list[IncidentRow] = field(default_factory=list)
    events: list[EventRow] = field(default_factory=list)
    events_done: list[tuple[int, int]] = field(default_factory=list)
    timeline: list[TimelineRow] = field(default_factory=list)
    effects: list[EffectRow] = field(default_factory=list)
    intents: list[tuple[int, int, datetime]] = field(default_factory=list)
    effects_gone: list[tuple[int, int]] = field(default_factory=list)
    timers: list[TimerRow] = field(default_factory=list)
    timers_gone: list[tuple[int, int]] = field(default_factory=list)
    holds: list[HoldRow] = field(default_factory=list)
    holds_gone: list[str] = field(default_factory=list)
    uses: list[UseRow] = field(default_factory=list)
    evidence: list[EvidenceRow] = field(default_factory=list)
    switch: Switch | None = None


@dataclass(frozen=True, slots=True)
class Committed:
    """What a commit brought back: the switch as it stands in the store, and the store's time."""

    switch: Switch
    now: datetime


@dataclass(frozen=True, slots=True)
class Recovered:
    """All that a new member needs: the open incidents of its shards and what hangs on them."""

    incidents: Sequence[IncidentRow]
    effects: Sequence[EffectRow]
    timers: Sequence[TimerRow]
    inbox: Sequence[EventRow]
    todo: Sequence[DeliveryRow]
    holds: Sequence[HoldRow]
    uses: Sequence[UseRow]
    switch: Switch
    now: datetime


class Store(Protocol):
    """The engine's store."""

    async def join(self) -> int:
        """Become a member: fence those that are gone, own the shards. Returns the member id.

        Waits (bounded by the caller) while another member lives.
        """
        ...

    async def recover(self, *, uses_since: datetime) -> Recovered:
        """Read what the fenced members left. Only after `join`."""
        ...

    async def commit(self, batch: Batch) -> Committed:
        """Write the batch in one statement, fenced. Raises `Fenced` or `Doubtful`."""
        ...

    async def episodes(self, identities: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Episode]:
        """The latest episodes of these (source, identity) pairs; unknown ones are absent."""
        ...

    async def episodes_of(self, incident: int) -> Sequence[Episode]:
        """The open or doubted episodes of an incident."""
        ...

    async def open_episodes(self, alertnames: Sequence[str] | None) -> Sequence[Episode]:
        """All open episodes with one of these alertnames (None: any)."""
        ...

    async def incident_numbers(self, blocks: int) -> Sequence[range]:
        """Fresh blocks of incident numbers."""
        ...

    async def switch(self) -> Switch:
        """The switch, read now."""
        ...

    async def bundle(self, hash_: str | None) -> BundleRow | None:
        """The bundle with this hash; None: the one the pointer names."""
        ...

    async def adopt(self, bundle: BundleRow, expected: str | None) -> bool:
        """Keep the bundle and move the pointer from `expected` to it; False if somebody else moved it first."""
        ...

    async def alive(self) -> bool:
        """Whether this member may still write: its lease is not about to run out, or could be renewed just now."""
        ...

    async def leave(self) -> None:
        """Give the shards up: the next member need not wait for the lease."""
        ...
