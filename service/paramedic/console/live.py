"""What changed, pushed to whoever looks: a bounded broadcaster of incident numbers, and server-sent events over it.

The engine's report calls `publish` after each commit; it never waits, and costs nothing while nobody looks. A page that
is open gets "changed" events and fetches itself again, so that an event carries no content and may be coalesced.
"""

import asyncio
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from aiohttp import hdrs, web

from paramedic.clock import Clock
from paramedic.console.answers import SAFE
from paramedic.errors import Temporary

__all__ = ["Live", "Watch", "stream"]

HEARTBEAT = 15.0  # seconds of silence until a comment shows both ends that the other is there
PAUSE = 0.5  # seconds between two events of one reader, at least
RETRY = 3.0  # seconds until a browser connects again
PATIENCE = 10.0  # seconds a reader may take to read
NUMBERS = 100  # incidents named in one event


class Watch:
    """One reader's view: the incidents that changed since it looked. `incident` None: all of them."""

    def __init__(self, incident: int | None) -> None:
        self._incident = incident
        self._changed: set[int] = set()
        self._awake = asyncio.Event()
        self._over = False

    def note(self, incidents: Iterable[int]) -> None:
        """Remember these, if they are of interest; more than can be named are just "many"."""
        wanted = {number for number in incidents if self._incident in (None, number)}
        if wanted:
            room = NUMBERS + 1 - len(self._changed)
            self._changed.update(sorted(wanted)[: max(0, room)])
            self._awake.set()

    def end(self) -> None:
        """No more will come."""
        self._over = True
        self._awake.set()

    def over(self) -> bool:
        """Whether the service stops."""
        return self._over

    async def next(self, timeout: float) -> list[int]:
        """The incidents that changed, waiting up to `timeout` s for one; none when nothing happened, or it is over."""
        try:
            await asyncio.wait_for(self._awake.wait(), timeout)
        except TimeoutError:
            return []
        self._awake.clear()
        changed, self._changed = sorted(self._changed), set()
        return changed


class Live:
    """The broadcaster. `most` readers at once; one more is told to come back."""

    def __init__(self, most: int = 200) -> None:
        self._most = most
        self._watches: set[Watch] = set()
        self._closed = False

    @property
    def watching(self) -> int:
        """How many readers there are."""
        return len(self._watches)

    def publish(self, incidents: Iterable[int]) -> None:
        """These incidents have changed and the change is committed."""
        if self._watches:
            changed = list(incidents)
            for watch in self._watches:
                watch.note(changed)

    def close(self) -> None:
        """The service stops: end every stream, so that it need not wait for the readers."""
        self._closed = True
        for watch in self._watches:
            watch.end()

    @contextmanager
    def watch(self, incident: int | None = None) -> Iterator[Watch]:
        """A reader of one incident, or of all. Raises `Temporary` when there are too many, or the service stops."""
        if self._closed or len(self._watches) >= self._most:
            raise Temporary(f"{len(self._watches)} pages are live already; this one works without", delay=30.0)
        watch = Watch(incident)
        self._watches.add(watch)
        try:
            yield watch
        finally:
            self._watches.discard(watch)


async def stream(request: web.Request, live: Live, clock: Clock, incident: int | None = None) -> web.StreamResponse:
    """Answer with server-sent events until the reader goes, is too slow, or the service stops."""
    with live.watch(incident) as watch:
        headers = {**SAFE, hdrs.CONTENT_TYPE: "text/event-stream", "X-Accel-Buffering": "no"}
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        response.force_close()
        try:
            await _say(request, response, f"retry: {RETRY * 1000:.0f}\n\n")
            await _follow(request, response, watch, clock)
        except (ConnectionError, TimeoutError):
            # The reader has gone, or reads too slowly: what it missed it will fetch when it connects again.
            if request.transport is not None:
                request.transport.abort()
    return response


async def _follow(request: web.Request, response: web.StreamResponse, watch: Watch, clock: Clock) -> None:
    while not watch.over():
        changed = await watch.next(HEARTBEAT)
        if watch.over():
            return
        if not changed:
            await _say(request, response, ": still here\n\n")
            continue
        numbers = changed if len(changed) <= NUMBERS else []
        about = json.dumps({"incidents": [f"INC-{number}" for number in numbers]})
        await _say(request, response, f"event: changed\ndata: {about}\n\n")
        await clock.sleep(PAUSE)


async def _say(request: web.Request, response: web.StreamResponse, text: str) -> None:
    """Send; raises TimeoutError when the reader takes too long to read what was sent before."""
    transport = request.transport
    if transport is None or transport.is_closing():
        raise ConnectionResetError("the reader has gone")
    async with asyncio.timeout(PATIENCE):
        await response.write(text.encode())
