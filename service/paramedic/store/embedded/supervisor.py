"""The embedded PostgreSQL as a whole: made if need be, started, watched, started again when it dies, stopped.

The app enters `EmbeddedPostgres` when no PARAMEDIC_DATABASE_URL is set, before everything that needs the database, and
hands its `dsn` on. The engine waits for `lost` and `ready` to drop its memory and load it anew.
"""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from paramedic.clock import Clock, jittered
from paramedic.errors import Permanent, Temporary
from paramedic.store.connect import connect
from paramedic.store.embedded import account, binaries, cluster, leftover
from paramedic.store.embedded.folder import DataFolder, held
from paramedic.store.embedded.postmaster import Postmaster
from paramedic.store.embedded.report import explained

__all__ = ["EmbeddedPostgres"]

LOG = logging.getLogger(__name__)
START_TIME = 300.0  # seconds; usually 0.1, but after a crash up to max_wal_size of log is read again
STARTS = 20  # for one start, while something passing is in the way
RESTARTS = 12  # in a row; with the pauses below they take three to four minutes
LONGEST_PAUSE = 30.0  # seconds between two of them
STEADY = 60.0  # seconds of service after which the count begins anew


class EmbeddedPostgres:
    """A PostgreSQL in the folder `data`, for as long as the `async with` lasts.

        async with EmbeddedPostgres(data, clock) as server:
            connection = await connect(server.dsn)

    Entering raises Permanent with one line that says what is wrong and what to do. A server that dies is started again,
    with growing pauses; when that fails too often the body is cancelled and leaving raises Permanent. The event loop
    must be that of the main thread, or of one that lives as long: the server ends with the thread that started it.
    """

    dsn: str  # the same for every start; holds the password
    version: str  # of the server, for people
    ready_seconds: float  # from entering until the first answer
    pid: int  # of the server that came up last

    def __init__(
        self,
        data: Path,
        clock: Clock,
        *,
        programs: binaries.Binaries | None = None,
        tuning: cluster.Tuning = cluster.DURABLE,
    ) -> None:
        self.lost = asyncio.Event()  # set while the server is away without having been told to
        self.ready = asyncio.Event()  # set while it serves
        self.starts = 0  # how often it came up; a reader of `ready` sees by it whether it missed a loss
        self._data = data
        self._clock = clock
        self._programs = programs
        self._tuning = tuning
        self._postmaster: Postmaster | None = None
        self._hindrance = ""
        self._stack = AsyncExitStack()
        self._tasks = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        began = self._clock.monotonic()
        async with AsyncExitStack() as stack:
            folder = stack.enter_context(held(self._data))
            with _disk_errors(folder.path):
                await self._prepare(folder, stack)
            stack.push_async_callback(self._stop)
            running = await self._start()
            self.ready_seconds = self._clock.monotonic() - began
            LOG.info("PostgreSQL %s in %s is ready after %.2f s", self.version, folder.path, self.ready_seconds)
            self._stack = stack.pop_all()
        await self._tasks.__aenter__()
        self._watching = self._tasks.create_task(self._watch(running))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._watching.cancel()
        try:
            # Not told of the body's own error, which would come out wrapped.
            await self._tasks.__aexit__(None, None, None)
        except ExceptionGroup as group:
            raise group.exceptions[0] from None  # of the one task: it gave up
        finally:
            await self._stack.aclose()

    async def _prepare(self, folder: DataFolder, stack: AsyncExitStack) -> None:
        """Everything up to the server's command line."""
        programs = self._programs or binaries.find()
        there = cluster.exists(folder, programs)
        user, programs = await account.choose(folder, programs)
        if there:
            user.hand_over(folder.cluster)
        else:
            await cluster.make(folder, user, programs, self._tuning)
        sockets = folder.make_socket_folder()
        stack.callback(folder.drop_socket_folder, sockets)
        user.hand_over(sockets)
        self._folder = folder
        self._command = cluster.server_command(folder, user, programs, self._tuning, sockets)
        self.dsn = cluster.dsn(folder, sockets)

    async def _start(self) -> Postmaster:
        """Start the server and wait until it answers. Raises Permanent."""
        try:
            async with asyncio.timeout(START_TIME):
                for _ in range(STARTS):
                    await leftover.clear(self._folder.cluster, self._clock)
                    self._postmaster = postmaster = await Postmaster.start(self._command)
                    if await self._comes_up(postmaster):
                        return postmaster
        except TimeoutError as error:
            await self._stop()
            raise Permanent(f"PostgreSQL did not get ready within {START_TIME:g} s; its log says why") from error
        raise Permanent(f"{self._hindrance}; so it went {STARTS} times")

    async def _comes_up(self, postmaster: Postmaster) -> bool:
        """Whether it answers; false when another start may do better. Raises Permanent. Nothing is left but success."""
        try:
            if not await postmaster.ready():
                raise explained("PostgreSQL did not start", postmaster.log.lines, self._folder.path)
            self.version = await self._greet()
        except Temporary as error:
            await postmaster.stop()
            self._hindrance = str(error)
            await self._clock.sleep(error.delay)
            return False
        except Permanent:
            await postmaster.stop()
            raise
        self.pid = postmaster.pid
        self.starts += 1
        self.lost.clear()
        self.ready.set()
        return True

    async def _greet(self) -> str:
        """The version, from a server that answers and knows our password."""
        connection = await connect(self.dsn)
        try:
            return str(connection.get_settings().server_version)
        finally:
            await connection.close()

    async def _stop(self) -> None:
        self.ready.clear()
        if self._postmaster:
            await self._postmaster.stop()

    async def _watch(self, running: Postmaster) -> None:
        """Start the server again whenever it ends. Raises Permanent when that fails too often in a row."""
        failures = 0
        while True:
            since = self._clock.monotonic()
            status = await running.ended()
            self.ready.clear()
            self.lost.set()
            LOG.error("%s", explained("PostgreSQL ended", running.log.lines, self._folder.path, status))
            if self._clock.monotonic() - since > STEADY:
                failures = 0
            running, failures = await self._revive(failures)

    async def _revive(self, failures: int) -> tuple[Postmaster, int]:
        """Start it again, after pauses that grow with the `failures` so far: the server, and their number now."""
        reason = "it ended again and again"
        while failures < RESTARTS:
            if failures:
                await self._clock.sleep(jittered(min(2.0 ** (failures - 2), LONGEST_PAUSE)))
            failures += 1
            try:
                return await self._start(), failures
            except Permanent as error:
                LOG.warning("%s; trying again", error)
                reason = str(error)
        raise Permanent(f"PostgreSQL ended and did not come back in {RESTARTS} attempts: {reason}")


@contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Permanent(
            f"the data folder {folder} cannot be used: {error}; make room or mend its rights,"
            " or choose another with PARAMEDIC_DATA"
        ) from error
