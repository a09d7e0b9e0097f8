"""Two members on one real PostgreSQL, and fifty incidents over one target and over three places (promise 4)."""

import asyncio

import pytest

from paramedic.engine.engine import Engine
from paramedic.plugin import Reply
from tests.engine.fifty import CONCURRENT, ONE_TARGET
from tests.engine.stage import Call
from tests.engine.test_postgres import Real, send
from tests.engine.texts import bundle_of
from tests.store.clock import until


class Crowd:
    """How many are inside at once."""

    def __init__(self, real: Real) -> None:
        self.inside = self.most = self.served = 0
        self._clock = real.clock
        real.world.answer = self.answer

    async def answer(self, call: Call) -> Reply:
        if call.endpoint == "hook":
            self.inside += 1
            self.most = max(self.most, self.inside)
            await self._clock.sleep(0.02)
            self.inside -= 1
            self.served += 1
        return Reply(200, {}, b"")


async def shared_out(real: Real) -> None:
    """Wait until both own shards."""

    async def both() -> bool:
        rows = await real.run("select count(*) as n from shard where owner is not null group by owner")
        return len(rows) == 2 and min(row["n"] for row in rows) > 20

    await until(both)


@pytest.mark.parametrize(("text", "at_once"), [(ONE_TARGET, 1), (CONCURRENT, 3)], ids=["target", "concurrent"])
async def test_two_members_keep_to_it_together(database: str, text: str, at_once: int) -> None:
    real = Real(database)
    real.bundle = bundle_of(text)
    crowd = Crowd(real)
    async with real.serving() as first, real.serving() as second:
        await shared_out(real)
        engines: list[Engine] = [first, second]
        await asyncio.gather(*(send(engines[n % 2], f"job{n}") for n in range(50)))

        async def done() -> bool:
            return await real.outcomes() == ["done"] * 50

        await until(done)
        assert crowd.most == at_once
        assert crowd.served == 50
        assert not await real.run("select * from hold")
