"""`Store` over a `MemoryDisk`: what `postgres` promises, for one process and without waiting.

The rehearsal makes one; the simulation makes one for each life of a process, on the same disk, and orders failures.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal

from paramedic.clock import Clock
from paramedic.core.model import Episode
from paramedic.store.memory.disk import MemoryDisk
from paramedic.store.port import Batch, BundleRow, Committed, Doubtful, Fenced, Recovered, Switch

__all__ = ["MemoryStore"]

NUMBERS = 100  # incident numbers to a block


class MemoryStore:
    """A member on a disk. A newer one on the same disk takes over at once: it stands for a process that has ended."""

    def __init__(self, disk: MemoryDisk, clock: Clock) -> None:
        self._disk = disk
        self._clock = clock
        self._member = 0
        self._ended: Fenced | Doubtful | None = Doubtful("not a member yet: join first")
        self._fail: Literal["before", "after"] | None = None

    def fail_next(self, when: Literal["before", "after"]) -> None:
        """Let the next commit raise `Doubtful`: before it writes anything, or after it has written everything."""
        self._fail = when

    async def join(self) -> int:
        """Become the member that writes, at once. Answers the member's id."""
        self._disk.members += 1
        self._disk.member = self._member = self._disk.members
        self._ended = None
        return self._member

    async def recover(self, *, uses_since: datetime) -> Recovered:
        """All that is open. Raises `Fenced` or `Doubtful`."""
        self._check()
        disk = self._disk
        return Recovered(
            incidents=[replace(disk.incidents[number], new=False) for number in disk.open.values()],
            effects=[disk.effects[key] for key in sorted(disk.effects)],
            timers=list(disk.timers.values()),
            inbox=[disk.inbox[key] for key in sorted(disk.inbox)],
            todo=[disk.todo[key] for key in sorted(disk.todo)],
            holds=list(disk.holds.values()),
            uses=[use for use in disk.uses if use.at >= uses_since],
            switch=disk.switch,
            now=self._clock.now(),
        )

    async def commit(self, batch: Batch) -> Committed:
        """Write all of the batch. Raises `Fenced` or `Doubtful`, and the membership is over."""
        self._check()
        fail, self._fail = self._fail, None
        try:
            if fail == "before":
                raise Doubtful("the commit failed, as ordered")
            self._disk.write(batch)
            if fail == "after":
                raise Doubtful("the commit's answer was lost, as ordered")
        except Doubtful as error:
            self._ended = error
            raise
        return Committed(self._disk.switch, self._clock.now())

    async def alive(self) -> bool:
        """Whether this member may still write."""
        return self._ended is None and self._disk.member == self._member

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
        self._disk.bundles.setdefault(bundle.hash, bundle)
        if self._disk.pointer != expected:
            return False
        self._disk.pointer = bundle.hash
        return True

    async def leave(self) -> None:
        """Give the shards up."""
        if self._ended is None:
            self._ended = Fenced(f"member {self._member} has left")

    def _check(self) -> None:
        if self._ended is None and self._disk.member != self._member:
            self._ended = Fenced(f"member {self._member} has been fenced: another one has taken over")
        if self._ended is not None:
            raise type(self._ended)(*self._ended.args)
