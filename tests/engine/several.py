"""Several processes on one disk and one world, each a member: `play` tells a story and checks what they left."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TypeVar

from paramedic.core.sharing import shard_of
from paramedic.engine.shell import Options
from paramedic.rehearse.loop import VirtualLoop, virtually
from tests.engine.stage import Stage
from tests.engine.texts import catalog, element

__all__ = ["LEASE", "Several", "acted", "fire", "play"]

T = TypeVar("T")

LEASE = 10.0
"""Seconds."""


class Several:
    """The processes, the first of which owns everything at first. `at(0).disk` and `.world` are those of all."""

    def __init__(self, loop: VirtualLoop, text: str) -> None:
        self.loop, self.text = loop, text
        self.stages: list[Stage] = []

    async def join(self) -> Stage:
        """One more process."""
        stage = Stage(self.loop, self.text, Options(jitter=float, signs=1.0, look=0.5), ttl=LEASE)
        if self.stages:
            first = self.stages[0]
            stage.disk, stage.world, stage.clock, stage.batches = first.disk, first.world, first.clock, first.batches
            stage.store, stage.port, stage.engine = stage._process()
        self.stages.append(stage)
        await stage.start()
        return stage

    async def grow(self, count: int) -> list[Stage]:
        """So many processes, with the shards spread over them."""
        stages = [await self.join() for _ in range(count)]
        await self.settled(count)
        return stages

    async def settled(self, count: int) -> None:
        """Wait until so many members own as many shards each, give or take one, and have them in memory."""
        async with asyncio.timeout(60.0):
            while not self._even(count):
                await self.stages[0].pass_(0.25)
        await self.stages[0].pass_(0.25)

    def _even(self, count: int) -> bool:
        members = self.stages[0].disk.members
        owned = [len(members.shards_of(one.id)) for one in members.writing]
        return len(owned) == count and sum(owned) == 64 and max(owned) - min(owned) <= 1

    def owner(self, job: str) -> Stage:
        """The process that deals with the incidents of a job, by the catalog's rule."""
        return next(one for one in self.stages if not one.store.dead and _shard(job) in self.shards(one))

    def shards(self, stage: Stage) -> list[int]:
        """What a process owns, as the disk has it."""
        return stage.disk.members.shards_of(stage.store.member)

    def of(self, stage: Stage, count: int = 1) -> list[str]:
        """Names of jobs that this process deals with."""
        mine = set(self.shards(stage))
        names = (f"job{n}" for n in range(10_000))
        found = (name for name in names if _shard(name) in mine)
        return [next(found) for _ in range(count)]


def acted(several: Several) -> Counter[str]:
    """How often each path was called."""
    return Counter(call.path for call in several.stages[0].world.to("hook"))


async def fire(stage: Stage, job: str, target: str = "") -> None:
    """An alert of a job begins to fire; this process is told."""
    await stage.deliver(element(job, target=target) if target else element(job))


def _shard(job: str) -> int:
    return shard_of(f'default{{job="{job}"}}')


def play(story: Callable[[Several], Awaitable[T]], text: str = "") -> T:
    """Tell a story, then end all processes and check promises 8 and 9 for what they left."""

    async def told(loop: VirtualLoop) -> T:
        several = Several(loop, text or catalog())
        result = await story(several)
        several.stages[0].verify()
        for stage in several.stages:
            stage.kill()
        return result

    return virtually(told)
