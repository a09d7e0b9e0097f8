"""The values of a run: what asks for it, what its guards answered, what it writes, what it came to.

`model` holds the incident that a run belongs to, and hands these on under one roof; import them from there.
"""

from datetime import datetime
from typing import Any

import msgspec

from paramedic.core.words import Answer, Kind, Mode, Once, Outcome, Purpose, Severity, Stage

__all__ = [
    "Approval",
    "Ask",
    "Candidate",
    "Change",
    "Claim",
    "Evidence",
    "Failure",
    "Past",
    "Run",
    "StepRecord",
    "Temporary",
    "Value",
    "Verdict",
]


class Value(msgspec.Struct, frozen=True, omit_defaults=True):
    """Base of every stored value: immutable, and absent fields take no room."""


class Evidence(Value, frozen=True):
    """A reference to evidence stored by digest."""

    name: str
    digest: str
    size: int


class Failure(Value, frozen=True):
    """Why an effect did not do its work. `delay` is the wait in seconds before another try, jitter included.

    `changed`: the target compared and said no, so nothing was written, and the step is planned anew.
    """

    kind: Kind
    message: str
    delay: float = 0.0
    changed: bool = False


class Claim(Value, frozen=True):
    """What a run must hold before it writes.

    `limit` 0 means exclusive: nobody else may hold `scope`. With `per` 0 at most `limit` runs may hold it at once, and
    otherwise there are at most `limit` uses of it in `per` seconds.
    """

    scope: str
    limit: int = 0
    per: float = 0.0


class Ask(Value, frozen=True):
    """What a guard wants of people: that `of` different ones approve the plan, within `within` seconds.

    `among` are those who count: names of people, roles and teams; empty: whoever has the role approver. Nobody having
    answered, the next level is told after `escalate_after` seconds.
    """

    of: int = 1
    among: tuple[str, ...] = ()
    within: float = 600.0
    escalate_after: float = 300.0


class Approval(Value, frozen=True):
    """Somebody's yes to the plan with this digest, and for which of the run's asks it counts, by position."""

    who: str
    at: datetime
    digest: str = ""
    counts: tuple[int, ...] = ()


class Verdict(Value, frozen=True):
    """A guard's or check's answer with its reason and the evidence it saw.

    `again` says in how many seconds the answer may differ; a denial with it waits instead of refusing.
    `final`: a check's failure that more time would not mend, so that nobody waits for its deadline.
    `asks`: a denial that people can lift, by approving the plan.
    """

    name: str
    answer: Answer
    reason: str
    seen: dict[str, Any] = {}
    again: float | None = None
    claims: tuple[Claim, ...] = ()
    final: bool = False
    asks: Ask | None = None


class Change(Value, frozen=True):
    """What an action is about to write: absolute values, what was there before, and how to take it back.

    `write`, `prior` and `undo` are the action's own JSON; `digest` is over all of them, and approvals bind to it.
    `needed` false means nothing needs writing: the target is already as wanted. `most` is the highest mode that the
    target itself allows (its annotation). `lasts` (s) makes the change temporary: `undo` takes it back afterwards.
    """

    summary: str
    write: dict[str, Any]
    prior: dict[str, Any] = {}
    undo: dict[str, Any] | None = None
    digest: str = ""
    needed: bool = True
    most: Mode | None = None
    lasts: float = 0.0


class Candidate(Value, frozen=True):
    """A treatment that an alert asks for: a rule's playbook with the parameters its alert gives."""

    rule: str
    playbook: str
    severity: Severity
    identity: str
    params: dict[str, Any] = {}
    target: str = ""
    fault: str = ""


class StepRecord(Value, frozen=True):
    """What a step of a run came to."""

    step: int
    attempt: int
    outcome: str
    summary: str = ""


class Temporary(Value, frozen=True):
    """A change that was made for a time: what takes it back, from when on, and what became of that so far.

    `key` is that of the step that made it; `claims` are what must be held to take it back. Nothing is tried before
    `again`; `failed` counts the runs that could not, `unsure`: the last one may have. `told` is set once people were
    told that it is still there.
    """

    run: int
    rule: str
    playbook: str
    step: int
    target: str
    key: str
    summary: str
    undo: dict[str, Any]
    set_at: datetime
    until: datetime
    claims: tuple[Claim, ...] = ()
    again: datetime | None = None
    failed: int = 0
    unsure: bool = False
    told: bool = False


class Run(Value, frozen=True):
    """One execution of one playbook on one target for one incident: the active one.

    `named` is the target as the alert named it, once it is known as `target`. `stop` says why the run ends at its next
    safe point; `unsure`: the last write may or may not have taken effect; `found`: it was seen to be in effect, and no
    call said so. A run of purpose `expire` does nothing but take back the temporary change with the key `expires`.
    `answers` are the last ones of its guards, by their place in the playbook and without their evidence; `asked` are
    the guards that this judgement has asked so far.
    `asks` are what people are asked, `approvals` who has said yes so far, and `approve_by` until when that counts;
    `approved_by` names them all once it is enough. `planned_at` is when `change` was planned.
    """

    n: int
    rule: str
    playbook: str
    target: str
    identity: str
    params: dict[str, Any]
    severity: Severity
    mode: Mode
    started_at: datetime
    stage: Stage
    recurrence: int = 0
    step: int = 0
    attempt: int = 1
    tries: int = 1
    check: int = 0
    effect: int | None = None
    purpose: Purpose = Purpose.REMEDY
    change: Change | None = None
    once: Once = Once.NONE
    judged_at: datetime | None = None
    approved_by: str = ""
    acted: bool = False
    unsure: bool = False
    deadline: datetime | None = None
    last: Verdict | None = None
    claims: tuple[Claim, ...] = ()
    steps: tuple[StepRecord, ...] = ()
    stop: str = ""
    named: str = ""
    expires: str = ""
    found: bool = False
    asked: tuple[int, ...] = ()
    answers: dict[int, Verdict] = {}
    asks: tuple[Ask, ...] = ()
    approvals: tuple[Approval, ...] = ()
    approve_by: datetime | None = None
    planned_at: datetime | None = None

    @property
    def grounds(self) -> tuple[str, ...]:
        """Why the guards that have answered allow it, at most ten reasons, in the order of the playbook."""
        said = (one.reason for _, one in sorted(self.answers.items()) if one.answer is Answer.ALLOW)
        return tuple(reason[:120] for reason in said if reason)[:10]

    @property
    def treats(self) -> bool:
        """Whether it treats the incident; else it only takes a temporary change back."""
        return self.purpose is not Purpose.EXPIRE


class Past(Value, frozen=True):
    """A run that has ended, as its incident remembers it. `purpose` is why it wrote last.

    `unsure` and `found` are what was known of that write by then, as in `Run`; `wrote` are the steps that took effect.
    """

    n: int
    playbook: str
    target: str
    outcome: Outcome
    ended_at: datetime
    reason: str = ""
    recurrence: int = 0
    acted: bool = False
    named: str = ""
    purpose: Purpose = Purpose.REMEDY
    unsure: bool = False
    found: bool = False
    wrote: tuple[int, ...] = ()

    @property
    def treats(self) -> bool:
        """Whether it treated the incident; else it only took a temporary change back."""
        return self.purpose is not Purpose.EXPIRE
