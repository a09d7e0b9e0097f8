"""What the engine asks of a store: one batch, one commit; and what it reads back. Shapes only.

`postgres` is production, `memory` the rehearsal's; one contract suite runs against both.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from paramedic.core.model import Episode
from paramedic.store.rows import (
    AnswerRow,
    Batch,
    BundleRow,
    ChangeRow,
    ClaimRow,
    Committed,
    DeliveryRow,
    EffectRow,
    EventRow,
    EvidenceRow,
    ForwardedRow,
    HoldRow,
    IncidentRow,
    OpeningRow,
    Place,
    Recovered,
    RejectedRow,
    ScopeRow,
    Standing,
    Switch,
    TimelineRow,
    TimerRow,
    UseRow,
)

__all__ = [
    "AnswerRow",
    "Batch",
    "BundleRow",
    "ChangeRow",
    "ClaimRow",
    "Committed",
    "DeliveryRow",
    "Doubtful",
    "EffectRow",
    "EventRow",
    "EvidenceRow",
    "Fenced",
    "ForwardedRow",
    "HoldRow",
    "IncidentRow",
    "OpeningRow",
    "Place",
    "Recovered",
    "RejectedRow",
    "ScopeRow",
    "Standing",
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


class Store(Protocol):
    """The engine's store."""

    async def join(self) -> int:
        """Become a member, and own the shards that nobody who lives owns. Returns the member id.

        Waits (bounded by the caller) while a member of an older version lives, which would share with nobody.
        """
        ...

    async def standing(self) -> Standing:
        """Who lives, who is gone, and who owns what, read now."""
        ...

    async def take_over(self) -> None:
        """Fence the members that are gone and own their shards, and those that nobody owns."""
        ...

    async def news(self, patience: float) -> bool:
        """Wait until another member says that it has something for us (True), or `patience` seconds are over."""
        ...

    async def recover(self, *, uses_since: datetime, but: Sequence[int] = ()) -> Recovered:
        """Read what hangs on our shards, `but` those that are in memory already. Only after `join`."""
        ...

    async def forwarded(self, shards: Sequence[int], but: Sequence[int], most: int) -> Sequence[ForwardedRow]:
        """The oldest rows forwarded to these shards, without those with the ids in `but`; at most `most`."""
        ...

    async def answers(self, ids: Sequence[int]) -> Sequence[AnswerRow]:
        """The answers to these questions that are there, each given out once."""
        ...

    async def places(self, incidents: Iterable[int]) -> Mapping[int, Place]:
        """Where these incidents are; unknown ones are absent."""
        ...

    async def storms(self, keys: Sequence[str]) -> Mapping[str, int]:
        """The incidents with these keys that are open and not resolved: the storms that are not over."""
        ...

    async def openings(self, since: datetime, shards: Sequence[int]) -> Sequence[OpeningRow]:
        """How many incidents have begun since a moment and are open, on these shards."""
        ...

    async def scopes(self, names: Sequence[str], since: datetime) -> Sequence[ScopeRow]:
        """These scopes as they stand, with their uses since a moment."""
        ...

    async def claim(self, claims: Sequence[ClaimRow]) -> Sequence[int]:
        """Take each claim whole if nothing it was decided by has changed; answers the `n` of those taken. Fenced."""
        ...

    async def forget_uses(self, before: datetime, most: int) -> int:
        """Delete the oldest uses of before a moment, at most `most`; how many there were."""
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
