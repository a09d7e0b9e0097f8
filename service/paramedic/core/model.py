"""The values that the core folds: alerts, episodes, runs, incidents. Frozen, typed, and stored as JSON as they are.

The stored state of an incident is one `Incident`; the engine keeps it as bytes and decodes it for each fold.
Times are aware datetimes in UTC; durations are seconds.
"""

from datetime import datetime
from typing import Literal

import msgspec

from paramedic.core.outgoing import Paging, Retry, Sent, Told
from paramedic.core.runs import (
    Approval,
    Ask,
    Candidate,
    Change,
    Claim,
    Evidence,
    Failure,
    Past,
    Run,
    StepRecord,
    Temporary,
    Value,
    Verdict,
)
from paramedic.core.words import Phase, Severity

__all__ = [
    "Alert",
    "Approval",
    "Ask",
    "Candidate",
    "Change",
    "Claim",
    "Episode",
    "Evidence",
    "Exemplar",
    "Failure",
    "Firing",
    "Incident",
    "Outstanding",
    "Paging",
    "Past",
    "Retry",
    "Run",
    "Sent",
    "StepRecord",
    "Storm",
    "Temporary",
    "Timer",
    "Told",
    "Turn",
    "Verdict",
]


class Alert(Value, frozen=True):
    """One element of a delivery. Its identity is (source, sha256 of the sorted labels), never the sender's claim."""

    source: str
    identity: str
    labels: dict[str, str]
    annotations: dict[str, str]
    firing: bool
    starts_at: datetime
    ends_at: datetime | None = None
    url: str = ""


class Episode(Value, frozen=True):
    """The latest continuous firing of one alert: the one row we keep of an identity.

    `ended_at` is the newest end that any delivery claimed; `closed_by` is empty while open. `doubted_at` is set while
    a firing that may be a twin's echo waits for its answer. `version` counts what was stored of it.
    """

    source: str
    identity: str
    alertname: str
    labels: dict[str, str]
    starts_at: datetime
    seen_at: datetime
    open: bool = False
    incident: int | None = None
    ended_at: datetime | None = None
    closed_by: str = ""
    doubted_at: datetime | None = None
    count: int = 0
    version: int = 0


class Exemplar(Value, frozen=True):
    """An alert of the incident, kept to explain it and to give `alert` in expressions its value."""

    identity: str
    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: datetime
    open: bool = True


class Turn(Value, frozen=True):
    """A moment at which the incident's alerts began to fire, or one of them was over."""

    at: datetime
    firing: bool = False


class Firing(Value, frozen=True):
    """The incident's episodes, as counts and at most 20 exemplars. `cleared_at` is set while none is open.

    `turns` are the last 20, oldest first: after one to firing comes one to over, however many alerts follow each other.
    """

    open: int = 0
    total: int = 0
    doubted: int = 0
    exemplars: tuple[Exemplar, ...] = ()
    since: datetime | None = None
    cleared_at: datetime | None = None
    seen_at: datetime | None = None
    turns: tuple[Turn, ...] = ()


class Timer(Value, frozen=True):
    """A due moment of an incident; `n` is its row's number."""

    n: int
    due: datetime


class Outstanding(Value, frozen=True):
    """An effect that was asked for and has not been answered: what it is, so that a late answer can be placed."""

    what: str
    level: int = 0
    to: str = ""
    notifier: str = ""
    dedup_key: str = ""
    tries: int = 1
    verb: Literal["trigger", "acknowledge", "resolve"] = "trigger"
    second: bool = False


class Storm(Value, frozen=True):
    """What a storm's parent knows of its children: counts, and at most 20 of them by name.

    `recent` are the new incidents of the last minute, as (moment, count); `busy_at` is when they last were many.
    `counted` is how many children the timeline has told of; `worst` the severity that its pages went out for.
    """

    children: int = 0
    exemplars: tuple[str, ...] = ()
    recent: tuple[tuple[datetime, int], ...] = ()
    busy_at: datetime | None = None
    counted: int = 0
    worst: Severity | None = None


class Incident(Value, frozen=True):
    """Everything known about an incident that a decision may depend on.

    `told` holds, by audience, what it has been told; `news` the last lines of the timeline that somebody is still to be
    told, of `lines` that there were. `late` are the effects whose late results are recorded, the newest last.
    `storm` is the parent of a storm that holds this incident back, `storming` what such a parent knows itself.
    `opened_by` is the person who opened it by hand, `links` the last incidents that people have linked it to.
    """

    id: int
    key: str
    shard: int
    source: str
    title: str
    bundle: str
    rule: str
    severity: Severity
    phase: Phase
    opened_at: datetime
    updated_at: datetime
    kind: str = "alert"
    decided_by: int = 1
    open: bool = True
    resolved_at: datetime | None = None
    fixed_by: str = ""
    previous: int | None = None
    owner: str = ""
    parked: str = ""
    recurrence: int = 0
    fixes: tuple[datetime, ...] = ()
    firing: Firing = Firing()
    run: Run | None = None
    past: tuple[Past, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    temporaries: tuple[Temporary, ...] = ()
    paging: Paging = Paging()
    told: dict[str, Told] = msgspec.field(default_factory=dict)
    news: tuple[str, ...] = ()
    lines: int = 0
    timers: dict[str, Timer] = msgspec.field(default_factory=dict)
    effects: dict[int, Outstanding] = msgspec.field(default_factory=dict)
    numbered: int = 0
    runs: int = 0
    late: tuple[int, ...] = ()
    storm: int | None = None
    storming: Storm | None = None
    opened_by: str = ""
    links: tuple[int, ...] = ()

    @property
    def ref(self) -> str:
        """The name people use: INC-12."""
        return f"INC-{self.id}"
