"""Who may write a disk: members with their leases, and the shards they own. `MemoryStore` is one of them at a time."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from paramedic.core.sharing import SHARDS
from paramedic.store.port import Doubtful, Standing

__all__ = ["Member", "Members"]


@dataclass(slots=True)
class Member:
    """One member. `until` is the end of its lease; None: it is awake, and renews it all the time."""

    id: int
    until: datetime | None = None
    dead: bool = False
    fenced: bool = False
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def __deepcopy__(self, memo: object) -> "Member":
        """In the copy of a disk nobody waits for news."""
        return Member(self.id, self.until, self.dead, self.fenced)

    def gone(self, now: datetime) -> bool:
        """Whether another one may take its place."""
        return self.dead or (self.until is not None and self.until <= now)


class Members:
    """All that there have been, and who owns what."""

    def __init__(self) -> None:
        self.all: dict[int, Member] = {}
        self.owners: dict[int, int] = dict.fromkeys(range(SHARDS), 0)

    @property
    def count(self) -> int:
        """How many there have been."""
        return len(self.all)

    @property
    def writing(self) -> list[Member]:
        """Those that are not fenced."""
        return [one for one in self.all.values() if not one.fenced]

    def enter(self) -> Member:
        """A new one, without shards."""
        member = self.all[len(self.all) + 1] = Member(len(self.all) + 1)
        return member

    def take_over(self, member: Member, now: datetime, *, alone: bool) -> None:
        """Fence those that are gone (`alone`: all others), and own what nobody owns who may write."""
        if member.fenced:
            return
        for other in self.writing:
            if other is not member and (alone or other.gone(now)):
                other.fenced = True
        writing = {one.id for one in self.writing}
        for shard, owner in self.owners.items():
            if owner not in writing:
                self.owners[shard] = member.id

    def shards_of(self, *members: int) -> list[int]:
        """What these own."""
        return [shard for shard, owner in self.owners.items() if owner in members]

    def give(self, given: Iterable[tuple[int, int]], member: int) -> None:
        """Hand shards over. Raises `Doubtful` for what is not the member's to give."""
        given = list(given)
        if any(self.owners.get(shard) != member for shard, _ in given):
            raise Doubtful(f"member {member} does not own all that it gives away")
        self.owners.update(given)

    def standing(self, member: Member, now: datetime, waiting: int) -> Standing:
        """Who lives and who is gone, as one of them sees it."""
        living = [one for one in self.writing if one is member or not one.gone(now)]
        writing = {one.id for one in self.writing}
        return Standing(
            living={one.id: self.shards_of(one.id) for one in living},
            gone=[one.id for one in self.writing if one not in living],
            orphans=[shard for shard, owner in self.owners.items() if owner not in writing],
            waiting=waiting,
        )

    def tell(self, teller: Member) -> None:
        """Let the others look at once."""
        for one in self.writing:
            if one is not teller:
                one.news.set()
