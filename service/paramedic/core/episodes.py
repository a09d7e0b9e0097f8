"""What a delivery's element means for its alert: the rules of episodes, independent of order and of repetition.

Routing asks `observe` for every element and writes the episode it answers; timers ask `lapsed` and `unanswered`.
An element is a sample of state, not an event: it may be late, repeated, out of order, or a twin's echo.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from paramedic.core.model import Alert, Episode

__all__ = ["DOUBT", "Change", "lapse_due", "lapsed", "observe", "released", "unanswered"]

Change = Literal["opened", "reopened", "moved", "seen", "closed", "doubted", "undoubted", "noted", "ignored"]

DOUBT = timedelta(minutes=2)
"""How long a firing that may be an echo waits for an answer before it is taken as real."""

_UNSEEN = 1.25
"""A sighting is written only after a quarter of the expiry, so an unwritten one may be that much younger."""


def observe(known: Episode | None, alert: Alert, now: datetime, expiry: float) -> tuple[Episode, Change]:
    """The alert's episode after this element, and what changed. `expiry` is the source's, in seconds.

    `ignored` means that nothing needs writing.
    """
    if known is None:
        return _first(alert, now)
    if alert.firing:
        return _firing_open(known, alert, now, expiry) if known.open else _firing_closed(known, alert, now)
    return _resolved(known, alert, now)


def _first(alert: Alert, now: datetime) -> tuple[Episode, Change]:
    episode = Episode(
        source=alert.source,
        identity=alert.identity,
        alertname=alert.labels.get("alertname", ""),
        labels=alert.labels,
        starts_at=alert.starts_at,
        seen_at=now,
    )
    if alert.firing:
        return msgspec.structs.replace(episode, open=True, count=1), "opened"
    return msgspec.structs.replace(episode, ended_at=alert.ends_at or now, closed_by="resolved"), "noted"


def _firing_open(known: Episode, alert: Alert, now: datetime, expiry: float) -> tuple[Episode, Change]:
    # A later start without a resolved in between is a flap that nobody told us of: the same episode goes on.
    if alert.starts_at > known.starts_at:
        return msgspec.structs.replace(known, starts_at=alert.starts_at, seen_at=now), "moved"
    if (now - known.seen_at).total_seconds() >= expiry / 4:
        return msgspec.structs.replace(known, seen_at=now), "seen"
    return known, "ignored"


def _firing_closed(known: Episode, alert: Alert, now: datetime) -> tuple[Episode, Change]:
    if known.closed_by == "resolved" and known.ended_at is not None and alert.starts_at <= known.ended_at:
        # A twin's echo of what is over, or a real refire whose start was not moved: only Alertmanager can say.
        if known.doubted_at is not None:
            return known, "ignored"
        return msgspec.structs.replace(known, doubted_at=now, seen_at=now), "doubted"
    repeated = known.closed_by in ("expired", "person") and alert.starts_at <= known.starts_at
    change: Change = "reopened" if repeated else "opened"
    episode = msgspec.structs.replace(
        known,
        open=True,
        starts_at=max(alert.starts_at, known.starts_at),
        seen_at=now,
        closed_by="",
        doubted_at=None,
        count=known.count + (0 if repeated else 1),
    )
    return episode, change


def _resolved(known: Episode, alert: Alert, now: datetime) -> tuple[Episode, Change]:
    end = alert.ends_at or now
    newer = known.ended_at is None or end > known.ended_at
    if known.open:
        if newer and end > known.starts_at:
            return msgspec.structs.replace(known, open=False, ended_at=end, closed_by="resolved", seen_at=now), "closed"
        return known, "ignored"
    if known.doubted_at is not None and known.ended_at is not None and end >= known.ended_at:
        return msgspec.structs.replace(known, ended_at=end, doubted_at=None, seen_at=now), "undoubted"
    if newer:
        start = max(known.starts_at, alert.starts_at)
        return msgspec.structs.replace(known, ended_at=end, starts_at=start, closed_by="resolved"), "noted"
    return known, "ignored"


def lapsed(episodes: Iterable[Episode], now: datetime, expiry: float) -> list[Episode]:
    """The open episodes that nobody has confirmed for `expiry` seconds, closed."""
    return [
        msgspec.structs.replace(one, open=False, closed_by="expired")
        for one in episodes
        if one.open and lapse_due(one.seen_at, expiry) <= now
    ]


def lapse_due(seen_at: datetime, expiry: float) -> datetime:
    """When an episode whose last written sighting is `seen_at` counts as over."""
    return seen_at + timedelta(seconds=expiry * _UNSEEN)


def unanswered(episodes: Iterable[Episode], now: datetime) -> list[Episode]:
    """The doubted episodes that waited long enough: taken as firing again."""
    return [
        msgspec.structs.replace(one, open=True, closed_by="", doubted_at=None, seen_at=now)
        for one in episodes
        if one.doubted_at is not None and one.doubted_at + DOUBT <= now
    ]


def released(episodes: Iterable[Episode], now: datetime) -> list[Episode]:
    """Every open or doubted episode, closed because a person closed the incident."""
    return [
        msgspec.structs.replace(one, open=False, closed_by="person", doubted_at=None, seen_at=now)
        for one in episodes
        if one.open or one.doubted_at is not None
    ]
