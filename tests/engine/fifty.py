"""Fifty incidents of three severities over something that they share, and a watch over who acts when."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from paramedic.plugin import Reply
from tests.engine.stage import Call, Stage
from tests.engine.texts import catalog, element

__all__ = [
    "BUDGET",
    "CONCURRENT",
    "DOMAIN",
    "FIFTY",
    "ONE_TARGET",
    "Watch",
    "all_fire",
    "in_order",
    "severity",
    "watched",
]

FIFTY = [f"job{n:02}" for n in range(50)]
SEVERITIES = ("critical", "warning", "info")  # P1, P2, P3

ONE_TARGET = catalog().replace('target: "svc/${params.target}"', 'target: "svc/shared"')
BUDGET = catalog(guards="{budget: {max: 3, per: 1h, across: all}}")
DOMAIN = catalog(guards='{one_at_a_time: {domain: "postgres/orders"}}')
CONCURRENT = catalog(guards="{concurrent: {max: 3, across: all}}")


@dataclass
class Watch:
    """An endpoint that takes half a second, and knows who was in it when, and how many at once."""

    sleep: Callable[[float], Awaitable[None]]
    seconds: float = 0.5
    inside: set[str] = field(default_factory=set)
    most: int = 0
    order: list[str] = field(default_factory=list)

    async def answer(self, call: Call) -> Reply:
        if call.endpoint in ("hook", "raw"):
            job = call.path.partition("=")[2]
            self.order.append(job)
            self.inside.add(job)
            self.most = max(self.most, len(self.inside))
            await self.sleep(self.seconds)
            self.inside.discard(job)
        return Reply(200, {}, b"")


def watched(stage: Stage, seconds: float = 0.5) -> Watch:
    watch = Watch(stage.clock.sleep, seconds)
    stage.world.answer = watch.answer
    return watch


def severity(job: str) -> str:
    return SEVERITIES[int(job[3:]) % 3]


async def all_fire(stage: Stage) -> None:
    """Fifty alerts of three severities, each with an incident of its own, all at the same moment."""
    await asyncio.gather(*(stage.deliver(element(job, severity=severity(job))) for job in FIFTY))


def by_urgency(jobs: list[str]) -> list[str]:
    """As they are to be let in: by severity, then by age. They were delivered in the order of their names."""
    return sorted(jobs, key=lambda job: (SEVERITIES.index(severity(job)), job))


def in_order(served: list[str], first: int) -> bool:
    """Whether all but the first, who found it free, were let in by severity, then by age."""
    return served[first:] == by_urgency(served[first:])
