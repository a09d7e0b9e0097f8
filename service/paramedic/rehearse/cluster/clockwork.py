"""What is due in a cluster, and its time. The cluster asks it to catch up whenever somebody asks the cluster anything.

There are no tasks: a heap holds what is to happen and when, and is worked off in order, each thing at its own moment.
So it runs the same in virtual and in real time, and history before the beginning is simply played.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush

from paramedic.clock import Clock

__all__ = ["Clockwork", "read_stamp"]


class Clockwork:
    """Moments are seconds since the cluster was made; negative ones are its past, which opens at `begins`.

    Whoever is in `listeners` is told when something is due sooner than all that was known.
    """

    def __init__(self, clock: Clock, begins: float = 0.0) -> None:
        self._clock = clock
        self._made = clock.monotonic()
        self._start = clock.now()
        self._heap: list[tuple[float, int, Callable[[], object]]] = []
        self._count = 0
        self._time = min(0.0, begins)
        self._working = False
        self.listeners: list[Callable[[], None]] = []

    @property
    def time(self) -> float:
        """The moment that the cluster has come to."""
        return self._time

    @property
    def present(self) -> float:
        """The moment that it is."""
        return self._clock.monotonic() - self._made

    def stamp(self, seconds: float = 0.0) -> str:
        """The cluster's moment, or so many seconds later, as the API writes it: whole seconds, in UTC."""
        moment = self._start + timedelta(seconds=self._time + seconds)
        return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def since(self, stamp: str) -> float:
        """Seconds from a stamp to the cluster's moment."""
        return (self._start + timedelta(seconds=self._time) - read_stamp(stamp)).total_seconds()

    def after(self, seconds: float, action: Callable[[], object]) -> None:
        """Let `action` happen in so many seconds of the cluster's time."""
        self.at(self._time + max(0.0, seconds), action)

    def at(self, moment: float, action: Callable[[], object]) -> None:
        """Let `action` happen at a moment; of one moment, in the order asked for."""
        self._count += 1
        sooner = not self._heap or moment < self._heap[0][0]
        heappush(self._heap, (moment, self._count, action))
        for listener in self.listeners if sooner else ():
            listener()

    def next_due(self) -> float | None:
        """The moment of the next thing that is due."""
        return self._heap[0][0] if self._heap else None

    def catch_up(self) -> None:
        """Let everything happen that is due by now. What happens may ask for it in turn: that changes nothing."""
        if self._working:
            return
        self._working, until = True, self.present
        try:
            while self._heap and self._heap[0][0] <= until:
                due, _, action = heappop(self._heap)
                self._time = max(self._time, due)
                action()
            self._time = max(self._time, until)
        finally:
            self._working = False


def read_stamp(stamp: str) -> datetime:
    """A moment as the API writes it."""
    return datetime.fromisoformat(stamp)
