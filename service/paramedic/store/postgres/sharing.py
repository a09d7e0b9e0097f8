"""What members ask of each other through the database: who lives, what was forwarded, who claims what.

The store makes one for each membership. Its connection is its own, so that a look around never waits for a commit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType

from paramedic.store.connect import ENGINE
from paramedic.store.port import (
    AnswerRow,
    ClaimRow,
    Fenced,
    ForwardedRow,
    HoldRow,
    OpeningRow,
    ScopeRow,
    Standing,
    UseRow,
)
from paramedic.store.postgres.session import Session
from paramedic.store.queries import Query

__all__ = ["Sharing"]

# A process that stops in the middle of a takeover must not keep the others out.
SHARER = replace(
    ENGINE,
    name="paramedic sharing",
    settings=MappingProxyType({**ENGINE.settings, "idle_in_transaction_session_timeout": "5s"}),
)

UNCLAIMED = timedelta(minutes=5)
"""An answer for which nobody has come by then is thrown away."""


class Sharing:
    """For one member. Everything raises Temporary or Permanent when the database cannot be asked."""

    def __init__(self, dsn: str, member: int, queries: Mapping[str, Query]) -> None:
        self._member = member
        self._queries = queries
        self._session = Session(dsn, SHARER)

    async def standing(self) -> Standing:
        """Who lives, who is gone, and who owns what."""
        async with self._session.open("looking who lives") as connection:
            rows = await connection.fetch(self._queries["members_standing"].text, self._member)
            shards = await connection.fetchrow(self._queries["shards_standing"].text)
        assert shards is not None
        return Standing(
            living={row["id"]: row["shards"] for row in rows if not row["gone"]},
            gone=[row["id"] for row in rows if row["gone"]],
            orphans=shards["orphans"],
            waiting=shards["waiting"],
        )

    async def take_over(self, former: int) -> tuple[Sequence[int], Sequence[int]]:
        """Fence the members that are gone, and `former`; own their shards. Who was fenced, and what was taken."""
        query = self._queries["takeover"]
        async with self._session.open("taking over") as connection, connection.transaction():
            await connection.execute(self._queries["takeover_begin"].text)
            (row,) = await connection.fetch(query.text, *query.arguments(member=self._member, former=former))
        return row["fenced"], row["taken"]

    async def tell(self) -> None:
        """Let the others look at once."""
        async with self._session.open("telling the others") as connection:
            await connection.execute(self._queries["members_told"].text)

    async def forwarded(self, shards: Sequence[int], but: Sequence[int], most: int) -> Sequence[ForwardedRow]:
        """The oldest rows forwarded to these shards."""
        query = self._queries["forwarded"]
        async with self._session.open("reading what was forwarded") as connection:
            rows = await connection.fetch(query.text, *query.arguments(shards=shards, but=but, most=most))
        return [ForwardedRow(**row) for row in rows]

    async def answers(self, ids: Sequence[int]) -> Sequence[AnswerRow]:
        """Take the answers to these questions; those that nobody came for are thrown away.

        Those first: once ours are taken, nothing may keep them from whoever waits.
        """
        async with self._session.open("reading answers") as connection:
            await connection.execute(self._queries["answers_forgotten"].text, UNCLAIMED)
            rows = await connection.fetch(self._queries["answers"].text, ids)
        return [AnswerRow(**row) for row in rows]

    async def storms(self, keys: Sequence[str]) -> Mapping[str, int]:
        """The incidents with these keys that are open and not resolved."""
        query = self._queries["storms"]
        async with self._session.open("looking for storms") as connection:
            rows = await connection.fetch(query.text, *query.arguments(keys=keys))
        return {row["key"]: row["id"] for row in rows}

    async def openings(self, since: datetime, shards: Sequence[int]) -> Sequence[OpeningRow]:
        """How many incidents have begun since a moment and are open, on these shards."""
        query = self._queries["openings"]
        async with self._session.open("counting new incidents") as connection:
            rows = await connection.fetch(query.text, *query.arguments(since=since, shards=shards))
        return [OpeningRow(**row) for row in rows]

    async def scopes(self, names: Sequence[str], since: datetime) -> Sequence[ScopeRow]:
        """These scopes as they stand."""
        query = self._queries["scopes"]
        async with self._session.open("reading scopes") as connection:
            rows = await connection.fetch(query.text, *query.arguments(names=names, since=since))
        found = {row["name"]: ScopeRow(row["name"], row["version"], [], []) for row in rows if row["what"] == "version"}
        holds: dict[str, list[HoldRow]] = {name: [] for name in found}
        uses: dict[str, list[UseRow]] = {name: [] for name in found}
        for row in rows:
            if row["what"] == "hold":
                holds[row["name"]].append(HoldRow(row["name"], row["incident"], row["run"], row["at"]))
            elif row["what"] == "use":
                uses[row["name"]].append(UseRow(row["name"], row["at"], row["incident"], row["run"]))
        return [replace(scope, holds=holds[name], uses=uses[name]) for name, scope in found.items()]

    async def forget_uses(self, before: datetime, most: int) -> int:
        """Delete old uses."""
        query = self._queries["uses_forgotten"]
        async with self._session.open("forgetting old uses") as connection:
            done = await connection.execute(query.text, *query.arguments(before=before, most=most))
        return int(done.rpartition(" ")[2])

    async def claim(self, claims: Sequence[ClaimRow]) -> Sequence[int]:
        """Take each claim whole, or not. Raises `Fenced` besides."""
        query = self._queries["claim"]
        wanted = [(claim.n, scope, seen) for claim in claims for scope, seen in claim.seen.items()]
        holds = [(claim.n, hold) for claim in claims for hold in claim.holds]
        uses = [(claim.n, use) for claim in claims for use in claim.uses]
        arguments = query.arguments(
            member=self._member,
            n=[n for n, _, _ in wanted],
            scope=[scope for _, scope, _ in wanted],
            seen=[seen for _, _, seen in wanted],
            hold_n=[n for n, _ in holds],
            hold_scope=[hold.scope for _, hold in holds],
            hold_incident=[hold.incident for _, hold in holds],
            hold_run=[hold.run for _, hold in holds],
            hold_at=[hold.at for _, hold in holds],
            use_n=[n for n, _ in uses],
            use_scope=[use.scope for _, use in uses],
            use_incident=[use.incident for _, use in uses],
            use_run=[use.run for _, use in uses],
            use_at=[use.at for _, use in uses],
        )
        async with self._session.open("claiming") as connection:
            (row,) = await connection.fetch(query.text, *arguments)
        if not row["alive"]:
            raise Fenced(f"member {self._member} has been fenced: another one has taken over")
        taken: Sequence[int] = row["taken"]
        return taken

    async def close(self) -> None:
        """Close the connection."""
        await self._session.close()
