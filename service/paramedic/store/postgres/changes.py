"""The table of reported changes, over one connection of its own: kept once, read by target, dropped when old.

`app` makes one; `record.changes` puts it behind the port that guards read and the API writes to. The connection is
opened when it is first needed: a service to which nobody reports anything holds none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from paramedic.store.port import ChangeRow
from paramedic.store.postgres.reads import Reader
from paramedic.store.queries import Query

__all__ = ["ChangeTable"]


class ChangeTable:
    """Reported changes in the database at `dsn`. Every call raises `Temporary` when it is away, and may be repeated."""

    def __init__(self, dsn: str, queries: Mapping[str, Query]) -> None:
        self._reader = Reader(dsn, queries)
        self._report, self._since = queries["change_report"], queries["changes_since"]

    async def report(self, row: ChangeRow, *, oldest: datetime) -> bool:
        """Keep it; False if it was reported before. Some changes from before `oldest` are dropped with it."""
        arguments = self._report.arguments(**asdict(row), oldest=oldest)
        async with self._reader.session("keeping a reported change") as connection:
            return await connection.fetchrow(self._report.text, *arguments) is not None

    async def since(self, target: str, service: str, moment: datetime, most: int) -> Sequence[ChangeRow]:
        """Changes of a workload, and of a service where it runs, at `moment` or later: the newest `most`, newest first.

        An empty `service` is none.
        """
        arguments = self._since.arguments(target=target, service=service, since=moment, most=most)
        async with self._reader.session("reading reported changes") as connection:
            rows = await connection.fetch(self._since.text, *arguments)
        return [ChangeRow(**{**row, "at": row["at"].astimezone(UTC)}) for row in rows]

    async def close(self) -> None:
        """Close the connection, if there is one."""
        await self._reader.close()
