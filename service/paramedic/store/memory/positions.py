"""How far a `MemoryDisk` has come: as `postgres.positions`, for rehearsals of what a restored database leads to."""

from dataclasses import replace

from paramedic.clock import Clock
from paramedic.core.positions import Found, Position
from paramedic.store.memory.disk import MemoryDisk, Reached

__all__ = ["MemoryPositions"]


class MemoryPositions:
    """Positions of one disk."""

    def __init__(self, disk: MemoryDisk, clock: Clock) -> None:
        self._disk, self._clock = disk, clock

    async def find(self, who: str) -> Found:
        """How the disk is now, and what it holds of ours."""
        disk = self._disk
        ours = disk.reached.get(who)
        frozen = [one.frozen for one in disk.reached.values() if one.frozen and one.frozen_in == disk.system]
        return Found(ours.mark if ours else 0, disk.system, disk.written, max(frozen, default=None))

    async def mark(self, who: str, mark: int) -> Position:
        """Write our next mark; what is to be remembered."""
        disk, now = self._disk, self._clock.now()
        before = disk.reached.get(who, Reached())
        disk.reached[who] = after = replace(before, mark=max(before.mark, mark))
        disk.written += 1
        return Position(who, after.mark, disk.system, disk.written, now)

    async def froze(self, who: str) -> None:
        """Note that this disk was frozen."""
        before = self._disk.reached.get(who, Reached())
        self._disk.reached[who] = replace(before, frozen=self._clock.now(), frozen_in=self._disk.system)
