"""What waits for a turn, and the queue it waits in. Intake, people, executors and timers put; the turn takes."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice, takewhile

import msgspec

from paramedic.core.effects import Effect
from paramedic.core.events import Event
from paramedic.core.model import Alert
from paramedic.engine.acts import Act, Conflict, Forbidden, NotFound
from paramedic.engine.forwarding import Forwarded, PassedAlerts, Question
from paramedic.intake.delivery import Delivery, Rejected
from paramedic.record.evidence import Kept
from paramedic.store.port import Switch

__all__ = [
    "Act",
    "Asked",
    "Conflict",
    "Delivery",
    "Due",
    "Forbidden",
    "Inbox",
    "Input",
    "Kept",
    "Lost",
    "NotFound",
    "Passed",
    "Rejected",
    "Result",
    "Resumed",
    "Taken",
    "Turned",
    "Waiting",
    "alerts_of",
]


@dataclass(slots=True)
class Waiting:
    """A delivery in the queue. `answer` is set once it is durable; `id` is set once it has been journalled."""

    delivery: Delivery
    since: float
    answer: "asyncio.Future[int] | None"
    id: int | None = None


@dataclass(slots=True)
class Turned:
    """A whole body that is no delivery: to be kept as rejected."""

    source: str
    rejected: Rejected
    answer: "asyncio.Future[None]"


@dataclass(slots=True)
class Asked:
    """A person's act on an incident, or a new position of the switch."""

    incident: int | None
    act: Act | None
    answer: "asyncio.Future[str]"
    switch: Switch | None = None


class Result(msgspec.Struct, frozen=True):
    """What an effect came to: the event, and evidence to keep with it."""

    incident: int
    effect: Effect
    event: Event
    kept: tuple[Kept, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Lost:
    """An effect whose carrier is gone, and whose call can no longer be under way."""

    incident: int
    effect: Effect


@dataclass(frozen=True, slots=True)
class Resumed:
    """What a parked incident has kept, oldest first, with their numbers: the first one raised in an earlier version."""

    incident: int
    kept: tuple[tuple[int, Event], ...]


@dataclass(frozen=True, slots=True)
class Due:
    """A timer that is due."""

    incident: int
    n: int
    due: datetime


@dataclass(frozen=True, slots=True)
class Passed:
    """What another member has forwarded to one of our shards; `row` goes in the commit that acts on it."""

    row: int
    shard: int
    what: Forwarded


@dataclass(slots=True)
class Taken:
    """Shards have become ours: `absorb` takes what was read of them into memory, and `done` is set then."""

    absorb: Callable[[], None]
    done: "asyncio.Future[None]"


Input = Waiting | Turned | Asked | Result | Due | Lost | Resumed | Passed | Taken


def alerts_of(one: Input) -> Sequence[Alert]:
    """The alerts that an input tells of."""
    if isinstance(one, Waiting):
        return one.delivery.alerts
    if isinstance(one, Passed) and isinstance(one.what, PassedAlerts):
        return one.what.alerts
    return ()


@dataclass(slots=True)
class Inbox:
    """The queue of one turn. Slots bound the results, people the acts, `Options.backlog` the deliveries.

    What people ask for is taken before all else: whoever stops something must not wait behind a flood of alerts.
    `newest` is since when the delivery waits that came last (monotonic).
    """

    _queue: deque[Input] = field(default_factory=deque)
    _asked: deque[Input] = field(default_factory=deque)
    _fresh: deque[Waiting] = field(default_factory=deque)
    _awake: asyncio.Event = field(default_factory=asyncio.Event)
    _broken: BaseException | None = None
    _later: list[asyncio.TimerHandle] = field(default_factory=list)
    deliveries: int = 0
    newest: float = 0.0

    def put(self, *inputs: Input) -> None:
        """Add inputs and wake the turn."""
        for one in inputs:
            (self._asked if _is_act(one) else self._queue).append(one)
        deliveries = [one for one in inputs if isinstance(one, Waiting)]
        if deliveries:
            self._fresh.extend(deliveries)
            self.newest = deliveries[-1].since
        self.deliveries += len(deliveries)
        self._awake.set()

    def put_first(self, inputs: Iterable[Input]) -> None:
        """Add before all that waits what was there before it: what was taken already, and what effects came to.

        Whoever takes an effect for lost must hear of it first.
        """
        first = list(inputs)
        for one in reversed(first):
            (self._asked if _is_act(one) else self._queue).appendleft(one)
        self.deliveries += sum(1 for one in first if isinstance(one, Waiting))
        if not self.empty:
            self._awake.set()

    def put_later(self, seconds: float, one: Input) -> None:
        """Add an input in so many seconds."""
        if seconds <= 0:
            self.put(one)
        else:
            self._later.append(asyncio.get_running_loop().call_later(seconds, self.put, one))

    def wake(self) -> None:
        """There is something to do without an input: a free slot, a due timer."""
        self._awake.set()

    def fail(self, error: BaseException) -> None:
        """Make the next `take` raise: what memory holds is no longer what the store holds."""
        self._broken = error
        self._awake.set()

    async def awake(self) -> None:
        """Wait until there is something to do."""
        await self._awake.wait()
        self._awake.clear()
        if self._broken is not None:
            raise self._broken

    def take(self, most: int) -> list[Input]:
        """The oldest inputs, at most `most`; wakes the turn again if some stay behind."""
        taken = [self._asked.popleft() for _ in range(min(most, len(self._asked)))]
        taken += [self._queue.popleft() for _ in range(min(most - len(taken), len(self._queue)))]
        self.deliveries -= sum(1 for one in taken if isinstance(one, Waiting))
        if not self.empty:
            self._awake.set()
        return taken

    @property
    def asked(self) -> bool:
        """Whether a person waits."""
        return bool(self._asked)

    @property
    def empty(self) -> bool:
        """Whether nothing waits."""
        return not self._queue and not self._asked

    @property
    def fresh(self) -> int:
        """Deliveries that are not journalled yet, and wait for their answer."""
        while self._fresh and self._fresh[0].id is not None:
            self._fresh.popleft()
        return len(self._fresh)

    def late(self, before: float, most: int) -> Sequence[Waiting]:
        """The oldest deliveries that are not journalled yet and have waited since a moment (monotonic) or longer."""
        unkept = (one for one in self._fresh if one.id is None)
        return list(islice(takewhile(lambda one: one.since <= before, unkept), most))

    def drain(self) -> list[Input]:
        """Everything that waits, when the turn is over."""
        for handle in self._later:
            handle.cancel()
        left = [*self._asked, *self._queue]
        self._asked.clear()
        self._queue.clear()
        self._fresh.clear()
        self.deliveries = 0
        return left


def _is_act(one: Input) -> bool:
    """Whether a person asks for it, here or through another member."""
    return isinstance(one, Asked) or (isinstance(one, Passed) and isinstance(one.what, Question))
