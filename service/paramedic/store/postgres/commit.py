"""The commit: everything a turn decided, in one statement on a connection of its own, behind the fence.

The store hands each batch here and gives up its membership when the answer is an error: then nobody knows, without
reading again, what the database holds.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from paramedic.core.words import Mode
from paramedic.store.connect import Connection
from paramedic.store.port import Batch, Committed, Doubtful, Fenced, Switch
from paramedic.store.postgres.parts import Part, parts_of
from paramedic.store.queries import Query

__all__ = ["Committer", "compose", "read_switch"]

PARAMETER = re.compile(r"\$(\d+)")
ALONE = ("switch", "tell")  # parts that do something even where they are given no rows
KEPT = 64  # combinations of parts that have a statement of their own: prepared, each takes 0.4 MB in the server


@dataclass(frozen=True, slots=True)
class Statement:
    """A composed commit."""

    parts: Sequence[Part]
    text: str


class Committer:
    """Commits batches for one member over one connection."""

    def __init__(self, connection: Connection, member: int, queries: Mapping[str, Query], *, timeout: float) -> None:
        self._connection = connection
        self._member = member
        self._parts = parts_of(queries)
        self._queries = queries
        self._statements: dict[tuple[str, ...], Statement] = {}
        self._timeout = timeout

    async def commit(self, batch: Batch) -> Committed:
        """Write the batch: all of it or nothing. Raises `Fenced` or `Doubtful`; after either, `close`."""
        rows = {part.name: part.rows(batch) for part in self._parts}
        statement = self._statement(tuple(name for name, some in rows.items() if some))
        arguments: list[Any] = [self._member]
        for part in statement.parts:
            some = rows[part.name]
            arguments += part.columns(some) if some else part.empty
        arguments.append(sum(len(rows[part.name]) for part in statement.parts if part.counted))
        answer = await self._send(statement.text, arguments)
        if answer is None or answer["alive"] == 0:
            raise Fenced(f"member {self._member} has been fenced: another one has taken over")
        return Committed(read_switch(answer), answer["now"])

    def _statement(self, names: tuple[str, ...]) -> Statement:
        """The statement of these parts; once there are many, that of all parts, which takes empty arrays as well."""
        if names not in self._statements and len(self._statements) >= KEPT:
            names = tuple(part.name for part in self._parts if part.name not in ALONE or part.name in names)
        if names not in self._statements:
            parts = [part for part in self._parts if part.name in names]
            self._statements[names] = Statement(parts, compose(self._queries, parts))
        return self._statements[names]

    def close(self) -> None:
        """Close the connection without waiting."""
        self._connection.terminate()

    async def _send(self, text: str, arguments: Sequence[Any]) -> asyncpg.Record | None:
        try:
            return await self._connection.fetchrow(text, *arguments, timeout=self._timeout)
        except asyncpg.DivisionByZeroError as error:
            raise Doubtful(
                "the commit was undone: an incident, episode, effect, shard or the switch is not as this member knows"
            ) from error
        except TimeoutError as error:
            raise Doubtful(f"the commit was not answered within {self._timeout:g} s") from error
        except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as error:
            raise Doubtful(f"the commit failed: {error}") from error


def compose(queries: Mapping[str, Query], parts: Sequence[Part]) -> str:
    """The statement of these parts. Its parameters: the member, those of each part in order, the expected count."""
    names = {part.name for part in parts}
    given = 0

    def numbered(text: str, params: int) -> str:
        """The text with its parameters moved behind those that are there already."""
        nonlocal given
        moved = PARAMETER.sub(lambda found: f"${int(found[1]) + given}", text)
        given += params
        return moved

    def section(name: str) -> str:
        query = queries[f"commit_{name}"]
        return numbered(query.text, len(query.params))

    ctes = [f"fence as materialized ({section('fence')})"]
    for part in parts:
        text = numbered(part.text, part.params)
        if part.after in names:
            # Counting all of the other part's rows makes it run to its end first.
            text += f" where (select count(*) from did_{part.after}) >= 0"
        ctes.append(f"did_{part.name} as ({text})")
    counts = " + ".join(f"(select count(*) from did_{part.name})" for part in parts if part.counted)
    ctes.append(f"written as (select {counts or '0'} as n)")
    ctes.append(f"standing as ({'select * from did_switch' if 'switch' in names else section('switch_kept')})")
    return "with " + ",\n".join(ctes) + "\n" + section("answer")


def read_switch(row: asyncpg.Record) -> Switch:
    """The switch out of a row that has its columns."""
    return Switch(Mode(row["mode"]), row["until"], row["who"], row["reason"], row["at"], row["version"])
