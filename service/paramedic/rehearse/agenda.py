"""What is still to happen in a rehearsal: things put off by so many virtual seconds, owned by the stage until its end.

Alertmanager's repeats, the consequences of requests and the reactions of people are put here. An action that fails
makes the rehearsal fail: it is part of the story, not of the service under test.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from paramedic.rehearse.loop import VirtualClock

__all__ = ["Agenda"]


class Agenda:
    """Actions to come, each a task of the group that the stage opened."""

    def __init__(self, group: asyncio.TaskGroup, clock: VirtualClock) -> None:
        self._group = group
        self._clock = clock
        self._over = False
        self._tasks: set[asyncio.Task[None]] = set()

    def after(self, seconds: float, action: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do `action` in so many virtual seconds, unless it is over by then; what it waits for holds up nobody."""
        if self._over:
            return
        task = self._group.create_task(self._put_off(seconds, action))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _put_off(self, seconds: float, action: Callable[[], Coroutine[Any, Any, None]]) -> None:
        if seconds > 0:
            await self._clock.sleep(seconds)
        await action()

    def clear(self) -> None:
        """Nothing more happens: the rehearsal is over."""
        self._over = True
        for task in self._tasks:
            task.cancel()
