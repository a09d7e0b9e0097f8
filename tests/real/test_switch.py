"""The switch, measured: two processes on one PostgreSQL under load, and one of them is told to stop everything.

Promise 5: no write starts more than a second after the switch was thrown, on either of them. What counts is when the
target was reached, by the clock of the target, and when the switch was thrown is what the service itself says.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import count

import pytest

from paramedic.clock import SystemClock
from tests.real.databases import Database
from tests.real.held import Acting, HeldSink, alert, held_sink
from tests.real.processes import until
from tests.real.services import Service, Services

RATE = 120
"""Alerts a second, for both together."""

SENDERS = 12
WITHIN = 1.0
"""Seconds after the switch was thrown after which no write may reach the target."""


@pytest.fixture
async def held() -> AsyncIterator[HeldSink]:
    async with held_sink() as one:
        yield one


class Load:
    """Alerts at `RATE`, each an incident and a write of its own; `taken` are those that were answered 200."""

    def __init__(self, replicas: list[Service]) -> None:
        self._replicas, self._numbers, self._clock = replicas, count(), SystemClock()
        self._began = self._clock.monotonic()
        self.taken: list[str] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Load"]:
        """Send for as long as the block lasts."""
        senders = [asyncio.create_task(self._send()) for _ in range(SENDERS)]
        try:
            yield self
        finally:
            for one in senders:
                one.cancel()
            await asyncio.gather(*senders, return_exceptions=True)

    async def _send(self) -> None:
        while True:
            number = next(self._numbers)
            ahead = self._began + number / RATE - self._clock.monotonic()
            if ahead > 0:
                await self._clock.sleep(ahead)
            if await self._replicas[number % len(self._replicas)].deliver(alert(f"a{number}")) == 200:
                self.taken.append(f"a{number}")

    async def goes_on(self, alerts: int) -> None:
        """Wait until so many more were taken."""
        goal = len(self.taken) + alerts

        async def enough() -> bool:
            return len(self.taken) >= goal

        await until(enough, f"{alerts} more alerts to be taken")


async def throw(service: Service, mode: str, reason: str) -> None:
    """Set the switch by the API, as a person."""
    await service.command("switch", mode, "--reason", reason)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mode", ["freeze", "off"])
async def test_nothing_is_written_a_second_after_the_switch_is_thrown_on_any_replica(
    serve: Services, outside: Database, held: HeldSink, mode: str
) -> None:
    held.takes = 0.05
    clock = SystemClock()
    replicas = [await serve(Acting(held.url), PARAMEDIC_DATABASE_URL=outside.url) for _ in range(2)]
    async with Load(replicas).running() as load:
        await load.goes_on(RATE * 3)
        await until(lambda: reached(held, RATE), "writes under way")

        await throw(replicas[0], mode, "the test says so")
        thrown = await when_thrown(replicas[0], clock)

        await load.goes_on(RATE * 4)  # none of these may be written, on either of them
        late = {one: at - thrown for one, at in held.at.items() if at > thrown + WITHIN}
        assert late == {}, f"the last write started {max(late.values()):.2f} s after the switch was thrown"
        print(f"the last write started {max(held.at.values()) - thrown:+.3f} s after the switch was thrown")
        for replica in replicas:
            assert (await replica.get("switch"))["in_force"] == mode

        refused = await refusal(replicas[0])
        assert f"the mode is {mode} (" in refused
        assert refused.endswith(": the test says so)"), refused

        written = len(held.keys)
        await throw(replicas[1], "auto", "on again")
        await load.goes_on(RATE)
        await until(lambda: reached(held, written + RATE // 2), "writing to go on")


async def when_thrown(service: Service, clock: SystemClock) -> float:
    """The moment (monotonic) of the turn that moved the switch, before its commit: the database has this clock too."""
    at = datetime.fromisoformat((await service.get("switch"))["at"])
    return clock.monotonic() - (clock.now() - at).total_seconds()


async def reached(held: HeldSink, many: int) -> bool:
    """Whether so many writes have reached the target."""
    return len(held.keys) >= many


async def refusal(service: Service) -> str:
    """What the timeline of one of the latest incidents says that was refused."""

    async def found() -> str:
        for one in (await service.incidents())[-10:]:
            for entry in await service.entries(one["id"]):
                if entry["kind"] == "refused":
                    return str(entry["text"])
        return ""

    return await until(found, "a refusal in a timeline")
