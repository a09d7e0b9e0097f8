"""What a service has left in its database: read behind its back, when it has ended."""

from dataclasses import dataclass

import msgspec

from paramedic.catalog.load import load_body
from paramedic.core.decide import decide
from paramedic.core.events import Event
from paramedic.core.model import Incident
from paramedic.core.words import Outcome
from paramedic.plugin import discover
from paramedic.record.timeline import verify
from paramedic.store.connect import Connection, connect

__all__ = ["Record", "read_record"]

_incidents = msgspec.json.Decoder(Incident)
_events = msgspec.json.Decoder(Event)


@dataclass(frozen=True)
class Record:
    """How many incidents; the ids whose outcome nobody knows, and those about whom a person was told so; leftovers."""

    incidents: int
    unknown: frozenset[str]
    paged: frozenset[str]
    left: tuple[str, ...]


async def read_record(dsn: str) -> Record:
    """Read it all; every incident is checked against promises 8 and 9."""
    connection = await connect(dsn)
    try:
        rows = await connection.fetch("select id, head, state from incident order by id")
        incidents = [_incidents.decode(row["state"]) for row in rows]
        await _check(connection, {row["id"]: row["head"] for row in rows}, incidents)
        unknown = [one for one in incidents if any(past.outcome is Outcome.UNKNOWN for past in one.past)]
        told = await connection.fetch("select incident_id, convert_from(body, 'UTF8') as body from timeline")
        paged = {row["incident_id"] for row in told if "nobody can say whether" in row["body"]}
        return Record(
            incidents=len(incidents),
            unknown=frozenset(_identity(one) for one in unknown),
            paged=frozenset(_identity(one) for one in unknown if one.id in paged and one.paging.level),
            left=await _left(connection),
        )
    finally:
        await connection.close()


def _identity(incident: Incident) -> str:
    return incident.firing.exemplars[0].labels["id"]


async def _left(connection: Connection) -> tuple[str, ...]:
    """What should be empty. Pages may wait: one that was under way is sent again half a minute later."""
    wanted = {
        "deliveries without a route": "select count(*) from delivery where not routed",
        "effects": "select count(*) from effect where lane <> 'page'",
        "reservations": "select count(*) from hold",
        "undecided events": "select count(*) from event where not done",
    }
    counts = {name: await connection.fetchval(sql) for name, sql in wanted.items()}
    return tuple(f"{count} {name}" for name, count in counts.items() if count)


async def _check(connection: Connection, heads: dict[int, bytes], incidents: list[Incident]) -> None:
    plugins = discover()
    bundles = {row["hash"]: load_body(row["body"], plugins) for row in await connection.fetch("select * from bundle")}
    for incident in incidents:
        lines = await connection.fetch(
            "select at, body, hash from timeline where incident_id = $1 order by seq", incident.id
        )
        assert verify(incident.id, [(row["at"], row["body"], row["hash"]) for row in lines], heads[incident.id])
        folded: Incident | None = None
        for row in await connection.fetch("select body from event where incident_id = $1 order by seq", incident.id):
            folded = decide(folded, _events.decode(row["body"]), bundles[incident.bundle]).incident
        assert folded == incident
