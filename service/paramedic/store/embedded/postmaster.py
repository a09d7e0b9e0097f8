"""One run of the server: our child in the foreground, from its start until its end.

`supervisor` starts one, waits until it is `ready`, then until it has `ended`, or stops it; it is not used twice.
"""

import asyncio
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from typing import Self

from paramedic.store.embedded.account import ENVIRONMENT
from paramedic.store.embedded.report import ServerLog

__all__ = ["Postmaster"]

READY = "LOG:  database system is ready to accept connections"
LONGEST_LINE = 1 << 20  # bytes
LAST_WORDS = 2.0  # seconds in which the log of an ended server must end too
FAST = 20.0  # seconds for a shutdown that writes a checkpoint
IMMEDIATE = 5.0  # seconds for one that leaves the repair to the next start


class Postmaster:
    """A running server; `log` is what it says."""

    def __init__(
        self, process: asyncio.subprocess.Process, output: asyncio.StreamReader, pipe: asyncio.ReadTransport
    ) -> None:
        self.log = ServerLog()
        self._process = process
        self._output = output
        self._pipe = pipe
        self._ready = False
        self._turned = asyncio.Event()  # ready, or ended before
        self._life = asyncio.create_task(self._live())

    @classmethod
    async def start(cls, command: Sequence[str]) -> Self:
        """Start the server, in a session of its own: a Ctrl-C on our terminal is for us, who then stop it in order."""
        output = asyncio.StreamReader(limit=LONGEST_LINE)
        reads, writes = os.pipe()
        # Made here, so that it can be closed while a child of the server still holds its other end.
        pipe, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(output), os.fdopen(reads, "rb", buffering=0)
        )
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=writes,
                env=ENVIRONMENT,
                start_new_session=True,
            )
        except BaseException:
            pipe.close()
            raise
        finally:
            os.close(writes)
        return cls(process, output, pipe)

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    async def ready(self) -> bool:
        """Wait until it takes connections (true), or has ended without that (false)."""
        await self._turned.wait()
        return self._ready

    async def ended(self) -> int:
        """Wait for its end, however that comes: the exit status, negative for a signal."""
        await asyncio.wait([self._life])
        return await self._process.wait()

    async def stop(self) -> None:
        """End it: a fast shutdown, then an immediate one, then by force, each with its time. Safe to call again."""
        for number, patience in ((signal.SIGINT, FAST), (signal.SIGQUIT, IMMEDIATE), (signal.SIGKILL, IMMEDIATE)):
            if self._process.returncode is None:
                with suppress(ProcessLookupError):
                    self._process.send_signal(number)
            with suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self.ended()
                    return

    async def _live(self) -> None:
        """Read the log for as long as the server lives: it would stand still before a full pipe."""
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(self._read())
            try:
                await self._process.wait()
                # Its children hold the log open for a moment longer.
                await asyncio.wait([reading], timeout=LAST_WORDS)
            finally:
                reading.cancel()
                self._pipe.close()
                self._turned.set()

    async def _read(self) -> None:
        while True:
            try:
                line = await self._output.readline()
            except ValueError:
                continue  # longer than anybody reads, and dropped
            if not line:
                return
            if self.log.take(line) == READY:
                self._ready = True
                self._turned.set()
