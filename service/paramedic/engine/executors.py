"""Bounded slots in which effects are carried out, by lane: reads, writes, pages, messages. Their answers are inputs.

The turn asks how many slots are free, commits the intents of so many, and starts them. Pages have slots of their own,
so that no flood of reads or messages can keep a page from leaving.
"""

import asyncio
import logging

from paramedic.clock import Clock
from paramedic.core.effects import Apply, lane_of
from paramedic.engine.gate import Gate
from paramedic.engine.holdings import Holdings
from paramedic.engine.inputs import Inbox, Result
from paramedic.engine.perform import Job, Performer
from paramedic.errors import Temporary

__all__ = ["Executors", "write_deadline"]

_log = logging.getLogger(__name__)


class Executors:
    """The slots of one turn. `stop` waits for what is under way, so that nothing outlives the member it acts for."""

    def __init__(
        self, performer: Performer, gate: Gate, holdings: Holdings, inbox: Inbox, clock: Clock, slots: dict[str, int]
    ) -> None:
        self._performer, self._gate, self._holdings, self._inbox, self._clock = performer, gate, holdings, inbox, clock
        self._slots = dict(slots)
        self._busy = dict.fromkeys(slots, 0)
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False

    def free(self, lane: str) -> int:
        """Slots of a lane that nothing occupies; none once it is being stopped."""
        if self._stopping or lane not in self._slots:
            return 0
        return self._slots[lane] - self._busy[lane]

    def reserve(self, lane: str) -> None:
        """Occupy a slot: the intent is on its way, `start` or `give_back` follows."""
        self._busy[lane] += 1

    def give_back(self, lane: str) -> None:
        """The effect is not wanted any more: free its slot."""
        self._busy[lane] -= 1

    def start(self, job: Job) -> None:
        """Carry an effect out in the slot reserved for it; its answer goes to the inbox."""
        lane = lane_of(job.effect)
        task = asyncio.get_running_loop().create_task(self._carry_out(job, lane))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry_out(self, job: Job, lane: str) -> None:
        started = self._clock.monotonic()
        try:
            done = await self._performer.perform(job, self._holdings, self._gate)
            took = self._clock.monotonic() - started
            self._inbox.put(Result(job.incident.id, job.effect, done.event, done.kept, took))
        finally:
            self._busy[lane] -= 1
            self._inbox.wake()

    async def stop(self, patience: float) -> None:
        """Let writes and pages under way come to their end within `patience` seconds, then cut the rest off.

        Raises `Temporary` when something cannot be cut off, which would let it act for a member that is gone.
        """
        self._stopping = True
        if not self._tasks:
            return
        _, left = await asyncio.wait(set(self._tasks), timeout=patience)
        for task in left:
            task.cancel()
        if left:
            _, stuck = await asyncio.wait(left, timeout=5.0)
            if stuck:
                _log.error("%d effects could not be cut off", len(stuck))
                raise Temporary(f"{len(stuck)} effects could not be cut off")


def write_deadline(effect: Apply) -> float:
    """Seconds after which a write whose intent is committed now can no longer be under way."""
    return effect.timeout + 5.0
