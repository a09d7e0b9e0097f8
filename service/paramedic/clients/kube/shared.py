"""Reading once for all who ask: the port `Kube` over another one. `app` and the rehearsal put it in front of theirs.

Whoever says with `max_age` that an answer may be so old gets the one that is there, or waits for the one under way.
What we write ourselves is never answered from before: it drops all that was read in its namespace, because a change of
a Deployment is one of its ReplicaSets and pods as well.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from paramedic.clock import Clock
from paramedic.cluster.port import Json, Kube, PatchKind
from paramedic.cluster.resources import Place
from paramedic.errors import Temporary

__all__ = ["Shared"]

T = TypeVar("T")

_MOST = 256
"""Answers of either kind that are kept."""

_MOST_OBJECTS = 2000
"""Objects in all lists that are kept; a larger list is shared by those who wait for it, and not kept."""

_OLDEST = 10.0
"""Seconds after which an answer is dropped, however old it may be for who asks."""


@dataclass(slots=True)
class _Answer(Generic[T]):
    """A read, under way or done. It says how things were when it was asked (`at`) or later."""

    place: Place
    at: float
    task: "asyncio.Task[T]"
    size: int = 0


class _Answers(Generic[T]):
    """Answers of one kind by what was asked, oldest first. `size` counts the objects of an answer."""

    def __init__(self, clock: Clock, size: Callable[[T], int]) -> None:
        self._clock, self._size = clock, size
        self._kept: dict[Hashable, _Answer[T]] = {}
        self._running: set[asyncio.Task[T]] = set()

    async def ask(
        self, key: Hashable, place: Place, max_age: float, timeout: float, read: Callable[[], Awaitable[T]]
    ) -> T:
        """The answer that is there if it is young enough, else a new one. Raises what `read` raises."""
        now = self._clock.monotonic()
        answer = self._kept.get(key)
        if answer is None or now - answer.at > max_age:
            answer = self._begin(key, place, now, read)
        try:
            async with asyncio.timeout(timeout):
                return await asyncio.shield(answer.task)
        except TimeoutError as error:
            raise Temporary(f"{place}: no answer within {timeout:g}s") from error
        except asyncio.CancelledError:
            if answer.task.cancelled():  # not who waits was told to stop, but the read itself
                raise Temporary(f"{place}: the connection to {place.cluster} is being closed") from None
            raise

    def drop(self, written: Place) -> None:
        """Forget what was read in the namespace of `written`; who waits for a read under way still gets it."""
        self._kept = {key: one for key, one in self._kept.items() if not _touches(written, one.place)}

    async def close(self) -> None:
        """End the reads under way."""
        self._kept.clear()
        running = tuple(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _begin(self, key: Hashable, place: Place, now: float, read: Callable[[], Awaitable[T]]) -> _Answer[T]:
        # A task of its own: who asked first may be told to stop, the others go on waiting.
        task = asyncio.create_task(_awaited(read))
        self._kept.pop(key, None)
        answer = self._kept[key] = _Answer(place, now, task)
        self._running.add(task)

        def ended(done: "asyncio.Task[T]") -> None:
            self._running.discard(done)
            if done.cancelled() or done.exception() is not None:
                if self._kept.get(key) is answer:
                    del self._kept[key]
                return
            answer.size = self._size(done.result())
            if answer.size > _MOST_OBJECTS and self._kept.get(key) is answer:
                del self._kept[key]  # it would push out all the others
            self._bound(now)

        task.add_done_callback(ended)
        self._bound(now)
        return answer

    def _bound(self, now: float) -> None:
        objects = sum(one.size for one in self._kept.values())
        for key, one in tuple(self._kept.items()):
            if one.at >= now - _OLDEST and len(self._kept) <= _MOST and objects <= _MOST_OBJECTS:
                break
            objects -= one.size
            del self._kept[key]


class Shared:
    """`kube`, read at most as often as those who ask need it. `clock` says how old an answer is."""

    def __init__(self, kube: Kube, clock: Clock) -> None:
        self._kube = kube
        self._objects: _Answers[Json] = _Answers(clock, lambda one: 1)
        self._lists: _Answers[Sequence[Json]] = _Answers(clock, len)

    @property
    def clusters(self) -> Sequence[str]:
        """The names of the clusters there are."""
        return self._kube.clusters

    async def close(self) -> None:
        """End the reads under way; the port behind is closed by who made it."""
        await self._objects.close()
        await self._lists.close()

    async def get(self, place: Place, *, subresource: str = "", max_age: float = 0.0, timeout: float = 10.0) -> Json:
        """One object, perhaps an answer that somebody else asked for."""

        async def read() -> Json:
            return await self._kube.get(place, subresource=subresource, timeout=timeout)

        if max_age <= 0:
            return await read()
        return await self._objects.ask((place, subresource), place, max_age, timeout, read)

    async def list(
        self,
        place: Place,
        *,
        labels: str = "",
        fields: str = "",
        limit: int = 500,
        max_age: float = 0.0,
        timeout: float = 10.0,
    ) -> Sequence[Json]:
        """All chosen objects, perhaps an answer that somebody else asked for."""

        async def read() -> Sequence[Json]:
            return await self._kube.list(place, labels=labels, fields=fields, limit=limit, timeout=timeout)

        if max_age <= 0:
            return await read()
        return await self._lists.ask((place, labels, fields, limit), place, max_age, timeout, read)

    async def patch(
        self,
        place: Place,
        patch: Sequence[Json] | Json,
        how: PatchKind,
        *,
        subresource: str = "",
        dry_run: bool = False,
        timeout: float = 10.0,
    ) -> Json:
        """Change an object."""
        try:
            return await self._kube.patch(place, patch, how, subresource=subresource, dry_run=dry_run, timeout=timeout)
        finally:
            self._wrote(place, dry_run)

    async def create(self, place: Place, body: Json, *, dry_run: bool = False, timeout: float = 10.0) -> Json:
        """Make an object."""
        try:
            return await self._kube.create(place, body, dry_run=dry_run, timeout=timeout)
        finally:
            self._wrote(place, dry_run)

    async def delete(
        self, place: Place, *, uid: str, grace: float | None = None, dry_run: bool = False, timeout: float = 10.0
    ) -> None:
        """Delete exactly this object."""
        try:
            await self._kube.delete(place, uid=uid, grace=grace, dry_run=dry_run, timeout=timeout)
        finally:
            self._wrote(place, dry_run)

    async def evict(
        self, place: Place, *, uid: str, grace: float | None = None, dry_run: bool = False, timeout: float = 10.0
    ) -> None:
        """Evict exactly this pod."""
        try:
            await self._kube.evict(place, uid=uid, grace=grace, dry_run=dry_run, timeout=timeout)
        finally:
            self._wrote(place, dry_run)

    async def logs(
        self, place: Place, *, container: str = "", previous: bool = False, most: int = 64 * 1024, timeout: float = 10.0
    ) -> bytes:
        """The newest bytes of a container's log; read for each who asks."""
        return await self._kube.logs(place, container=container, previous=previous, most=most, timeout=timeout)

    def _wrote(self, place: Place, dry_run: bool) -> None:
        # Whatever came of it: a write without an answer may have been done.
        if not dry_run:
            self._objects.drop(place)
            self._lists.drop(place)


async def _awaited(read: Callable[[], Awaitable[T]]) -> T:
    return await read()


def _touches(written: Place, read: Place) -> bool:
    """Whether an answer from `read` may be about what a write at `written` changed."""
    if written.cluster != read.cluster:
        return False
    return not written.namespace or read.namespace in ("", written.namespace)
