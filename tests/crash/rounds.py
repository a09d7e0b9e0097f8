"""Rounds of trouble: alerts pour in, a process is killed, frozen or ended in the middle, comes back, and all drains.

What must hold afterwards is promise 1 (nothing accepted is lost) and promise 3 (nothing is done under a second key, and
what protects itself by nothing is called once at most: where nobody can know, a person is paged).
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from paramedic.clock import SystemClock
from tests.crash.members import Member, member_on
from tests.crash.record import Record
from tests.crash.sink import Sink
from tests.crash.tally import Tally, judged
from tests.crash.texts import alert, write_catalog
from tests.engine.texts import body
from tests.real.processes import Processes, until

__all__ = ["Round", "Rounds", "Trouble", "rounds_on"]

Trouble = Callable[["Rounds"], Coroutine[Any, Any, None]]
"""A fault of somebody's own: it brings it about, says so with `began`, and mends it."""

IN_FLIGHT = 32
ANSWER = 4.0  # seconds: a service answers within two, and one that is frozen does not
LEASE = 10.0  # seconds that a member may be silent before others take its place
DRAINED = 180.0


@dataclass
class Round:
    """How one round went. Times are in seconds."""

    number: int
    fault: str
    accepted: int
    took: float = 0.0
    back: float = 0.0  # from the fault until a delivery that was begun after it had been accepted

    def line(self) -> str:
        """For people."""
        return (
            f"round {self.number + 1}: {self.fault}, {self.accepted} alerts accepted in {self.took:.1f} s; "
            f"accepting again {self.back:.2f} s after the fault"
        )


@dataclass
class Rounds:
    """The members of one service, and those who send to it and look at it."""

    members: Sequence[Member]
    sink: Sink
    http: aiohttp.ClientSession
    sent: dict[str, str] = field(default_factory=dict)
    _clock: SystemClock = field(default_factory=SystemClock)
    _fault_at: float | None = None
    _back_at: asyncio.Future[float] | None = None

    async def round(
        self, number: int, alerts: int, fault: "str | Trouble" = "kill", *, in_flight: int = IN_FLIGHT
    ) -> Round:
        """Send so many alerts; once a third has been acted on, bring the fault about and mend it; wait for the rest.

        A few are sent only then: in a rush all others may be accepted before any is acted on.
        """
        before, began = self.sink.count, self._clock.monotonic()
        ids = [f"round{number}-{n}" for n in range(alerts)]
        self.sent |= {one: "raw" if n % 3 == 0 else "hook" for n, one in enumerate(ids)}
        waiting, afterwards = asyncio.Queue[str](), asyncio.Queue[str]()
        for n, one in enumerate(ids):
            (waiting if n < alerts - in_flight else afterwards).put_nowait(one)
        done = Round(number, fault if isinstance(fault, str) else fault.__name__, len(ids))
        self._back_at = asyncio.get_running_loop().create_future()
        async with asyncio.TaskGroup() as senders:
            for n in range(in_flight):
                senders.create_task(self._send(waiting, n))
            acted = await self.sink.until(lambda: self.sink.count - before >= alerts // 3, 120.0)
            assert acted, self.members[0].process.last_words()
            await (self._trouble(number, fault) if isinstance(fault, str) else fault(self))
            for n in range(in_flight):
                senders.create_task(self._send(afterwards, n))
        async with asyncio.timeout(120.0):
            done.back = await self._back_at
        self._fault_at = None
        done.took = self._clock.monotonic() - began
        return done

    async def _trouble(self, number: int, fault: str) -> None:
        victim = await self._victim(number)
        if fault == "kill":
            await victim.kill()
            self.began()
            await victim.start()
        elif fault == "restart":
            self.began()
            assert await victim.process.stop() == 0
            await victim.start()
        else:
            assert fault == "freeze", fault
            victim.freeze()
            self.began()
            try:
                await self._clock.sleep(LEASE + 2.0)
            finally:
                victim.thaw()

    def began(self) -> None:
        """The fault is there: from now on it counts how long it takes until something is accepted again."""
        self._fault_at = self._clock.monotonic()

    async def _victim(self, number: int) -> Member:
        """Each in its turn, of those that take deliveries: to hit one that stands by would be no trouble."""

        async def found() -> Member | None:
            ready = [member for member in self.members if await member.ready()]
            return ready[number % len(ready)] if ready else None

        victim = await until(found, "a member that takes deliveries")
        assert victim is not None
        return victim

    async def _send(self, waiting: "asyncio.Queue[str]", number: int) -> None:
        """What Alertmanager does: send again until it is answered with 2xx; here to each address in turn."""
        turn = number
        while not waiting.empty():
            one = waiting.get_nowait()
            text = body(alert(one, self.sent[one]))

            async def taken(text: bytes = text) -> bool:
                nonlocal turn
                turn += 1
                began = self._clock.monotonic()
                try:
                    url = f"{self.members[turn % len(self.members)].url}/api/v1/alertmanager"
                    async with self.http.post(url, data=text) as answer:
                        return answer.status == 200 and self._accepted(began)
                except (aiohttp.ClientError, TimeoutError):
                    return False

            await until(taken, f"{one} to be accepted", deadline=DRAINED)

    def _accepted(self, began: float) -> bool:
        back, fault = self._back_at, self._fault_at
        if fault is not None and began > fault and back is not None and not back.done():
            back.set_result(self._clock.monotonic() - fault)
        return True

    async def drained(self) -> None:
        """Wait until every alert has its incident, and no run is under way."""

        async def over() -> bool:
            for member in self.members:
                if await member.ready():
                    return not (await member.get("runs"))["runs"] and await _count(member) == len(self.sent)
            return False

        await until(over, "the end of every run", deadline=DRAINED)

    async def stop(self) -> None:
        """End all members as one does; each must end well."""
        for member in self.members:
            assert await member.process.stop() == 0, member.process.last_words()

    def judge(self, record: Record) -> Tally:
        """What became of every alert that was sent: all were accepted."""
        return judged(self.sent, self.sink.calls, record)


async def _count(member: Member) -> int:
    """How many incidents there are."""
    count, more = 0, {"limit": "200"}
    while True:
        page = await member.get("incidents", more)
        count += len(page["incidents"])
        if page["cursor"] is None:
            return count
        more["cursor"] = page["cursor"]


@asynccontextmanager
async def rounds_on(
    processes: Processes, folder: Path, sink: Sink, *, members: int = 1, **settings: str
) -> AsyncIterator[Rounds]:
    """A service that runs, with the catalog of `texts`. Several members need PARAMEDIC_DATABASE_URL in `settings`."""
    files = write_catalog(folder, sink.url)
    timeout = aiohttp.ClientTimeout(total=ANSWER)
    async with aiohttp.ClientSession(timeout=timeout, trust_env=False) as http:
        rounds = Rounds([member_on(processes, http, {**files, **settings}) for _ in range(members)], sink, http)
        for member in rounds.members:
            await member.start()
        await rounds.members[0].is_ready()
        yield rounds
