"""What goes wrong in a rehearsal: the database is away, the process is killed around a commit, a notifier fails.

`Weather` knows the faults of the whole rehearsal; each process of it sees the store through a `StagedStore`. The
witness sits here too: a commit has happened when the store says so, whether or not the process learns of it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NoReturn

from paramedic.core.bundle import Endpoint
from paramedic.core.model import Episode
from paramedic.errors import Permanent, Temporary, UnknownOutcome
from paramedic.plugin import MessageText, Notifier, PageText, Plugins, Tools
from paramedic.rehearse.loop import VirtualClock
from paramedic.rehearse.script import Away, Crash, Failing, Fails
from paramedic.store.port import (
    AnswerRow,
    Batch,
    BundleRow,
    ClaimRow,
    Committed,
    Doubtful,
    ForwardedRow,
    OpeningRow,
    Place,
    Recovered,
    ScopeRow,
    Standing,
    Store,
    Switch,
)

__all__ = ["StagedStore", "Weather", "failing_plugins"]

_ERRORS = {"temporary": Temporary, "permanent": Permanent, "unknown": UnknownOutcome}


class Weather:
    """The faults of a rehearsal as they stand now. `commits` counts those of all its processes."""

    def __init__(self, faults: Sequence[Fails], clock: VirtualClock, took: Callable[[Batch], None]) -> None:
        self._clock = clock
        self._took = took
        self._away = [one for one in faults if isinstance(one, Away)]
        self._crashes = {one.commit: one for one in faults if isinstance(one, Crash) and one.commit is not None}
        self.commits = 0

    def database(self) -> str:
        """How the database is: away, silent, or nothing wrong with it."""
        now = self._clock.monotonic()
        return next((one.database for one in self._away if one.from_ <= now < one.to), "")

    def next_commit(self) -> Crash | None:
        """Count a commit that is about to be made; the crash that belongs to it."""
        self.commits += 1
        return self._crashes.get(self.commits)

    def took(self, batch: Batch) -> None:
        """The store has taken a batch."""
        self._took(batch)


class StagedStore:
    """The store as one process of the rehearsal reaches it. `crash` kills that process."""

    def __init__(
        self, inner: Store, weather: Weather, clock: VirtualClock, crash: Callable[[Crash], None], latency: float
    ) -> None:
        self._inner, self._weather, self._clock = inner, weather, clock
        self._crash, self._latency = crash, latency
        self.dead = False

    def _reach(self) -> None:
        if self.dead:
            raise Temporary("the process is gone")
        if self._weather.database() == "away":
            raise Temporary("the database cannot be reached")

    async def commit(self, batch: Batch) -> Committed:
        """As the store's, with what the weather does to it."""
        if self.dead or self._weather.database() == "away":
            raise Doubtful("the database cannot be reached")
        crash = self._weather.next_commit()
        if crash is not None and crash.crash == "before":
            self._die(crash)
        await self._clock.sleep(self._latency)
        if self.dead:
            raise Doubtful("the process was gone before the database had the commit")
        committed = await self._inner.commit(batch)
        self._weather.took(batch)
        if crash is not None:
            self._die(crash)
        if self._weather.database():
            raise Doubtful("the database did not answer")
        return committed

    def _die(self, crash: Crash) -> NoReturn:
        self._crash(crash)
        raise Doubtful("the process was killed, and nobody was there to take the answer")

    async def join(self) -> int:
        """As the store's."""
        self._reach()
        return await self._inner.join()

    async def recover(self, *, uses_since: datetime, but: Sequence[int] = ()) -> Recovered:
        """As the store's."""
        self._reach()
        return await self._inner.recover(uses_since=uses_since, but=but)

    async def standing(self) -> Standing:
        """As the store's."""
        self._reach()
        return await self._inner.standing()

    async def take_over(self) -> None:
        """As the store's."""
        self._reach()
        await self._inner.take_over()

    async def news(self, patience: float) -> bool:
        """As the store's."""
        return await self._inner.news(patience)

    async def forwarded(self, shards: Sequence[int], but: Sequence[int], most: int) -> Sequence[ForwardedRow]:
        """As the store's."""
        self._reach()
        return await self._inner.forwarded(shards, but, most)

    async def answers(self, ids: Sequence[int]) -> Sequence[AnswerRow]:
        """As the store's."""
        self._reach()
        return await self._inner.answers(ids)

    async def places(self, incidents: Iterable[int]) -> Mapping[int, Place]:
        """As the store's."""
        self._reach()
        return await self._inner.places(incidents)

    async def storms(self, keys: Sequence[str]) -> Mapping[str, int]:
        """As the store's."""
        self._reach()
        return await self._inner.storms(keys)

    async def openings(self, since: datetime, shards: Sequence[int]) -> Sequence[OpeningRow]:
        """As the store's."""
        self._reach()
        return await self._inner.openings(since, shards)

    async def scopes(self, names: Sequence[str], since: datetime) -> Sequence[ScopeRow]:
        """As the store's."""
        self._reach()
        return await self._inner.scopes(names, since)

    async def claim(self, claims: Sequence[ClaimRow]) -> Sequence[int]:
        """As the store's."""
        self._reach()
        return await self._inner.claim(claims)

    async def forget_uses(self, before: datetime, most: int) -> int:
        """As the store's."""
        self._reach()
        return await self._inner.forget_uses(before, most)

    async def episodes(self, identities: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Episode]:
        """As the store's."""
        self._reach()
        return await self._inner.episodes(identities)

    async def episodes_of(self, incident: int) -> Sequence[Episode]:
        """As the store's."""
        self._reach()
        return await self._inner.episodes_of(incident)

    async def open_episodes(self, alertnames: Sequence[str] | None) -> Sequence[Episode]:
        """As the store's."""
        self._reach()
        return await self._inner.open_episodes(alertnames)

    async def incident_numbers(self, blocks: int) -> Sequence[range]:
        """As the store's."""
        self._reach()
        return await self._inner.incident_numbers(blocks)

    async def switch(self) -> Switch:
        """As the store's."""
        self._reach()
        return await self._inner.switch()

    async def bundle(self, hash_: str | None) -> BundleRow | None:
        """As the store's."""
        self._reach()
        return await self._inner.bundle(hash_)

    async def adopt(self, bundle: BundleRow, expected: str | None) -> bool:
        """As the store's."""
        self._reach()
        return await self._inner.adopt(bundle, expected)

    async def alive(self) -> bool:
        """As the store's."""
        self._reach()
        return await self._inner.alive()

    async def leave(self) -> None:
        """As the store's."""
        self._reach()
        await self._inner.leave()


def failing_plugins(plugins: Plugins, faults: Sequence[Fails], clock: VirtualClock) -> Plugins:
    """The plug-ins, with the notifiers that the faults name failing while they say so."""
    notifiers = dict(plugins.notifiers)
    for name, notifier in plugins.notifiers.items():
        mine = [one for one in faults if isinstance(one, Failing) and one.notifier == name]
        if mine:
            notifiers[name] = _failing(notifier, mine, clock)
    return Plugins(plugins.actions, plugins.guards, plugins.checks, notifiers)


def _failing(inner: Notifier, faults: Sequence[Failing], clock: VirtualClock) -> Notifier:
    def fail() -> None:
        now = clock.monotonic()
        for fault in faults:
            if fault.from_ <= now and (fault.to is None or now < fault.to):
                raise _ERRORS[fault.fails](f"the rehearsal lets {fault.notifier} fail")

    async def send(self: Notifier, page: PageText, endpoints: Mapping[str, Endpoint], tools: Tools) -> str:
        fail()
        return await inner.send(page, endpoints, tools)

    async def post(self: Notifier, message: MessageText, endpoints: Mapping[str, Endpoint], tools: Tools) -> str:
        fail()
        return await inner.post(message, endpoints, tools)

    # A class of its own, so that what the notifier declares stays as it is and only the sending differs.
    failing: Notifier = type(type(inner).__name__, (type(inner),), {"send": send, "post": post})()
    return failing
