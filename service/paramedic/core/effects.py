"""What `decide` asks the shell to do. Small: the run, its parameters and its plan are in the incident's state.

`lane` says where an effect waits: `read` (safe to repeat, no intent), `write` (intent and claims first), `page`, and
`message`, which never stands before a page.
"""

from datetime import datetime
from typing import Literal

import msgspec

from paramedic.core.model import Claim
from paramedic.core.words import Once, Purpose

__all__ = [
    "Apply",
    "Check",
    "Effect",
    "Judge",
    "Lane",
    "Message",
    "Observe",
    "Page",
    "Part",
    "Plan",
    "Resolve",
    "Verb",
    "is_first",
    "lane_of",
]

Lane = Literal["read", "write", "page", "message"]
Verb = Literal["trigger", "acknowledge", "resolve"]
Part = Literal["root", "detail"]


class Wanted(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="effect", tag=str.lower):
    """Base of all effects; `n` numbers it inside its incident."""

    n: int


class Resolve(Wanted, frozen=True):
    """Find the workload behind the run's target, under the one name that all others know it by."""

    run: int


class Judge(Wanted, frozen=True):
    """Ask the guards with these positions in the playbook."""

    run: int
    guards: tuple[int, ...]


class Plan(Wanted, frozen=True):
    """Ask the step's action what it would write."""

    run: int
    step: int
    attempt: int


class Apply(Wanted, frozen=True):
    """Write what the run's `change` says. `key` is the idempotency key, `timeout` (s) bounds the call."""

    run: int
    step: int
    attempt: int
    key: str
    purpose: Purpose
    once: Once
    timeout: float
    claims: tuple[Claim, ...] = ()
    playbook: str = ""


class Observe(Wanted, frozen=True):
    """Look whether the write with this key is there already."""

    run: int
    step: int
    attempt: int
    key: str


class Check(Wanted, frozen=True):
    """Ask one check of the step's verification."""

    run: int
    step: int
    check: int


class Page(Wanted, frozen=True):
    """Trigger, acknowledge or resolve a page with one person through one notifier."""

    verb: Verb
    level: int
    to: str
    notifier: str
    dedup_key: str
    text: str
    second: bool = False
    tries: int = 1


class Message(Wanted, frozen=True):
    """Tell an audience: write or edit its root message, or add a detail to the thread of the root.

    `ref` is where the root stands, as its notifier said; empty: it has not been posted. `key` is the message's own
    name, the same at each try. `doubtful`: an earlier try may have posted it, at `since` or later: look for it first.
    """

    audience: str
    notifier: str
    to: str
    part: Part
    key: str
    lines: tuple[str, ...]
    since: datetime
    ref: str = ""
    doubtful: bool = False
    tries: int = 1


Effect = Resolve | Judge | Plan | Apply | Observe | Check | Page | Message


def is_first(page: Page) -> bool:
    """Whether it tells of an incident that nobody has been told of: the first level of the first time it came up."""
    return page.verb == "trigger" and page.tries == 1 and page.dedup_key.split("/")[1:3] == ["1", "1"]


def lane_of(effect: Effect) -> Lane:
    """Where this effect waits for a slot."""
    if isinstance(effect, Apply):
        return "write"
    if isinstance(effect, Message):
        return "message"
    return "page" if isinstance(effect, Page) else "read"
