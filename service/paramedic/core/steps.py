"""The inside of a run: guards, plan, approval, write, verification, next step. Every answer of an effect lands here.

Called by `decide` with the event. A run has at most one effect outstanding; an answer to another one is late and only
noted. `writing` is about writes, `verification` about checks; ends go to `treatment.end`.
"""

from collections.abc import Callable, Mapping
from typing import assert_never

from paramedic.core import approving, asking, escalation, judging, treatment, verification, writing
from paramedic.core.draft import Draft
from paramedic.core.events import Applied, Checked, Held, Interrupted, Judged, Observed, Planned, Resolved
from paramedic.core.model import Change, Failure
from paramedic.core.scope import playbook_scope
from paramedic.core.words import Kind, Mode, Outcome, Purpose, Stage
from paramedic.errors import Fault

__all__ = ["TIMERS", "answered"]


Answered = Resolved | Judged | Planned | Applied | Observed | Checked | Interrupted | Held


def answered(draft: Draft, event: Answered) -> None:
    """An effect of the run has an answer, or cannot have one."""
    match event:
        case Resolved():
            resolved(draft, event)
        case Judged():
            judged(draft, event)
        case Planned():
            planned(draft, event)
        case Applied():
            _came(draft, writing.applied(draft, event))
        case Observed():
            _came(draft, writing.observed(draft, event))
        case Checked():
            checked(draft, event)
        case Interrupted():
            _came(draft, writing.interrupted(draft, event))
        case Held():
            writing.held(draft, event)
        case _:
            assert_never(event)


def resolved(draft: Draft, event: Resolved) -> None:
    """The target is known by its one name: the run goes on under it, unless another one was there before."""
    if not writing.current(draft, event.n):
        return
    run = draft.run
    if event.failure is not None:
        how, why = writing.try_again(draft, event.failure, "target")
        if how == "failed":
            treatment.end(draft, Outcome.REFUSED, why)
        return
    about = (run.playbook, event.target, run.recurrence)
    for past in draft.incident.past:
        if past.treats and (past.playbook, past.target, past.recurrence) == about:
            treatment.end(draft, Outcome.CANCELLED, f"the same target as {draft.incident.ref}.{past.n}")
            return
    if event.target != run.target:
        draft.note("target", f"{run.target} is {event.target}")
    draft.set_run(target=event.target, named=run.target, tries=1)
    judging.ask(draft, Stage.JUDGING)


def judged(draft: Draft, event: Judged) -> None:
    """The guards have answered."""
    if not writing.current(draft, event.n):
        return
    if draft.run.stage is Stage.APPROVAL:
        if approving.answered(draft, event.verdicts):
            _treat(draft)
        return
    ruling = judging.rule_on(draft, event.verdicts)
    if ruling == "ask":
        draft.set_run(claims=judging.claims_of(draft, event.verdicts))
    elif ruling == "allow":
        again = draft.run.stage is Stage.REJUDGING
        draft.set_run(claims=judging.claims_of(draft, event.verdicts))
        _write(draft) if again else next_step(draft)
    elif ruling == "wait":
        against = judging.denials(event.verdicts)
        draft.set_run(stage=Stage.WAITING)
        draft.timer_in("again", judging.wait_for(against))
        escalation.page_now(draft, f"not treated yet: {against[0].reason}")
    else:
        first = judging.denials(event.verdicts)[0]
        treatment.halt(draft, Outcome.REFUSED, f"{first.name}: {first.reason}")


def _write(draft: Draft) -> None:
    """The guards allow it (still): what people approved a while ago is planned once more before it is written."""
    if approving.out_of_date(draft):
        asking.plan_again(draft)
    else:
        writing.write_unless_stale(draft)


def next_step(draft: Draft) -> None:
    """Go on with the first step, from the run's position, whose condition holds; or finish."""
    steps = draft.playbook.steps
    while draft.run.step < len(steps):
        step = steps[draft.run.step]
        try:
            wanted = step.when is None or step.when.holds(playbook_scope(draft.incident, draft.run))
        except Fault as fault:
            _failed(draft, f"its condition cannot be decided: {fault}", Outcome.FAILED)
            return
        if wanted and step.mutates and draft.run.acted and not draft.incident.firing.open:
            draft.note("step", f"{step.kind} is not needed any more: {treatment.CLEARED}")
            break
        if wanted:
            asking.plan_step(draft)
            return
        draft.note("step", f"{step.kind} skipped: {step.when.text if step.when else ''} is false")
        treatment.record(draft, "skipped", "")
        draft.set_run(step=draft.run.step + 1, attempt=1, tries=1, check=0)
    treatment.finish(draft)


def planned(draft: Draft, event: Planned) -> None:
    """The action has said what it would write."""
    if not writing.current(draft, event.n):
        return
    if event.failure is not None or event.change is None:
        failure = event.failure or Failure(Kind.PERMANENT, "the plan is empty")
        _came(draft, writing.try_again(draft, failure, "plan"))
        return
    step, run, change = draft.playbook.steps[draft.run.step], draft.run, event.change
    draft.set_run(change=change, once=step.once, tries=1, purpose=Purpose.REMEDY, planned_at=draft.at)
    draft.note("plan", change.summary, run.target, seen=change.prior, evidence=event.evidence)
    if not change.needed:
        treatment.record(draft, "unneeded", change.summary)
        _verify(draft)
        return
    mode = treatment.mode_of_run(draft.bundle, draft.mode, draft.run)
    if step.mutates and mode is Mode.SHADOW:
        draft.note("shadow", f"would now: {change.summary}", f"mode {mode}")
        treatment.record(draft, "shadowed", change.summary)
        _go_on(draft)
    elif mode.rank <= Mode.OFF.rank:
        treatment.halt(draft, Outcome.REFUSED, f"the {_in_mode(draft, mode, change)}")
    elif step.mutates and approving.wanted(draft, mode) and not approving.holds(draft, change):
        approving.ask(draft)
    else:
        _treat(draft)


def _treat(draft: Draft) -> None:
    """Nothing and nobody stands against the plan: it is told, if it changes something, and written."""
    change = draft.run.change
    if change is not None and draft.playbook.steps[draft.run.step].mutates:
        escalation.page_now(draft, f"being treated: {change.summary}")
    writing.write(draft)


def _in_mode(draft: Draft, mode: Mode, change: Change) -> str:
    if mode is change.most:
        return f"mode is {mode}, which is the most that the target allows"
    return f"mode is {mode}{draft.by_switch(mode)}"


def _came(draft: Draft, came: writing.Came) -> None:
    """Go on after a write that is done, or has failed for good."""
    how, why = came
    if how == "done":
        _verify(draft)
    elif how == "failed":
        _failed(draft, why, Outcome.FAILED)


def _verify(draft: Draft) -> None:
    if not verification.begin(draft):
        _go_on(draft)


def _go_on(draft: Draft) -> None:
    draft.set_run(step=draft.run.step + 1, attempt=1, tries=1, check=0, change=None)
    next_step(draft)


def checked(draft: Draft, event: Checked) -> None:
    """A check has answered."""
    if not writing.current(draft, event.n):
        return
    weighed = verification.weigh(draft, event)
    if weighed == "next":
        verification.begin(draft)
    elif weighed == "passed":
        _go_on(draft)
    elif weighed == "failed":
        _failed(draft, f"{event.verdict.name}: {event.verdict.reason}", Outcome.INEFFECTIVE)
    elif weighed == "unknown":
        treatment.end(draft, Outcome.UNKNOWN, f"{event.verdict.name} cannot tell: {event.verdict.reason}")


def _failed(draft: Draft, why: str, outcome: Outcome) -> None:
    """The step did not do its work: what the playbook says follows."""
    run, step = draft.run, draft.playbook.steps[draft.run.step]
    written = any(one.step == run.step and one.outcome == "done" for one in run.steps)
    if run.unsure:
        treatment.end(draft, Outcome.UNKNOWN, why)
    elif step.on_failure == "next":
        treatment.record(draft, "failed", why)
        draft.note("step", f"{step.kind} did not help: {why}; on to the next")
        _go_on(draft)
    elif step.on_failure == "undo" and written and run.change is not None and run.change.undo is not None:
        draft.note("undo", f"taking our change back: {why}")
        draft.set_run(stop=why, tries=1)
        asking.write(draft, Purpose.UNDO)
    else:
        treatment.halt(draft, outcome, why)


def _again(draft: Draft) -> None:
    judging.ask(draft, Stage.JUDGING if draft.run.change is None else Stage.REJUDGING)


def _held_long(draft: Draft) -> None:
    if draft.incident.firing.open:
        escalation.hand_over(draft, "the treatment has waited 5m for what another run holds")


TIMERS: Mapping[str, Callable[[Draft], None]] = {
    **approving.TIMERS,
    "again": _again,
    "retry": writing.retry,
    "check": verification.look,
    "held": _held_long,
}
