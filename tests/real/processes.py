"""Processes that a test starts: each has a log, is waited for with a deadline, and is ended, whatever the test does."""

import asyncio
import os
import signal
import socket
import subprocess
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

__all__ = ["DEADLINE", "ROOT", "Process", "Processes", "free_port", "until"]

ROOT = Path(__file__).parents[2]
DEADLINE = 60.0
"""Seconds that a condition may take to come true: far more than it does, because the machine may be busy."""

PATIENCE = 30.0
LAST_LINES = 60

T = TypeVar("T")


async def until(probe: Callable[[], Awaitable[T]], what: str, *, deadline: float = DEADLINE) -> T:
    """The first truthy answer of `probe`; fails, saying `what` was waited for, when none comes within `deadline` s."""
    seen: T | None = None
    try:
        async with asyncio.timeout(deadline):
            while True:
                seen = await probe()
                if seen:
                    return seen
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"waited {deadline:g} s for {what}; last seen: {seen!r}") from None


def free_port() -> int:
    """A loopback port that nobody uses now, for programs that cannot choose one themselves."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Process:
    """One program, in a session of its own so that it can be ended with all its children; its output is in `log`."""

    def __init__(self, name: str, command: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
        self.name, self.log, self.environment = name, log, dict(environment)
        self._command = list(command)
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, once more if it has run before: the log goes on."""
        with self.log.open("ab") as output:
            self._running = subprocess.Popen(
                self._command,
                cwd=ROOT,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The number of the process that runs now."""
        assert self._running is not None, f"{self.name} was not started"
        return self._running.pid

    @property
    def code(self) -> int | None:
        """How it ended; None while it runs."""
        return None if self._running is None else self._running.poll()

    def output(self) -> str:
        """Everything that it has said."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    async def said(self, probe: Callable[[], Awaitable[T]], what: str, *, deadline: float = DEADLINE) -> T:
        """As `until`, but fails at once, with the last words, when the process ends."""

        async def alive() -> T:
            if self.code is not None:
                raise AssertionError(f"{self.name} ended with {self.code} before {what}:\n{self.last_words()}")
            return await probe()

        return await until(alive, f"{what} of {self.name}", deadline=deadline)

    def tell(self, number: signal.Signals) -> None:
        """Send it a signal, if it still runs."""
        if self._running is not None and self._running.poll() is None:
            self._running.send_signal(number)

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send it a signal and wait for its end; the exit code. A process that ignores the signal is killed."""
        if self._running is None:
            return 0
        self.tell(number)
        try:
            return await asyncio.to_thread(self._running.wait, PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not end within {PATIENCE:g} s of {number.name}") from None
        finally:
            self.kill()

    def kill(self) -> None:
        """End whatever is left of it, at once, its children included."""
        if self._running is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._running.pid, signal.SIGKILL)
        self._running.wait(PATIENCE)

    def last_words(self) -> str:
        """The end of its log."""
        return "\n".join(self.output().splitlines()[-LAST_LINES:])


class Processes:
    """All processes of one test, and a short folder for their data: a socket's path may not be long."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._all: list[Process] = []
        self._folder = tempfile.TemporaryDirectory(prefix="pm-")

    @property
    def folder(self) -> Path:
        """For data; removed at the end."""
        return Path(self._folder.name)

    def new(self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None) -> Process:
        """A process, not started yet, that is ended with the test."""
        number = sum(1 for one in self._all if one.name.split(".")[0] == name)
        name = f"{name}.{number + 1}" if number else name
        process = Process(name, command, self._logs / f"{name}.log", environment or {})
        self._all.append(process)
        return process

    async def end(self) -> None:
        """Stop all, the youngest first, so that whoever calls ends before what it calls."""
        try:
            for process in reversed(self._all):
                await process.stop()
        finally:
            for process in self._all:
                process.kill()
            self._folder.cleanup()

    def told(self) -> list[tuple[str, str]]:
        """The name and the last words of each, for the report of a test that failed."""
        return [(process.name, process.last_words()) for process in self._all]
