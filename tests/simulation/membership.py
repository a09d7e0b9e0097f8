"""The store as one process reaches it, with all that may befall a commit; its lease, and when it looks at the others.

A process that is stopped or cut off does not renew its lease. Looks at other members are put off until there may be
something to see: members look every half second, which would be most of what a simulation does.
"""

from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Protocol

from paramedic.errors import Temporary
from paramedic.rehearse.loop import VirtualClock
from paramedic.store.memory import MemoryDisk, MemoryStore
from paramedic.store.port import Batch, Committed, Doubtful, Fenced
from tests.simulation.processes import Process

__all__ = ["LEASE", "Fate", "Owners", "ProcessStore"]

LEASE = 10.0
"""Seconds for which nobody steps in after a member's last heartbeat."""

_PATIENCE = 5.0
"""Seconds after which a member takes a commit that is not answered for doubtful."""

_LATE = 5.3
"""Seconds after which a commit arrives that its member has given up: about when that joins again."""


class Fate(Protocol):
    """What befalls commits: the stage."""

    latency: float

    def after(self, seconds: float, action: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do something in so many seconds."""
        ...

    def database(self) -> str:
        """Away, silent, or nothing wrong with it."""
        ...

    def patience(self) -> float:
        """Seconds after which a member looks at the others, if nothing makes it look before."""
        ...

    def befalls(self, process: Process) -> dict[str, Any]:
        """The trouble of the commit that is about to be made, the next of all processes."""
        ...

    def crash(self, process: Process, down: float) -> None:
        """Kill this process."""
        ...

    def pause(self, process: Process, seconds: float) -> None:
        """Stop this process for a while."""
        ...

    def committed(self, process: Process, batch: Batch, member: int) -> None:
        """The store has taken a batch of this process, by the member that it was."""
        ...


class ProcessStore:
    """See the module. What it does not know is asked of the store as it is."""

    def __init__(self, disk: MemoryDisk, process: Process, fate: Fate, clock: VirtualClock) -> None:
        self._disk, self._process, self._fate, self._clock = disk, process, fate, clock
        self.inner = MemoryStore(disk, clock, ttl=LEASE)
        self._dead = False

    @property
    def dead(self) -> bool:
        """Whether its process has ended."""
        return self._dead

    @dead.setter
    def dead(self, dead: bool) -> None:
        self._dead = dead
        self.inner.die()

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def ask(*about: Any, **more: Any) -> Any:
            await self._reach()
            return await getattr(self.inner, name)(*about, **more)

        setattr(self, name, ask)
        return ask

    async def _reach(self) -> None:
        await self._process.awake()
        if self.dead:
            raise Temporary("the process is gone")
        if self._away():
            raise Temporary("the database cannot be reached")

    def _away(self) -> bool:
        return self._process.cut_off or self._fate.database() == "away"

    async def join(self) -> int:
        """As the store's; what an earlier membership has sent may still arrive, in that one's name."""
        await self._reach()
        self.inner.die()
        self.inner = MemoryStore(self._disk, self._clock, ttl=LEASE)
        return await self.inner.join()

    async def news(self, patience: float) -> bool:
        """As the store's, and no sooner than there may be something to see."""
        await self._process.awake()
        told = await self.inner.news(patience if patience < 0.1 else self._fate.patience())
        await self._process.awake()
        return told

    async def alive(self) -> bool:
        """Whether the lease holds; while no heartbeat arrives, as long as a quarter of it is left."""
        await self._process.awake()
        if self.dead:
            return False
        since = self._process.silent_since
        if since is not None and self._clock.monotonic() - since > 0.75 * LEASE:
            return False
        return await self.inner.alive()

    async def commit(self, batch: Batch) -> Committed:
        """As the store's, with what befalls it."""
        process, fate = self._process, self._fate
        await process.awake()
        if self.dead or self._away():
            raise Doubtful("the database cannot be reached")
        trouble = fate.befalls(process)
        if "pause" in trouble:
            fate.pause(process, trouble["pause"])
            await process.awake()
        if trouble.get("crash") == "before":
            fate.crash(process, trouble["down"])
        if self.dead:
            raise Doubtful("the process was killed before the database had the commit")
        if trouble.get("answer") in ("never", "late"):
            if trouble["answer"] == "late":
                fate.after(_LATE, partial(self._arrive_late, self.inner, batch))
            await self._clock.sleep(_PATIENCE)
            raise Doubtful("no answer from the database")
        await self._clock.sleep(3.0 if trouble.get("answer") == "slow" else fate.latency)
        committed = await self.inner.commit(batch)  # it had left: whether its process lives does not matter
        fate.committed(process, batch, self.inner.member)
        if trouble.get("crash") == "after":
            fate.crash(process, trouble["down"])
        await process.awake()
        if self.dead or self._away() or fate.database() or trouble.get("answer") == "lost":
            raise Doubtful("nobody heard that it was made")
        return committed

    async def _arrive_late(self, member: MemoryStore, batch: Batch) -> None:
        """A commit that its member has given up reaches the database all the same."""
        with suppress(Fenced, Doubtful):
            await member.commit(batch)
            self._fate.committed(self._process, batch, member.member)


class Owners(dict[int, int]):
    """Who owns each shard, and who did a moment ago."""

    def __init__(self, owners: Mapping[int, int], clock: VirtualClock) -> None:
        super().__init__(owners)
        self._clock = clock
        self._changed: dict[int, tuple[float, int]] = {}  # shard → when it last changed, and whose it was before

    def __setitem__(self, shard: int, owner: int) -> None:
        self._changed[shard] = self._clock.monotonic(), self[shard]
        super().__setitem__(shard, owner)

    def update(self, given: Iterable[tuple[int, int]]) -> None:  # type: ignore[override]
        for shard, owner in given:
            self[shard] = owner

    def was(self, shard: int, moment: float) -> int:
        """Whose it was at a moment, or before its last change."""
        at, before = self._changed.get(shard, (-1.0, self[shard]))
        return before if at >= moment else self[shard]
