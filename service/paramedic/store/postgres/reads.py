"""What the engine reads beside its commits: episodes, numbers, the switch, bundles; and what a new member recovers.

One connection, opened when it is first needed and anew after an error, so that reads run while a commit is in flight.
A failed read changes nothing: it raises Temporary (or Permanent) and may be tried again.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager

import asyncpg
import msgspec

from paramedic.core.model import Episode
from paramedic.store.connect import ENGINE, Connection
from paramedic.store.port import BundleRow, Place, Switch
from paramedic.store.postgres.commit import read_switch
from paramedic.store.postgres.session import Session
from paramedic.store.queries import Query

__all__ = ["Reader"]

NUMBERS = 100  # incident numbers to a block: the increment of the sequence


class Reader:
    """Reads one thing at a time over its own connection."""

    def __init__(self, dsn: str, queries: Mapping[str, Query]) -> None:
        self._queries = queries
        self._session = Session(dsn, ENGINE)
        self._episode = msgspec.json.Decoder(Episode).decode

    def session(self, doing: str) -> AbstractAsyncContextManager[Connection]:
        """The connection, for one reader at a time."""
        return self._session.open(doing)

    async def close(self) -> None:
        """Close the connection; the next read opens another one."""
        await self._session.close()

    async def episodes(self, identities: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Episode]:
        """The latest episodes of these (source, identity) pairs."""
        pairs = list(identities)
        query = self._queries["episodes"]
        arguments = query.arguments(source=[pair[0] for pair in pairs], identity=[pair[1] for pair in pairs])
        found = await self._read_episodes(query, *arguments)
        return {(episode.source, episode.identity): episode for episode in found}

    async def episodes_of(self, incident: int) -> Sequence[Episode]:
        """The open or doubted episodes of an incident."""
        return await self._read_episodes(self._queries["episodes_of"], incident)

    async def open_episodes(self, alertnames: Sequence[str] | None) -> Sequence[Episode]:
        """The open episodes with one of these alertnames (None: any)."""
        if alertnames is None:
            found = await self._read_episodes(self._queries["episodes_live"])
        else:
            found = await self._read_episodes(self._queries["episodes_live_named"], list(set(alertnames)))
        return [episode for episode in found if episode.open]

    async def incident_numbers(self, blocks: int) -> Sequence[range]:
        """Fresh blocks of incident numbers."""
        rows = await self._fetch("taking incident numbers", self._queries["incident_numbers"], blocks)
        return [range(row["first"], row["first"] + NUMBERS) for row in rows]

    async def places(self, incidents: Iterable[int]) -> Mapping[int, Place]:
        """Where these incidents are; unknown ones are absent."""
        rows = await self._fetch("looking incidents up", self._queries["places"], list(incidents))
        return {row["id"]: Place(row["shard"], row["open"]) for row in rows}

    async def switch(self) -> Switch:
        """The switch, read now."""
        (row,) = await self._fetch("reading the switch", self._queries["switch"])
        return read_switch(row)

    async def bundle(self, hash_: str | None) -> BundleRow | None:
        """The bundle with this hash; None: the one in force."""
        if hash_ is None:
            rows = await self._fetch("reading the bundle", self._queries["bundle_in_force"])
        else:
            rows = await self._fetch("reading a bundle", self._queries["bundle"], hash_)
        return BundleRow(**rows[0]) if rows else None

    async def adopt(self, bundle: BundleRow, expected: str | None) -> bool:
        """Keep the bundle and move the pointer from `expected` to it."""
        query = self._queries["bundle_adopt"]
        arguments = query.arguments(hash=bundle.hash, at=bundle.at, body=bundle.body, expected=expected)
        (row,) = await self._fetch("adopting a bundle", query, *arguments)
        return bool(row[0])

    async def _read_episodes(self, query: Query, *arguments: object) -> list[Episode]:
        rows = await self._fetch("reading episodes", query, *arguments)
        return [_at(self._episode(row["body"]), row["version"]) for row in rows]

    async def _fetch(self, doing: str, query: Query, *arguments: object) -> list[asyncpg.Record]:
        async with self.session(doing) as connection:
            return await connection.fetch(query.text, *arguments)


def _at(episode: Episode, version: int) -> Episode:
    """The column counts: an older member writes the body alone."""
    return episode if episode.version == version else msgspec.structs.replace(episode, version=version)
