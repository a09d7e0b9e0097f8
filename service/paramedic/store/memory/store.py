"""`Store` over a `MemoryDisk`: what `postgres` promises, without waiting.

The rehearsal makes one; the simulation makes one for each life of a process, on the same disk, and orders failures.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Literal

from msgspec.structs import replace

from paramedic.clock import Clock
from paramedic.core.model import Episode
from paramedic.core.storm import storm_key
from paramedic.core.words import Phase
from paramedic.errors import Permanent, Temporary
from paramedic.store.memory.disk import MemoryDisk
from paramedic.store.memory.members import Member
from paramedic.store.port import (
    AnswerRow,
    Batch,
    BundleRow,
    ClaimRow,
    Committed,
    Doubtful,
    Fenced,
    ForwardedRow,
    OpeningRow,
    Place,
    Recovered,
    ScopeRow,
    Standing,
    Switch,
)

__all__ = ["MemoryStore"]

NUMBERS = 100  # incident numbers to a block


class MemoryStore:
    """One member on a disk at a time.

    Without `ttl` a newer one on the same disk takes over at once: it stands for a process that has ended. With it (the
    length of the lease, seconds) several live side by side, until `die` or a `pause` longer than the lease.
    """

    def __init__(self, disk: MemoryDisk, clock: Clock, *, ttl: float | None = None) -> None:
        self._disk = disk
        self._clock = clock
        self._ttl = ttl
        self._member = Member(0, dead=True, fenced=True)
        self._ended: Fenced | Doubtful | None = Doubtful("not a member yet: join first")
        self._fail: tuple[str, Literal["before", "after"]] | None = None

    @property
    def member(self) -> int:
        """The member that it is, or was last."""
        return self._member.id

    def fail_next(self, when: Literal["before", "after"], of: str = "commit") -> None:
        """Let the next commit raise `Doubtful`: before it writes anything, or after it has written everything.

        Of another method that writes, by its name: let it raise `Temporary`, as where the database cannot be asked.
        """
        self._fail = of, when

    @property
    def failing(self) -> bool:
        """Whether a failure is ordered that has not come."""
        return self._fail is not None

    def _ordered(self, of: str) -> Literal["before", "after"] | None:
        """The failure that was ordered of this method; ordered no more."""
        if self._fail is None or self._fail[0] != of:
            return None
        (_, when), self._fail = self._fail, None
        return when

    @contextmanager
    def _failing(self, of: str) -> Iterator[None]:
        """Around what writes at once."""
        when = self._ordered(of)
        if when == "before":
            raise Temporary("the database cannot be asked, as ordered")
        yield
        if when == "after":
            raise Temporary("the database's answer was lost, as ordered")

    def die(self) -> None:
        """The process has ended, and its connections with it."""
        self._member.dead = True

    def pause(self) -> None:
        """The process does not run any more, and so does not renew its lease."""
        self._member.until = self._clock.now() + timedelta(seconds=self._ttl or 0.0)

    def wake(self) -> None:
        """The process runs again; whether its lease had ended by then is for the others to judge."""
        self._member.until = None

    async def join(self) -> int:
        """Become a member, at once, and own what nobody owns who lives. Answers the member's id."""
        self._end(Doubtful(f"member {self._member.id} was given up"))
        try:
            with self._failing("join"):
                self._member = self._disk.members.enter()
                await self.take_over()
        except Temporary:
            self._member.dead = True
            raise
        self._ended = None
        return self._member.id

    async def recover(self, *, uses_since: datetime, but: Sequence[int] = ()) -> Recovered:
        """All that is open in our shards, `but` those in memory. Raises `Fenced` or `Doubtful`."""
        self._check()
        disk = self._disk
        shards = set(disk.members.shards_of(self._member.id)) - set(but)
        writing = {one.id for one in disk.members.writing}
        return Recovered(
            shards=sorted(shards),
            incidents=[
                replace(row, new=False)
                for row in map(disk.incidents.__getitem__, disk.open.values())
                if row.shard in shards
            ],
            effects=[disk.effects[key] for key in sorted(disk.effects) if disk.effects[key].shard in shards],
            timers=[timer for timer in disk.timers.values() if timer.shard in shards],
            inbox=[
                disk.inbox[key]
                for key in sorted(disk.inbox)
                if key[0] in disk.incidents and disk.incidents[key[0]].shard in shards
            ],
            todo=[disk.todo[key] for key in sorted(disk.todo) if key >> 36 not in writing],
            holds=list(disk.holds.values()),
            uses=[use for use in disk.uses if use.at >= uses_since],
            switch=disk.switch,
            now=self._clock.now(),
        )

    async def commit(self, batch: Batch) -> Committed:
        """Write all of the batch. Raises `Fenced` or `Doubtful`, and the membership is over."""
        self._check()
        fail = self._ordered("commit")
        try:
            if fail == "before":
                raise Doubtful("the commit failed, as ordered")
            self._disk.write(batch, self._member.id)
            if batch.tell:
                self._disk.members.tell(self._member)
            if fail == "after":
                raise Doubtful("the commit's answer was lost, as ordered")
        except Doubtful as error:
            self._end(error)
            raise
        return Committed(self._disk.switch, self._clock.now())

    async def alive(self) -> bool:
        """Whether this member may still write."""
        return self._ended is None and not self._member.fenced

    # -- with other members -------------------------------------------------------------------------------------------

    async def standing(self) -> Standing:
        """Who lives, who is gone, and who owns what."""
        return self._disk.members.standing(self._member, self._clock.now(), len(self._disk.forwarded))

    async def take_over(self) -> None:
        """Fence the members that are gone and own their shards, and those that nobody owns."""
        with self._failing("take_over"):
            self._disk.members.take_over(self._member, self._clock.now(), alone=self._ttl is None)

    async def news(self, patience: float) -> bool:
        """Wait until another member has told us to look (True), or `patience` seconds are over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._member.news.wait()
        told = self._member.news.is_set()
        self._member.news.clear()
        return told

    async def forwarded(self, shards: Sequence[int], but: Sequence[int], most: int) -> Sequence[ForwardedRow]:
        """The oldest rows forwarded to these shards, without those with the ids in `but`; at most `most`."""
        rows = (self._disk.forwarded[number] for number in sorted(self._disk.forwarded) if number not in but)
        return [row for row in rows if row.shard in shards][:most]

    async def answers(self, ids: Sequence[int]) -> Sequence[AnswerRow]:
        """The answers to these questions that are there, each given out once."""
        with self._failing("answers"):
            return [self._disk.answers.pop(number) for number in ids if number in self._disk.answers]

    async def places(self, incidents: Iterable[int]) -> Mapping[int, Place]:
        """Where these incidents are; unknown ones are absent."""
        known = self._disk.incidents
        return {number: Place(known[number].shard, known[number].open) for number in incidents if number in known}

    async def storms(self, keys: Sequence[str]) -> Mapping[str, int]:
        """The incidents with these keys that are open and not resolved."""
        open_, known = self._disk.open, self._disk.incidents
        over = (Phase.RESOLVED, Phase.REVIEWED)
        lasting = {key: known[open_[key]] for key in keys if key in open_}
        return {key: row.id for key, row in lasting.items() if row.phase not in over and b'"parked":"' not in row.state}

    async def openings(self, since: datetime, shards: Sequence[int]) -> Sequence[OpeningRow]:
        """How many incidents have begun since a moment and are open, on these shards."""
        begun = (self._disk.incidents[number] for number in self._disk.open.values())
        counted = Counter(
            (row.source, row.rule, row.severity)
            for row in begun
            if row.opened_at > since and row.shard in shards and row.key != storm_key(row.source)
        )
        return [OpeningRow(*what, count) for what, count in sorted(counted.items())]

    async def scopes(self, names: Sequence[str], since: datetime) -> Sequence[ScopeRow]:
        """These scopes as they stand, with their uses since a moment."""
        disk = self._disk
        return [
            ScopeRow(
                name,
                disk.scopes.get(name, 0),
                [disk.holds[name]] if name in disk.holds else [],
                [use for use in disk.uses if use.scope == name and use.at >= since],
            )
            for name in names
        ]

    async def claim(self, claims: Sequence[ClaimRow]) -> Sequence[int]:
        """Take each claim whole if nothing it was decided by has changed; answers the `n` of those taken."""
        self._check()
        with self._failing("claim"):
            try:
                return self._disk.take(claims)
            except Doubtful as error:  # a claim that fails ends no membership
                raise Permanent(f"claiming: {error}") from error

    async def forget_uses(self, before: datetime, most: int) -> int:
        """Delete the oldest uses of before a moment, at most `most`; how many there were."""
        with self._failing("forget_uses"):
            old = sorted((use for use in self._disk.uses if use.at < before), key=lambda use: use.at)[:most]
            for use in old:
                del self._disk.uses[use]
        return len(old)

    # -- reads --------------------------------------------------------------------------------------------------------

    async def episodes(self, identities: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Episode]:
        """The latest episodes of these (source, identity) pairs; unknown ones are absent."""
        known = self._disk.episodes
        return {pair: known[pair] for pair in identities if pair in known}

    async def episodes_of(self, incident: int) -> Sequence[Episode]:
        """The open or doubted episodes of an incident."""
        return [episode for episode in self._disk.live.values() if episode.incident == incident]

    async def open_episodes(self, alertnames: Sequence[str] | None) -> Sequence[Episode]:
        """All open episodes with one of these alertnames (None: any)."""
        return [
            episode
            for episode in self._disk.live.values()
            if episode.open and (alertnames is None or episode.alertname in alertnames)
        ]

    async def incident_numbers(self, blocks: int) -> Sequence[range]:
        """Fresh blocks of incident numbers."""
        with self._failing("incident_numbers"):
            first = self._disk.numbers
            self._disk.numbers += blocks * NUMBERS
        return [range(start, start + NUMBERS) for start in range(first, self._disk.numbers, NUMBERS)]

    async def switch(self) -> Switch:
        """The switch, read now."""
        return self._disk.switch

    async def bundle(self, hash_: str | None) -> BundleRow | None:
        """The bundle with this hash; None: the one in force."""
        hash_ = self._disk.pointer if hash_ is None else hash_
        return None if hash_ is None else self._disk.bundles.get(hash_)

    async def adopt(self, bundle: BundleRow, expected: str | None) -> bool:
        """Keep the bundle and move the pointer from `expected` to it; False if it is elsewhere."""
        with self._failing("adopt"):
            self._disk.bundles.setdefault(bundle.hash, bundle)
            if self._disk.pointer != expected:
                return False
            self._disk.pointer = bundle.hash
        return True

    async def leave(self) -> None:
        """Give the shards up."""
        if self._ended is None:
            self._end(Fenced(f"member {self._member.id} has left"))
            with suppress(Temporary), self._failing("leave"):
                self._member.fenced = True
                self._disk.members.tell(self._member)

    def _end(self, why: Fenced | Doubtful) -> None:
        self._ended = why
        self._member.dead = True

    def _check(self) -> None:
        if self._ended is None and self._member.fenced:
            self._end(Fenced(f"member {self._member.id} has been fenced: another one has taken over"))
        if self._ended is not None:
            raise type(self._ended)(*self._ended.args)
