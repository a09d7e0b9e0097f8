"""What CI reported, as guards read it and the API writes it: the port `Changes` of the service, over the store's table.

A change is kept for 30 days, longer than any guard looks back; what a guard relied on stays in the timeline for good.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from paramedic.clock import Clock
from paramedic.ports import Deployed
from paramedic.store.port import ChangeRow

__all__ = ["AHEAD", "KEPT", "ReportedChanges"]

KEPT: Final = timedelta(days=30)
"""How long a reported change is kept."""

AHEAD: Final = timedelta(minutes=5)
"""How far the clock of whoever reports may be ahead of ours."""

_MOST = 20


class Table(Protocol):
    """Where the rows are."""

    async def report(self, row: ChangeRow, *, oldest: datetime) -> bool:
        """Keep it; False if it was there."""
        ...

    async def since(self, target: str, service: str, moment: datetime, most: int) -> Sequence[ChangeRow]:
        """The newest rows, newest first."""
        ...


class ReportedChanges:
    """The changes that were reported to this service."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table, self._clock = table, clock

    async def report(self, change: Deployed) -> bool:
        """Keep a change; False if the same one was reported before. Raises `Temporary`."""
        row = ChangeRow(change.target, change.service, change.version, change.at, change.url, change.by)
        return await self._table.report(row, oldest=self._clock.now() - KEPT)

    async def since(self, target: str, service: str, moment: datetime) -> Sequence[Deployed]:
        """As `ports.Changes.since`."""
        rows = await self._table.since(target, service, moment, _MOST)
        return [Deployed(row.at, row.target, row.service, row.version, row.url, row.who) for row in rows]
