"""What a store keeps and gives back: the rows of its tables, a whole batch of them, and what is read together.

Shapes only; `port` says what is done with them, and everybody imports them from there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from paramedic.core.model import Episode
from paramedic.core.words import Mode

__all__ = [
    "AnswerRow",
    "Batch",
    "BundleRow",
    "ChangeRow",
    "ClaimRow",
    "Committed",
    "DeliveryRow",
    "EffectRow",
    "EventRow",
    "EvidenceRow",
    "ForwardedRow",
    "HoldRow",
    "IncidentRow",
    "OpeningRow",
    "Place",
    "Recovered",
    "RejectedRow",
    "ScopeRow",
    "Standing",
    "Switch",
    "TimelineRow",
    "TimerRow",
    "UseRow",
]


@dataclass(frozen=True, slots=True)
class Switch:
    """The global switch: the mode somebody set, until when, why. `version` counts the changes."""

    mode: Mode = Mode.AUTO
    until: datetime | None = None
    who: str = ""
    reason: str = ""
    at: datetime | None = None
    version: int = 0


class DeliveryRow(msgspec.Struct, frozen=True):
    """A delivery as it came. `routed` false: journalled alone, to be routed by a later commit."""

    id: int
    at: datetime
    source: str
    body: bytes
    routed: bool


class RejectedRow(msgspec.Struct, frozen=True):
    """Something that was sent and could not be used: a whole body, or one element of a delivery."""

    id: int
    at: datetime
    source: str
    reason: str
    body: bytes


class IncidentRow(msgspec.Struct, frozen=True):
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


class OpeningRow(msgspec.Struct, frozen=True):
    """How many incidents of one source, rule and severity have begun."""

    source: str
    rule: str
    severity: str
    count: int


class EventRow(msgspec.Struct, frozen=True):
    """A recorded event. `done` false: it waits in the inbox (for another member, or because its fold raised)."""

    incident: int
    seq: int
    at: datetime
    body: bytes
    done: bool = True


class TimelineRow(msgspec.Struct, frozen=True):
    """The entries of one moment as a JSON list, chained by hash. `seq` is the number of the first."""

    incident: int
    seq: int
    at: datetime
    body: bytes
    hash: bytes


class EffectRow(msgspec.Struct, frozen=True):
    """An effect that waits (`intended` false) or may be under way until `until`."""

    incident: int
    n: int
    shard: int
    lane: str
    body: bytes
    intended: bool = False
    until: datetime | None = None


class TimerRow(msgspec.Struct, frozen=True):
    """A timer."""

    incident: int
    n: int
    shard: int
    due: datetime
    name: str


class HoldRow(msgspec.Struct, frozen=True):
    """An exclusive scope, held by a run until the run lets go."""

    scope: str
    incident: int
    run: int
    at: datetime


class UseRow(msgspec.Struct, frozen=True):
    """One use of a limited scope (a budget, a cooldown)."""

    scope: str
    at: datetime
    incident: int
    run: int


class EvidenceRow(msgspec.Struct, frozen=True):
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


class ForwardedRow(msgspec.Struct, frozen=True):
    """Input for the owner of a shard, from another member. The commit that acts on it takes it away."""

    id: int
    shard: int
    at: datetime
    body: bytes


class AnswerRow(msgspec.Struct, frozen=True):
    """What the owner answers to a forwarded question, under the question's id."""

    id: int
    at: datetime
    body: bytes


@dataclass(frozen=True, slots=True)
class ScopeRow:
    """A scope as it stands: who holds it, who used it when, and the version that a claim must have seen."""

    name: str
    version: int
    holds: Sequence[HoldRow]
    uses: Sequence[UseRow]


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """What one run wants at once, all or nothing: `seen` is the version of every scope it was decided by."""

    n: int
    seen: Mapping[str, int]
    holds: Sequence[HoldRow]
    uses: Sequence[UseRow]


@dataclass(frozen=True, slots=True)
class Place:
    """Where an incident is: its shard, and whether it is open."""

    shard: int
    open: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """Who lives, with their shards; who is gone and not fenced yet; shards that nobody who lives or is gone owns.

    `waiting`: how many rows are forwarded and not acted on, at most 10,000.
    """

    living: Mapping[int, Sequence[int]]
    gone: Sequence[int]
    orphans: Sequence[int]
    waiting: int = 0


@dataclass(slots=True)
class Batch:
    """Everything one commit writes. The turn fills it; the store writes all of it or nothing.

    `given` are shards that go to another member (shard, member): what hangs on them is that member's from then on.
    `tell`: other members should look at once, instead of at their next regular look.
    """

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
    forwarded: list[ForwardedRow] = field(default_factory=list)
    forwarded_gone: list[int] = field(default_factory=list)
    answers: list[AnswerRow] = field(default_factory=list)
    given: list[tuple[int, int]] = field(default_factory=list)
    tell: bool = False


@dataclass(frozen=True, slots=True)
class Committed:
    """What a commit brought back: the switch as it stands in the store, and the store's time."""

    switch: Switch
    now: datetime


@dataclass(frozen=True, slots=True)
class Recovered:
    """All that a new owner needs: the open incidents of its shards and what hangs on them.

    `todo` are the deliveries that members who are gone have journalled alone.
    """

    shards: Sequence[int]
    incidents: Sequence[IncidentRow]
    effects: Sequence[EffectRow]
    timers: Sequence[TimerRow]
    inbox: Sequence[EventRow]
    todo: Sequence[DeliveryRow]
    holds: Sequence[HoldRow]
    uses: Sequence[UseRow]
    switch: Switch
    now: datetime
