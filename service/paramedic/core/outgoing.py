"""What has gone out to people, as an incident remembers it: its pages, and what each audience has been told.

Part of the stored state: `model` holds it. Times are aware datetimes in UTC.
"""

from datetime import datetime
from typing import Literal

import msgspec

__all__ = ["Outgoing", "Paging", "Retry", "Sent", "Told"]


class Outgoing(msgspec.Struct, frozen=True, omit_defaults=True):
    """Base of these values: immutable, and absent fields take no room."""


class Sent(Outgoing, frozen=True):
    """A page that went out to somebody."""

    level: int
    to: str
    notifier: str
    dedup_key: str


class Retry(Outgoing, frozen=True):
    """A page that failed and is to be tried again."""

    level: int
    to: str
    notifier: str
    dedup_key: str
    tries: int
    verb: Literal["trigger", "acknowledge", "resolve"] = "trigger"


class Paging(Outgoing, frozen=True):
    """Where the climb through the escalation policy stands.

    `level` is the last level paged (0: none yet); `sent` holds the effect and deduplication key of each page that is
    open with a notifier; `retries` what failed and is due again; `acked_by` stops the climb until the hold runs out.
    `dry` names the notifiers of which the timeline says that they reach nobody.
    """

    policy: str = ""
    level: int = 0
    generation: int = 1
    due: datetime | None = None
    sent: tuple[Sent, ...] = ()
    retries: tuple[Retry, ...] = ()
    acked_by: str = ""
    acked_at: datetime | None = None
    snoozed_until: datetime | None = None
    reason: str = ""
    dry: tuple[str, ...] = ()


class Told(Outgoing, frozen=True):
    """What one audience has been told, and what is under way to it.

    `ref` is where its root message stands and `root` what it says; `upto` counts the timeline's lines that are told,
    `parts` the messages of the thread. `owed` and `goal`: the root, and lines up to this one, are to be told as soon as
    it may be; `over` is whether the incident was over when that was decided. `at` is when something went out last,
    `next_at` when the next round is due, nothing is sent before `wait`. `trying` is what is under way (as `effect`) or
    tried again: `offered` and `offered_upto` are what it tells, `since` is when it was tried first, `doubtful`: it may
    have arrived after all.
    `fault` is the failure that was noted last.
    """

    ref: str = ""
    root: str = ""
    upto: int = 0
    parts: int = 0
    owed: bool = False
    goal: int = 0
    over: bool = False
    last: Literal["", "root", "detail"] = ""
    trying: Literal["", "root", "detail"] = ""
    at: datetime | None = None
    next_at: datetime | None = None
    wait: datetime | None = None
    effect: int | None = None
    offered: str = ""
    offered_upto: int = 0
    since: datetime | None = None
    tries: int = 0
    doubtful: bool = False
    fault: str = ""
