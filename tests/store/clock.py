"""A clock that a test moves by hand; tasks in the background, and waiting for what they do."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

START = datetime(2020, 1, 1, tzinfo=UTC)


class HandClock:
    """Stands still until `advance`; whoever sleeps until then is woken."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.error = timedelta()
        self.offset = timedelta()
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    @property
    def sleepers(self) -> int:
        """How many sleep now."""
        return sum(not woken.done() for _, woken in self._sleepers)

    def local(self) -> datetime:
        return START + timedelta(seconds=self.seconds) + self.error

    def now(self) -> datetime:
        return self.local() + self.offset

    def monotonic(self) -> float:
        return self.seconds

    def adjust(self, offset: timedelta) -> None:
        self.offset = offset

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.seconds + seconds, woken))
        await woken

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.seconds += seconds
        for due, woken in self._sleepers:
            if due <= self.seconds and not woken.done():
                woken.set_result(None)


async def until(condition: Callable[[], bool | Awaitable[bool]], *, seconds: float = 15.0) -> None:
    """Ask again until the answer is yes."""
    async with asyncio.timeout(seconds):
        while True:
            answer = condition()
            if answer if isinstance(answer, bool) else await answer:
                return
            await asyncio.sleep(0.002)


@asynccontextmanager
async def background(work: Awaitable[object]) -> AsyncIterator["asyncio.Future[object]"]:
    """A task for the length of a block; cancelled at its end."""
    task: asyncio.Future[object] = asyncio.ensure_future(work)
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
