"""Incidents for the tests of the console, written into the database exactly as the engine writes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import msgspec

from paramedic.core.decision import Entry
from paramedic.core.model import (
    Change,
    Evidence,
    Exemplar,
    Firing,
    Incident,
    Paging,
    Past,
    Run,
    Timer,
)
from paramedic.core.words import Mode, Outcome, Phase, Severity, Stage
from paramedic.record.timeline import chain, encode_entries, first_link
from paramedic.store.connect import Connection

__all__ = [
    "HOSTILE",
    "NOW",
    "an_incident",
    "approval",
    "evidence",
    "keep_evidence",
    "paged",
    "past",
    "run",
    "told",
    "write",
]

NOW = datetime(2026, 5, 12, 2, 31, 0, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>\x1b[31m\"'&\u202egpj.exe\u2066\x07\nsecond line"


@dataclass(frozen=True)
class FixedClock:
    """A clock that stands still, so that ages can be asserted; its sleep only lets others run."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        return None


def an_incident(number: int, **changes: Any) -> Incident:
    """An open incident, opened `number` minutes before NOW, with one firing alert."""
    opened = NOW - timedelta(minutes=number)
    alert = Exemplar("a1", {"alertname": "HighErrorRate", "job": "api"}, {"summary": "Errors"}, opened)
    incident = Incident(
        id=number,
        key=f'main{{n="{number}"}}',
        shard=number % 64,
        source="main",
        title=f"HighErrorRate shop/api-{number}",
        bundle="4f1c9a",
        rule="high-error-rate",
        severity=Severity.P2,
        phase=Phase.RESPONDING,
        opened_at=opened,
        updated_at=opened,
        firing=Firing(open=1, total=1, exemplars=(alert,), since=opened),
        paging=Paging(policy="sre-critical"),
    )
    return msgspec.structs.replace(incident, **changes)


def run(stage: Stage = Stage.VERIFYING, **changes: Any) -> Run:
    """An active run of a rollback."""
    change = Change("image api:42 → api:41", {"image": "api:41"}, {"image": "api:42"}, {"image": "api:42"}, "d1" * 32)
    made = Run(
        n=1,
        rule="high-error-rate",
        playbook="roll-back-bad-change",
        target="main/shop/deployment/api",
        identity="a1",
        params={"workload": "deployment/api"},
        severity=Severity.P2,
        mode=Mode.AUTO,
        started_at=NOW - timedelta(minutes=1),
        stage=stage,
        change=change,
    )
    return msgspec.structs.replace(made, **changes)


def approval(number: int, **changes: Any) -> Incident:
    """An incident whose run waits for an approval until ten minutes from NOW."""
    timers = {"approval": Timer(7, NOW + timedelta(minutes=10))}
    return an_incident(number, run=run(Stage.APPROVAL), timers=timers, runs=1, **changes)


def paged(number: int, level: int = 1, **changes: Any) -> Incident:
    """An incident that was paged at `level` and that nobody has acknowledged."""
    return an_incident(number, paging=Paging(policy="sre-critical", level=level), **changes)


def past(outcome: Outcome, reason: str = "", n: int = 1) -> Past:
    """A run that has ended."""
    return Past(n, "restart", "main/shop/deployment/api", outcome, NOW - timedelta(minutes=2), reason, acted=True)


def told(*texts: str, kind: str = "note") -> list[tuple[Entry, ...]]:
    """One row of the timeline for each text."""
    return [(Entry(kind, text),) for text in texts]


def evidence(name: str, body: bytes) -> Evidence:
    """The reference of a piece of evidence."""
    return Evidence(name, sha256(body).hexdigest(), len(body))


async def keep_evidence(connection: Connection, name: str, body: bytes) -> Evidence:
    """Store evidence; its reference."""
    about = evidence(name, body)
    await connection.execute("insert into evidence values ($1, $2, $3)", about.digest, name, body)
    return about


async def write(connection: Connection, *incidents: Incident, rows: Sequence[Sequence[Entry]] = ()) -> None:
    """Write incidents, each with these rows of timeline (one second apart, from its opening)."""
    for incident in incidents:
        link, count = first_link(incident.id), 0
        for position, entries in enumerate(rows):
            at, body = incident.opened_at + timedelta(seconds=position), encode_entries(tuple(entries))
            link = chain(link, at, body)
            values = (incident.id, count + 1, at, body, link)
            await connection.execute("insert into timeline values ($1, $2, $3, $4, $5)", *values)
            count += len(entries)
        await _write_incident(connection, incident, count, link)


async def _write_incident(connection: Connection, incident: Incident, entries: int, head: bytes) -> None:
    columns = {
        "id": incident.id,
        "shard": incident.shard,
        "key": incident.key,
        "source": incident.source,
        "title": incident.title,
        "severity": incident.severity,
        "phase": incident.phase,
        "rule": incident.rule,
        "opened_at": incident.opened_at,
        "updated_at": incident.updated_at,
        "version": 1,
        "events": 1,
        "entries": entries,
        "head": head,
        "state": msgspec.json.encode(incident),
        "open": incident.open,
    }
    places = ", ".join(f"${n}" for n in range(1, len(columns) + 1))
    await connection.execute(f"insert into incident ({', '.join(columns)}) values ({places})", *columns.values())
