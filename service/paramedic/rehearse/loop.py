"""Virtual time: an event loop that never waits, and the clock that reads it. The rehearsal's runner starts one a story.

When nothing is ready the loop does not sleep until the next timer, it moves its own `time()` there. So thirty days pass
in the time that their work takes, everything happens at the same moments each time, and waiting for something that can
never come is an error instead of a hang. Nothing real can be waited for: sockets and threads are refused.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Executor
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, TypeVarTuple

from paramedic.errors import ParamedicError

__all__ = ["START", "Standstill", "Unsimulated", "VirtualClock", "VirtualLoop", "virtually"]

START = datetime(2026, 1, 5, 2, 14, tzinfo=UTC)
RESTLESS = 100_000

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Standstill(ParamedicError):
    """Time cannot move on: nothing is scheduled that could wake the waiting, or the waiting never rest."""


class Unsimulated(ParamedicError):
    """Something real (a socket, a thread) was asked for in virtual time, which would not wait for it."""


class _Selector(selectors.BaseSelector):
    """Stands where the loop waits for sockets. Holds the loop's own wake-up pipe and accepts nothing else."""

    def __init__(self) -> None:
        self._keys: dict[Any, selectors.SelectorKey] = {}
        self._rounds = 0
        self.sealed = False
        self.elapsed = 0.0
        self.resting: list[Callable[[], None]] = []

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        if self.sealed:
            raise Unsimulated("a real file or socket cannot be waited for in virtual time; use the simulated world")
        key = selectors.SelectorKey(fileobj, fileobj if isinstance(fileobj, int) else fileobj.fileno(), events, data)
        self._keys[fileobj] = key
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._keys.pop(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout == 0:
            self._rounds += 1
            if self._rounds > RESTLESS:
                raise Standstill(f"{RESTLESS} rounds at one moment: something waits without letting time pass")
        elif self.resting:
            # Somebody asked to be told before time moves: no time passes, and the next round runs what they do.
            told, self.resting = self.resting, []
            for tell in told:
                tell()
        elif timeout is None:
            raise Standstill("everything waits, and nothing is scheduled that could wake it")
        else:
            self._rounds = 0
            self.elapsed += timeout
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._keys

    def close(self) -> None:
        self._keys.clear()


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose `time()` starts at 0 and jumps from timer to timer."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)
        self._virtual.sealed = True
        # The loop fires what is due within its clock's resolution. After a year of virtual seconds two neighbouring
        # floats lie 4 ns apart, more than the real clock's 1 ns; a tenth of a microsecond is below what `now` shows.
        self._clock_resolution = 1e-7

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._virtual.elapsed

    async def rest(self) -> None:
        """Return when nothing more happens at this moment: all that is left waits for a later one."""
        rested = self.create_future()
        self._virtual.resting.append(lambda: _wake(rested))
        await rested

    def run_in_executor(self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        """Threads take real time, which passes by virtual time: always raises `Unsimulated`."""
        raise Unsimulated(f"{getattr(func, '__qualname__', func)} would run in a thread, outside virtual time")


class VirtualClock:
    """The `Clock` over a virtual loop: `start` is the wall time at which the loop's time is 0."""

    def __init__(self, loop: VirtualLoop, start: datetime = START) -> None:
        self._loop = loop
        self._start = start

    def now(self) -> datetime:
        """The virtual moment, aware, in UTC."""
        return self._start + timedelta(seconds=self._loop.time())

    def monotonic(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        """Let `seconds` of virtual time pass."""
        awake = self._loop.create_future()
        alarm = self._loop.call_later(seconds, _wake, awake)
        try:
            await awake
        finally:
            alarm.cancel()


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


def virtually(story: Callable[[VirtualLoop], Coroutine[Any, Any, T]]) -> T:
    """Run `story` on a virtual loop of its own, end what it left running, and return its result."""
    loop = VirtualLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(story(loop))
