"""The catalog of a running service: what is in force, what is wrong in its files, when to look again. `app` owns it.

Files are looked at every two seconds and read again once they have stopped changing, or at once when somebody asks
(SIGHUP). Reading happens in a thread; handlers only look at what is here. A bundle with faults changes nothing: the
last good one stays.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

from paramedic.catalog.faults import Located
from paramedic.catalog.files import Stamp, stamp_of
from paramedic.catalog.load import Loaded, load
from paramedic.clock import Clock
from paramedic.core.bundle import Bundle
from paramedic.plugin import Plugins

__all__ = ["EVERY", "SETTLED", "Catalog"]

EVERY = 2.0
"""Seconds between two looks at the files."""
SETTLED = 0.5
"""Seconds in which files must not have changed again before they are read."""


class Catalog:
    """What is in force: `bundle` (the last good one) since `since`, and `latest`, what the last reading came to."""

    def __init__(self, rules: Path, playbooks: Path, plugins: Plugins, clock: Clock) -> None:
        self._rules, self._playbooks, self._plugins, self._clock = rules, playbooks, plugins, clock
        self._asked = asyncio.Event()
        self._stamp: Stamp = ()
        self.bundle: Bundle | None = None
        self.since: datetime | None = None
        self.latest: Loaded | None = None

    @property
    def faults(self) -> tuple[Located, ...]:
        """What is wrong in the files as they were last read."""
        return self.latest.faults if self.latest is not None else ()

    def ask(self) -> None:
        """Have the files read again at once. A signal handler may call this."""
        self._asked.set()

    async def reload(self) -> Loaded:
        """Read the files now."""
        self._stamp = await self._stamped()
        loaded = await asyncio.to_thread(load, self._rules, self._playbooks, self._plugins)
        self.latest = loaded
        if loaded.bundle is not None and (self.bundle is None or self.bundle.hash != loaded.bundle.hash):
            self.bundle, self.since = loaded.bundle, self._clock.now()
        return loaded

    async def changes(self) -> AsyncIterator[Loaded]:
        """Each reading that was asked for, or that found other texts than the one before. Ends when cancelled."""
        last = self._stamp
        while True:
            asked = await self._wait(EVERY if last == self._stamp else SETTLED)
            now = await self._stamped()
            settled, last = now == last and now != self._stamp, now
            if not asked and not settled:
                continue
            before = self.latest.files if self.latest is not None else None
            loaded = await self.reload()
            last = self._stamp
            if asked or loaded.files != before:
                yield loaded

    async def _stamped(self) -> Stamp:
        return await asyncio.to_thread(stamp_of, (self._rules, self._playbooks))

    async def _wait(self, seconds: float) -> bool:
        """Until somebody asks, or so many seconds have passed; says whether somebody asked."""
        waits = (asyncio.ensure_future(self._asked.wait()), asyncio.ensure_future(self._clock.sleep(seconds)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
        asked = self._asked.is_set()
        self._asked.clear()
        return asked
