"""Lives of a process in virtual time, and where each is to die. `woven` is told `tell`, `stage` makes the lives.

The kill is there and then: what the process would do afterwards passes no point any more, so that nothing of it reaches
the store or the world.
"""

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field

__all__ = ["LIFE", "Kill", "Life", "tell"]


@dataclass(frozen=True)
class Kill:
    """Where a process dies: at a point, with its side, when it passes there for the n-th time."""

    at: str
    time: int = 1

    def __str__(self) -> str:
        return self.at if self.time == 1 else f"{self.at} (time {self.time})"


@dataclass
class Life:
    """One process from its start to its end: where it dies, and the points that it has passed, in their order.

    `die` brings its end about; `meanwhile` is told each point that is passed, for what happens beside.
    """

    kill: Kill | None
    die: Callable[[], None]
    meanwhile: Callable[[str], None]
    passed: list[str] = field(default_factory=list)
    dead: bool = False


LIFE: ContextVar[Life | None] = ContextVar("life", default=None)
"""The life that a task belongs to: those that a task starts belong to the same."""


def tell(point: str) -> None:
    """A point is passed; raises `CancelledError` where the process dies, and wherever a dead one would go on."""
    life = LIFE.get()
    if life is None:
        return
    if life.dead:
        raise asyncio.CancelledError
    life.passed.append(point)
    life.meanwhile(point)
    if life.kill is not None and life.kill.at == point and life.passed.count(point) == life.kill.time:
        life.dead = True
        life.die()
        raise asyncio.CancelledError
