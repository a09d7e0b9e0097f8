"""Time that passes only when somebody sleeps: for simulated clusters, and for what grows old."""

import asyncio
from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 5, 2, 14, tzinfo=UTC)


class PassingClock:
    """A clock that stands still until somebody sleeps."""

    def __init__(self) -> None:
        self._seconds = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self._seconds)

    def monotonic(self) -> float:
        return self._seconds

    async def sleep(self, seconds: float) -> None:
        self._seconds += seconds
        await asyncio.sleep(0)
