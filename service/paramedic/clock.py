"""The only source of time, ids and randomness; the linter bans the rest.

Everything that waits or stamps gets a `Clock` handed in. `SystemClock` is real; the rehearsal has a virtual one.
"""

import asyncio
import os
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final, Protocol

__all__ = ["Clock", "Numbers", "SystemClock", "jittered", "new_secret", "seconds_until"]


class Clock(Protocol):
    """Time as its user may know it: wall time (UTC, aware) and a monotonic count of seconds."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never run backwards and count time spent suspended; only differences mean anything."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait at least `seconds`."""
        ...


class SystemClock:
    """Real time. `offset` moves `now` onto the database's clock, as the heartbeat measures it."""

    def __init__(self) -> None:
        self._offset = timedelta()

    def now(self) -> datetime:
        """The present moment on the database's clock, as well as the last heartbeat knows it."""
        return datetime.now(UTC) + self._offset

    def local(self) -> datetime:
        """The present moment on this machine's own clock."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since boot, suspended time included, so that a lease cannot outlive a sleeping machine."""
        return _boot_time()

    async def sleep(self, seconds: float) -> None:
        """Wait at least `seconds`."""
        await asyncio.sleep(seconds)

    def adjust(self, offset: timedelta) -> None:
        """Take over the measured difference between the database's clock and this machine's."""
        self._offset = offset


_boot_time: Final[Callable[[], float]] = (
    partial(time.clock_gettime, time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic
)


class Numbers:
    """Ids `member << 36 | counter`: unique without asking anyone, ordered within one member."""

    def __init__(self, member: int) -> None:
        self._next = (member << 36) + 1

    def take(self) -> int:
        """The next id."""
        number = self._next
        self._next += 1
        return number


def jittered(seconds: float, draw: Callable[[], float] = random.random) -> float:
    """`seconds` changed by up to a half either way, so that many waiters do not return at once."""
    return seconds * (0.5 + draw())


def new_secret(size: int = 32) -> str:
    """`size` random bytes from the operating system, as hex."""
    return os.urandom(size).hex()


def seconds_until(due: datetime, now: datetime) -> float:
    """Seconds from `now` to `due`, never negative."""
    return max(0.0, (due - now).total_seconds())
