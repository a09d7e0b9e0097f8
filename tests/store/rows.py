"""Rows for the stores' tests: each with what it must have, all else as usual."""

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from paramedic.core.model import Episode
from paramedic.core.words import Mode
from paramedic.store.port import (
    AnswerRow,
    Batch,
    BundleRow,
    DeliveryRow,
    EffectRow,
    EventRow,
    EvidenceRow,
    ForwardedRow,
    HoldRow,
    IncidentRow,
    RejectedRow,
    Switch,
    TimelineRow,
    TimerRow,
    UseRow,
)

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def delivery(n: int, **other: Any) -> DeliveryRow:
    return replace(DeliveryRow(n, NOW, "main", b"\x00body %d" % n, routed=True), **other)


def rejected(n: int, **other: Any) -> RejectedRow:
    return replace(RejectedRow(n, NOW, "main", "not JSON", b"\xff\x00"), **other)


def episode(identity: str, *, source: str = "main", alertname: str = "Down", **other: Any) -> Episode:
    labels = {"alertname": alertname, "note": 'it\'s a "test"; drop table episode; -- é'}
    fields: dict[str, Any] = {
        "starts_at": NOW,
        "seen_at": NOW,
        "open": True,
        "incident": 1,
        "count": 1,
        "version": 1,
    } | other
    return Episode(source=source, identity=identity, alertname=alertname, labels=labels, **fields)


def incident(n: int, version: int = 1, **other: Any) -> IncidentRow:
    """Incident `n`; new at its first version."""
    row = IncidentRow(
        id=n,
        shard=n % 64,
        key=f"main/id={n}",
        source="main",
        title=f"Down {n}",
        severity="P1",
        phase="assessing",
        rule="every-alert",
        opened_at=NOW,
        updated_at=at(version),
        version=version,
        events=version,
        entries=2 * version,
        head=b"h%d" % version,
        state=b'{"version":%d}' % version,
        open=True,
        new=version == 1,
    )
    return replace(row, **other)


def event(of: int, seq: int, **other: Any) -> EventRow:
    return replace(EventRow(of, seq, at(seq), b"event %d" % seq), **other)


def decided(of: int, seq: int) -> TimelineRow:
    return TimelineRow(of, seq, at(seq), b"[]", b"hash %d" % seq)


def effect(of: int, n: int, **other: Any) -> EffectRow:
    return replace(EffectRow(of, n, of % 64, "write", b"effect %d" % n), **other)


def timer(of: int, n: int) -> TimerRow:
    return TimerRow(of, n, of % 64, at(60 * n), "page")


def hold(scope: str, of: int = 1, run: int = 1) -> HoldRow:
    return HoldRow(scope, of, run, NOW)


def use(scope: str, when: datetime = NOW, of: int = 1, run: int = 1) -> UseRow:
    return UseRow(scope, when, of, run)


def evidence(digest: str, body: bytes = b"log lines") -> EvidenceRow:
    return EvidenceRow(digest, "logs", body)


def bundle(hash_: str, body: bytes = b"{}") -> BundleRow:
    return BundleRow(hash_, NOW, body)


def forwarded(n: int, shard: int = 3) -> ForwardedRow:
    return ForwardedRow(n, shard, NOW, b"{}")


def answer(n: int) -> AnswerRow:
    return AnswerRow(n, NOW, b"done")


def switch(version: int, mode: Mode = Mode.SHADOW) -> Switch:
    return Switch(mode, at(3600), "alice", "moving house", NOW, version)


def full() -> Batch:
    """A batch with something in every part, over the rows of `before`."""
    return Batch(
        deliveries=[delivery(11), delivery(12, routed=False)],
        routed=[1],
        rejected=[rejected(13), rejected(14, reason="")],
        episodes=[
            episode("b"),
            episode("a", open=False, incident=None, ended_at=at(5), closed_by="resolved", version=2),
        ],
        incidents=[incident(1, 2, phase="responding", title="Worse"), incident(3), incident(4, key="other")],
        events=[event(1, 2), event(3, 1, done=False)],
        events_done=[(1, 1)],
        timeline=[decided(1, 3), decided(3, 1)],
        effects=[effect(3, 1), effect(3, 2, intended=True, until=at(9))],
        intents=[(1, 1, at(30))],
        effects_gone=[(1, 2)],
        timers=[timer(3, 1), timer(3, 2)],
        timers_gone=[(1, 1)],
        holds=[hold("main/shop/api", 3), hold("main/shop/db", 3)],
        holds_gone=["main/shop/api"],
        uses=[use("budget/shop"), use("budget/shop", at(1))],
        evidence=[evidence("d1"), evidence("d2")],
        switch=switch(1),
        forwarded=[forwarded(15), forwarded(16, 4)],
        forwarded_gone=[2],
        answers=[answer(17)],
        given=[(63, 99)],
        tell=True,
    )


def before() -> Batch:
    """What `full` changes."""
    return Batch(
        deliveries=[delivery(1, routed=False)],
        episodes=[episode("a")],
        forwarded=[forwarded(2)],
        incidents=[incident(1)],
        events=[event(1, 1, done=False)],
        timeline=[decided(1, 1)],
        effects=[effect(1, 1), effect(1, 2)],
        timers=[timer(1, 1)],
        holds=[hold("main/shop/api")],
    )
