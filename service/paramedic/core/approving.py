"""Approvals of a plan: who is asked, who has said yes, when that is enough, and what becomes of it when it is not.

Called by `steps` when there is a plan and when its people guards have answered, and by `acts` when somebody approves.
An approval is for one plan and until a moment: what is planned later under the same digest is the same plan.
"""

from collections.abc import Callable, Mapping, Sequence

from paramedic.core import entitled, escalation, judging, treatment
from paramedic.core.draft import Draft
from paramedic.core.effects import Effect, Judge
from paramedic.core.events import Acted
from paramedic.core.model import Approval, Ask, Change, Run, Verdict
from paramedic.core.text import one_line, span
from paramedic.core.words import Mode, Outcome, Stage

__all__ = ["TIMERS", "answered", "approve", "ask", "expired", "holds", "out_of_date", "wanted"]

_SHOWN = 5
"""Values of a change that a page shows."""


def wanted(draft: Draft, mode: Mode) -> bool:
    """Whether people are to be asked about this run's plan: by the mode, or by a guard of its playbook."""
    return mode is Mode.APPROVE or bool(_guards(draft))


def _guards(draft: Draft) -> tuple[int, ...]:
    return tuple(n for n, guard in enumerate(draft.playbook.guards) if guard.asked == "people")


def ask(draft: Draft) -> None:
    """There is a plan: have the guards say whom to ask about it; where there is none, any approver may say yes."""
    guards, run = _guards(draft), draft.run.n
    draft.set_run(stage=Stage.APPROVAL, asks=(), approvals=(), approved_by="", approve_by=None)
    if not guards:
        _wait(draft, (_by_mode(draft),))
        return

    def judge(n: int) -> Effect:
        return Judge(n, run, guards)

    draft.set_run(effect=draft.ask(judge))


def _by_mode(draft: Draft) -> Ask:
    within = draft.playbook.approval
    return Ask(within=within, escalate_after=within / 2)


def answered(draft: Draft, verdicts: Sequence[Verdict]) -> bool:
    """The guards have said whom to ask. Returns whether nobody has to be: the write may be asked for."""
    asks = tuple(one.asks for one in verdicts if one.asks is not None)
    against = [one for one in judging.denials(verdicts) if one.asks is None]
    if against:
        draft.note("guards", f"refused by {against[0].name}: {against[0].reason}", draft.run.playbook)
        treatment.halt(draft, Outcome.REFUSED, f"{against[0].name}: {against[0].reason}")
        return False
    if not asks and treatment.mode_of_run(draft.bundle, draft.mode, draft.run) is Mode.APPROVE:
        asks = (_by_mode(draft),)
    if asks:
        _wait(draft, asks)
    return not asks


def _wait(draft: Draft, asks: tuple[Ask, ...]) -> None:
    within = min(one.within for one in asks)
    draft.timer_in("approval", within)
    draft.timer_in("unapproved", min(within, *(one.escalate_after for one in asks)))
    draft.set_run(asks=asks, approve_by=draft.incident.timers["approval"].due)
    run, change = f"{draft.incident.ref}.{draft.run.n}", draft.run.change
    summary = change.summary if change is not None else ""
    whom = entitled.wanted(draft.run)
    draft.note("approval", f"waits up to {span(within)} for {whom}: {summary}", f"runs approve {run}")
    words = f"{summary}{_difference(change)}. It waits {span(within)} for {whom}: paramedic runs approve {run}"
    escalation.hand_over(draft, words + _grounds(draft.run), climb_on=False)


def _difference(change: Change | None) -> str:
    """The plain values that would change, before and after, where the summary does not show them."""
    if change is None:
        return ""
    pairs = ((name, before, change.write.get(name)) for name, before in change.prior.items())
    told = [f"{name} {_plain(before)} → {_plain(after)}" for name, before, after in pairs if _told(before, after)]
    return f" ({', '.join(told[:_SHOWN])})" if told else ""


def _told(before: object, after: object) -> bool:
    return before != after and isinstance(before, str | int | float) and isinstance(after, str | int | float)


def _plain(value: object) -> str:
    return one_line(str(value), 60)


def _grounds(run: Run) -> str:
    return f"; the guards said: {one_line('; '.join(run.grounds), 160)}" if run.grounds else ""


def approve(draft: Draft, event: Acted) -> None:
    """Somebody approves this plan. Once that is enough the guards are asked again: what they said is old by now."""
    run, summary = draft.run, draft.run.change.summary if draft.run.change else ""
    digest = run.change.digest if run.change else ""
    one = Approval(event.who, draft.at, digest, entitled.counts(run.asks, event, draft.bundle))
    draft.set_run(approvals=(*run.approvals, one))
    if any(entitled.missing(run.asks, draft.run.approvals)):
        draft.note("approved", f"{summary}; it waits for {entitled.wanted(draft.run)}", who=event.who)
        return
    draft.cancel("approval", "unapproved")
    draft.note("approved", summary, who=event.who)
    draft.set_run(approved_by=", ".join(each.who for each in draft.run.approvals))
    judging.ask(draft, Stage.REJUDGING)


def out_of_date(draft: Draft) -> bool:
    """Whether what was approved is to be planned once more before it is written: the world has had time to change."""
    run = draft.run
    tried = run.unsure or run.tries > 1  # something may have left already: it goes on under this plan
    if tried or not run.approvals or run.planned_at is None:
        return False
    return (draft.at - run.planned_at).total_seconds() > judging.FRESH or not _in_time(draft)


def holds(draft: Draft, change: Change) -> bool:
    """Whether people have approved this very change, and that still counts."""
    run = draft.run
    if not run.approved_by or not run.approvals:
        return False
    if all(one.digest == change.digest for one in run.approvals) and _in_time(draft):
        return True
    why = "it took too long" if not _in_time(draft) else "the plan is not the one that was approved"
    draft.note("changed", f"people are asked again: {why}")
    return False


def _in_time(draft: Draft) -> bool:
    return draft.run.approve_by is None or draft.at <= draft.run.approve_by


def expired(draft: Draft) -> None:
    """Not enough people have approved in time."""
    run = draft.run
    within = span(min((one.within for one in run.asks), default=draft.playbook.approval))
    have = ", ".join(one.who for one in run.approvals)
    why = f"only {have} approved within {within}" if have else f"nobody approved within {within}"
    treatment.end(draft, Outcome.DENIED, why, urgent=True)


def _unheard(draft: Draft) -> None:
    """Half of the time is over, or what was said: the next level is told while there is time left."""
    run = draft.run
    if run.stage is not Stage.APPROVAL:
        return
    until = f" until {run.approve_by:%H:%M} UTC" if run.approve_by is not None else ""
    summary = run.change.summary if run.change is not None else ""
    words = f"{summary}. It still waits{until} for {entitled.wanted(run)}"
    escalation.hand_over(draft, f"{words}: paramedic runs approve {draft.incident.ref}.{run.n}")


TIMERS: Mapping[str, Callable[[Draft], None]] = {"approval": expired, "unapproved": _unheard}
