"""Recovery: what the fenced members left, read by the one that took over, in one consistent view of the tables."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import asyncpg

from paramedic.store.connect import Connection
from paramedic.store.port import (
    DeliveryRow,
    EffectRow,
    EventRow,
    Fenced,
    HoldRow,
    IncidentRow,
    Recovered,
    TimerRow,
    UseRow,
)
from paramedic.store.postgres.commit import read_switch
from paramedic.store.queries import Query

__all__ = ["recover"]

FETCH = 500  # incidents to a round trip: the driver never holds them all beside the rows made of them


async def recover(
    connection: Connection, queries: Mapping[str, Query], member: int, *, uses_since: datetime, but: Sequence[int]
) -> Recovered:
    """Everything that is open in the member's shards, without those in `but`. Raises `Fenced` when it is fenced."""

    async def rows(name: str, *arguments: object) -> list[asyncpg.Record]:
        return await connection.fetch(queries[name].text, *arguments)

    async with connection.transaction(isolation="repeatable_read", readonly=True):
        owned = await rows("recover_shards", member)
        if not owned:
            raise Fenced(f"member {member} has been fenced: another one has taken over")
        shards = sorted(set(owned[0]["shards"]) - set(but))
        (switch,) = await rows("recover_switch")
        cursor = connection.cursor(queries["recover_incidents"].text, shards, prefetch=FETCH)
        return Recovered(
            shards=shards,
            incidents=[IncidentRow(**row, new=False) async for row in cursor],
            effects=[EffectRow(**row) for row in await rows("recover_effects", shards)],
            timers=[TimerRow(**row) for row in await rows("recover_timers", shards)],
            inbox=[EventRow(**row) for row in await rows("recover_inbox", shards)],
            todo=[DeliveryRow(**row) for row in await rows("recover_todo")],
            holds=[HoldRow(**row) for row in await rows("recover_holds")],
            uses=[UseRow(**row) for row in await rows("recover_uses", uses_since)],
            switch=read_switch(switch),
            now=switch["now"],
        )
