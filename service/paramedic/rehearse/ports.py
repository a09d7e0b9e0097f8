"""The ports of one process into the simulated world that are not HTTP and no cluster: metrics, changes, alerts.

The stage makes them for each life of the process; a dead process reads nothing more.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from paramedic.clock import Clock
from paramedic.errors import Temporary
from paramedic.ports import Deployed, Measured, Sample, Standing
from paramedic.rehearse.cluster.spec import ChangeWorld

__all__ = ["SimulatedAlerts", "SimulatedChanges", "SimulatedMetrics"]

_MOST = 20


class SimulatedMetrics:
    """The metrics port: answers by `name`, and never looks at the query.

    `read` gives the value of a metric so many seconds ago, or None where there is none.
    """

    def __init__(self, read: Callable[[str, float], float | None], clock: Clock) -> None:
        self._read, self._clock = read, clock
        self.dead = False

    async def instant(self, name: str, query: str, *, max_age: float, timeout: float) -> Measured:
        """One series without labels, taken now; none where the world has no value."""
        return self._at(name, 0.0)

    async def over(
        self, name: str, query: str, *, seconds: float, step: float, max_age: float, timeout: float
    ) -> Sequence[Measured]:
        """What it was every `step` seconds until now."""
        count = round(seconds / step)
        return [self._at(name, seconds - step * n) for n in range(count)] + [self._at(name, 0.0)]

    def _at(self, name: str, ago: float) -> Measured:
        if self.dead:
            raise Temporary("the process is gone")
        value = self._read(name, ago)
        samples = () if value is None else (Sample({}, value),)
        return Measured(self._clock.now() - timedelta(seconds=ago), samples)


class SimulatedAlerts:
    """The port to Alertmanagers: `look` says how a source sees an alert, `named` whether it has an address."""

    def __init__(self, look: Callable[[str, Mapping[str, str]], Standing], named: Callable[[str], bool]) -> None:
        self._look, self._named = look, named
        self.dead = False

    async def standing(self, source: str, labels: Mapping[str, str], *, timeout: float) -> Standing:
        """As its API tells at this moment."""
        if self.dead:
            raise Temporary("the process is gone")
        return self._look(source, labels) if self._named(source) else Standing("unasked")


class SimulatedChanges:
    """The port to reported changes: those of the world that lie before the present."""

    def __init__(self, changes: Sequence[ChangeWorld], clock: Clock, start: datetime) -> None:
        self._clock = clock
        self._changes = [
            Deployed(start + timedelta(seconds=one.at), one.target, one.service, one.version, one.url)
            for one in changes
        ]
        self.dead = False

    async def since(self, target: str, service: str, moment: datetime) -> Sequence[Deployed]:
        """Changes of this target, or of this service if one is given, newest first."""
        if self.dead:
            raise Temporary("the process is gone")
        found = [
            one
            for one in self._changes
            if moment <= one.at <= self._clock.now() and (one.target == target or (service and one.service == service))
        ]
        return sorted(found, key=lambda one: one.at, reverse=True)[:_MOST]
