"""What a service has left in its database: read behind its back, when it has ended."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from paramedic.catalog.load import load_body
from paramedic.core.bundle import Bundle
from paramedic.core.decide import decide
from paramedic.core.events import Event
from paramedic.core.model import Incident
from paramedic.core.words import Outcome
from paramedic.plugin import discover
from paramedic.record.timeline import decode_entries, verify
from paramedic.store.connect import Connection, connect
from tests.crash.compare import plain

__all__ = ["Record", "read_record"]

_incidents = msgspec.json.Decoder(Incident)
_events = msgspec.json.Decoder(Event)
AT_ONCE = 500
SOME = "select id, head, state from incident where id > $1 order by id limit $2"


@dataclass(frozen=True)
class Record:
    """How many incidents; the ids whose outcome nobody knows, and those about whom a person was told so; leftovers.

    `tellings` are the timelines of all others, by endpoint, each once: without ids, moments and interruptions.
    """

    incidents: int
    unknown: frozenset[str]
    paged: frozenset[str]
    left: tuple[str, ...]
    tellings: Mapping[str, frozenset[str]] = field(default_factory=dict)


async def read_record(dsn: str) -> Record:
    """Read it all; every incident is checked against promises 8 and 9."""
    connection = await connect(dsn)
    try:
        plugins = discover()
        bundles = {
            one["hash"]: load_body(one["body"], plugins) for one in await connection.fetch("select * from bundle")
        }
        count, last, unknown, paged = 0, 0, set[str](), set[str]()
        tellings: dict[str, set[str]] = defaultdict(set)
        while rows := await connection.fetch(SOME, last, AT_ONCE):
            count, last = count + len(rows), rows[-1]["id"]
            told, events = [await _lines(connection, table, rows) for table in ("timeline", "event")]
            for row in rows:
                incident, lines = _incidents.decode(row["state"]), told[row["id"]]
                _check(incident, row["head"], lines, events[incident.id], bundles[incident.bundle])
                if any(past.outcome is Outcome.UNKNOWN for past in incident.past):
                    unknown.add(_identity(incident))
                    if incident.paging.level and any(b"nobody can say whether" in one["body"] for one in lines):
                        paged.add(_identity(incident))
                else:
                    tellings[incident.firing.exemplars[0].labels.get("endpoint", "")].add(_telling(incident, lines))
        alike = {endpoint: frozenset(some) for endpoint, some in tellings.items()}
        return Record(count, frozenset(unknown), frozenset(paged), await _left(connection), alike)
    finally:
        await connection.close()


def _identity(incident: Incident) -> str:
    return incident.firing.exemplars[0].labels["id"]


def _telling(incident: Incident, lines: Sequence[Any]) -> str:
    entries = [entry for line in lines for entry in decode_entries(line["body"])]
    return str(sorted(plain(entries).items())).replace(_identity(incident), "ID")


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


async def _lines(connection: Connection, table: str, incidents: Sequence[Any]) -> dict[int, list[Any]]:
    """The rows of the timeline, or of the events, by incident and in their order."""
    found: dict[int, list[Any]] = {row["id"]: [] for row in incidents}
    for row in await connection.fetch(
        f"select * from {table} where incident_id = any($1::bigint[]) order by incident_id, seq", list(found)
    ):
        found[row["incident_id"]].append(row)
    return found


def _check(incident: Incident, head: bytes, lines: list[Any], events: list[Any], bundle: Bundle) -> None:
    assert verify(incident.id, [(row["at"], row["body"], row["hash"]) for row in lines], head)
    folded: Incident | None = None
    for row in events:
        folded = decide(folded, _events.decode(row["body"]), bundle).incident
    assert folded == incident
