"""What can happen to an incident: the inputs of `decide`, recorded as they are, so that folding them again is possible.

Every event carries its time and the global mode in force. Results of effects name the effect by its number `n`.
"""

from datetime import datetime
from typing import Any

import msgspec

from paramedic.core.model import Candidate, Change, Evidence, Exemplar, Failure, Verdict
from paramedic.core.words import Mode, Purpose, Severity

__all__ = [
    "Acted",
    "AlertsSeen",
    "Applied",
    "Calm",
    "Checked",
    "Event",
    "Held",
    "Interrupted",
    "Judged",
    "Late",
    "Messaged",
    "Observed",
    "Opened",
    "Paged",
    "Parked",
    "Planned",
    "Resolved",
    "Swell",
    "TimerFired",
]


class Switched(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="event", tag=str.lower):
    """Who has set the switch below auto and why, in words; empty where it is at auto, or nobody knows."""

    switch: str = ""


class Happening(Switched, frozen=True):
    """Base of all events. `mode` is the global one in force."""

    at: datetime
    mode: Mode


class AlertsSeen(Happening, frozen=True):
    """One delivery's (or one lapse's) effect on this incident's episodes, as counts and bounded exemplars.

    `cause` is `delivery`, `expired`, `doubt` (unanswered: taken as firing) or `person`. Only `opened` may start runs.
    `settled` counts doubts that ended because the alert fires anew, in this incident or in another one.
    `lapses_at` is when the first of its episodes expires unless it is seen again; None: one expiry from now.
    """

    cause: str
    delivery: int | None = None
    opened: int = 0
    reopened: int = 0
    closed: int = 0
    doubted: int = 0
    undoubted: int = 0
    settled: int = 0
    moved: int = 0
    exemplars: tuple[Exemplar, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    severity: Severity | None = None
    lapses_at: datetime | None = None


class Opened(Happening, frozen=True):
    """The incident begins; always the first event, followed by its `AlertsSeen`.

    `storm` is the parent of the storm that it begins in, `openings` how many of the source were new in that minute.
    `by` is the person who opened it by hand, `way` how they came in.
    """

    id: int
    key: str
    shard: int
    source: str
    title: str
    bundle: str
    rule: str
    severity: Severity
    kind: str = "alert"
    previous: int | None = None
    by: str = ""
    storm: int | None = None
    openings: int = 0
    way: str = ""


class Swell(Happening, frozen=True):
    """A storm's parent has got `children` more, or there are so many `openings` in a minute that it `began`.

    `severity` is the highest of them, `rule` one whose policy is to page for that; `exemplars` are some by name.
    """

    openings: int
    children: int = 0
    began: bool = False
    severity: Severity | None = None
    rule: str = ""
    exemplars: tuple[str, ...] = ()


class Calm(Happening, frozen=True):
    """The storm that holds this incident back is over; it goes on by itself after `wait` seconds."""

    wait: float


class Resolved(Happening, frozen=True):
    """The run's target is known by its one name, or why it is not."""

    n: int
    run: int
    target: str = ""
    failure: Failure | None = None


class Judged(Happening, frozen=True):
    """The guards have answered."""

    n: int
    run: int
    verdicts: tuple[Verdict, ...]
    evidence: tuple[Evidence, ...] = ()


class Planned(Happening, frozen=True):
    """An action has said what it would write, or why it cannot."""

    n: int
    run: int
    change: Change | None = None
    failure: Failure | None = None
    evidence: tuple[Evidence, ...] = ()


class Applied(Happening, frozen=True):
    """An action has written, or failed to. `failure.kind` unknown: the call left and nobody knows.

    `halted` says why it stopped between two of its writes.
    """

    n: int
    run: int
    summary: str = ""
    failure: Failure | None = None
    seen: dict[str, Any] = {}
    evidence: tuple[Evidence, ...] = ()
    halted: str = ""


class Observed(Happening, frozen=True):
    """After a crash or a lost answer the target was looked at: is our write there?"""

    n: int
    run: int
    applied: bool | None = None
    summary: str = ""
    failure: Failure | None = None
    evidence: tuple[Evidence, ...] = ()


class Checked(Happening, frozen=True):
    """A check has answered."""

    n: int
    run: int
    verdict: Verdict
    evidence: tuple[Evidence, ...] = ()


class Paged(Happening, frozen=True):
    """A page went out, or did not."""

    n: int
    receipt: str = ""
    failure: Failure | None = None


class Messaged(Happening, frozen=True):
    """An audience was told, or not. `ref` is where its root message stands; `dry` where there is none to be sent."""

    n: int
    ref: str = ""
    failure: Failure | None = None


class Interrupted(Happening, frozen=True):
    """The process that carried effect `n` out is gone; the call may or may not have left."""

    n: int


class Late(Happening, frozen=True):
    """What effect `n` came to, learned when it had been settled without: whoever carried it out was taken for gone.

    `what` it was (apply, page, message), and what it came to: done, halted, or a kind of failure. `came` is when its
    carrier learned that. The rest says which write it was.
    """

    n: int
    what: str
    came_to: str
    text: str
    came: datetime
    run: int = 0
    step: int = 0
    attempt: int = 0
    key: str = ""
    playbook: str = ""
    purpose: Purpose = Purpose.REMEDY


class Held(Happening, frozen=True):
    """Effect `n` waits: something it claims is held by somebody else, or used up until `until`.

    `by` is empty where it has waited long enough, and could leave now.
    """

    n: int
    scope: str
    by: str
    until: datetime | None = None


class TimerFired(Happening, frozen=True):
    """A timer is due; `late` is how many seconds after its moment it fired."""

    name: str
    n: int
    late: float = 0.0


class Acted(Happening, frozen=True):
    """A person did something: ack, take, snooze, escalate, close, link, note, approve, deny, cancel.

    `plan` is the digest of the plan that was looked at, `other` the incident to link. `groups` are the roles and teams
    that the person had at that moment, `way` by which way it came (cli, api, slack…) and `origin` from where.
    """

    who: str
    what: str
    run: int | None = None
    text: str = ""
    until: datetime | None = None
    plan: str = ""
    other: int | None = None
    groups: tuple[str, ...] = ()
    way: str = ""
    origin: str = ""


class Parked(Happening, frozen=True):
    """A fold raised: nothing more is decided here until a version that can. Empty `error`: it can again."""

    error: str = ""


Event = (
    Opened
    | AlertsSeen
    | Resolved
    | Judged
    | Planned
    | Applied
    | Observed
    | Checked
    | Paged
    | Messaged
    | Interrupted
    | Late
    | Held
    | TimerFired
    | Acted
    | Parked
    | Swell
    | Calm
)
