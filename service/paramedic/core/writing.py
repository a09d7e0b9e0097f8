"""What becomes of a write: it waits, took effect, failed, is planned anew, or nobody knows. Called by `steps`.

Whatever goes on by itself (a retry, a look at the target, the end of the run) is arranged here and answered `settled`;
`done` and `failed` are for `steps` to go on with. What cannot be known is never repeated blindly (promise 3).
"""

from datetime import datetime, timedelta
from typing import Literal

from paramedic.core import asking, escalation, judging, temporaries, treatment
from paramedic.core.draft import Draft
from paramedic.core.events import Applied, Held, Interrupted, Observed
from paramedic.core.model import Failure, Run
from paramedic.core.words import Kind, Once, Outcome, Purpose, Stage

__all__ = [
    "ON_ITS_WAY",
    "Came",
    "applied",
    "current",
    "held",
    "interrupted",
    "observed",
    "retry",
    "stale",
    "try_again",
    "write",
    "write_unless_stale",
]

Came = tuple[Literal["done", "failed", "settled"], str]

_SETTLED: Came = ("settled", "")
_TRIES = 3
_ATTEMPTS = 3
_HELD_LONG = 300.0

ON_ITS_WAY = timedelta(seconds=2)
"""What a write may take from its grant to the gate: whose answers are older by then has its guards asked first."""

_STALE = 1.5
"""Seconds after which no read is answered with how the target was before it changed."""


def current(draft: Draft, n: int) -> bool:
    """Whether this answer is the one the active run waits for; a late one is noted and changes nothing."""
    about = draft.answered(n)
    run = draft.incident.run
    if about is not None and run is not None and run.effect == n:
        draft.set_run(effect=None)
        return True
    if about is None or about.what == "apply":
        draft.note("late", "an answer came after its run had gone on without it")
    return False


def write(draft: Draft) -> None:
    """Ask for the planned write; before that the guards again whose answers have gone stale, and those asked last."""
    if stale(draft.run, draft.at) or not judging.ask_last(draft):
        write_unless_stale(draft)


def write_unless_stale(draft: Draft) -> None:
    """Ask for the planned write, unless the guards' answers have gone stale: then for those first."""
    if stale(draft.run, draft.at):
        judging.ask(draft, Stage.REJUDGING)
    else:
        asking.write(draft, Purpose.REMEDY)


def stale(run: Run, at: datetime) -> bool:
    """Whether the guards' answers are too old to write by: a write may have waited, for its target or for us."""
    return run.judged_at is None or (at - run.judged_at).total_seconds() > judging.FRESH


def held(draft: Draft, event: Held) -> None:
    """The write waits for a claim. For a held target it stays where it is, and waiting long is told; for a budget that
    somebody else has used up it waits as for a guard that denies for now, or is refused.

    Held by nobody (`by` is empty): it could leave now, and has waited so long that the guards are asked again first.
    """
    run = draft.incident.run
    if run is None or run.effect != event.n:
        return
    if not event.by:
        draft.answered(event.n)
        draft.cancel("held")
        judging.ask(draft, Stage.REJUDGING)
        return
    if event.until is not None:
        draft.answered(event.n)
        draft.set_run(effect=None)
        _used_up(draft, event.scope, event.until)
    elif "held" not in draft.incident.timers:
        draft.note("waits", f"{event.scope} is held by {event.by}")
        draft.timer_in("held", _HELD_LONG)


def _used_up(draft: Draft, scope: str, until: datetime) -> None:
    """Others were judged at the same moment and came first. The guards are asked again when there is room."""
    why = f"{scope} is used up until {until:%H:%M:%S} UTC"
    wait = max(1.0, (until - draft.at).total_seconds())
    waited = (draft.at - draft.run.started_at).total_seconds()
    if draft.run.acted or waited + wait > judging.LONGEST_WAIT:  # what it holds by now is not kept from others so long
        treatment.halt(draft, Outcome.REFUSED, why)
        return
    draft.note("waits", why)
    draft.cancel("held")
    draft.set_run(stage=Stage.WAITING)
    draft.timer_in("again", wait)
    escalation.page_now(draft, f"not treated yet: {why}")


def applied(draft: Draft, event: Applied) -> Came:
    """The write came back."""
    if not current(draft, event.n):
        return _SETTLED
    draft.cancel("held")
    draft.set_run(found=False)
    if event.failure is not None:
        return _not_applied(draft, event.failure)
    held = f"reserved {draft.run.target}" if _mutates(draft) else ""
    draft.note(_word(draft), event.summary, held, seen=event.seen, evidence=event.evidence)
    return _halted(draft, event) if event.halted else _took_effect(draft, event.summary)


def _word(draft: Draft) -> str:
    """What the current write is called in the timeline."""
    return "apply" if draft.run.purpose is Purpose.REMEDY else str(draft.run.purpose)


def _halted(draft: Draft, event: Applied) -> Came:
    """It stopped between two of its writes: what was written is written, and a person goes on from there."""
    draft.set_run(unsure=False, acted=True)
    why = f"halted: {event.halted}; done by then: {event.summary}"
    if draft.run.purpose is Purpose.REMEDY:
        treatment.record(draft, "halted", event.summary)
        temporaries.keep(draft)
    else:
        why = f"our change was not wholly taken back: {why}"
    treatment.end(draft, Outcome.FAILED, why)
    return _SETTLED


def _took_effect(draft: Draft, summary: str) -> Came:
    draft.set_run(unsure=False)
    if draft.run.purpose is Purpose.EXPIRE:
        treatment.end(draft, Outcome.DONE, f"its time was over; taken back: {summary or draft.run.target}")
        return _SETTLED
    if draft.run.purpose is Purpose.UNDO:
        temporaries.undone(draft)
        treatment.end(draft, Outcome.INEFFECTIVE, f"{draft.run.stop or 'not cleared'}; our change was taken back")
        return _SETTLED
    draft.set_run(acted=draft.run.acted or _mutates(draft))
    treatment.record(draft, "done", summary)
    temporaries.keep(draft)
    if draft.run.stop and draft.run.stop != treatment.CLEARED:
        treatment.stopped(draft)
        return _SETTLED
    draft.set_run(stop="")
    return "done", ""


def _not_applied(draft: Draft, failure: Failure) -> Came:
    if failure.kind is Kind.UNKNOWN:
        return _unknown(draft, failure.message)
    if _stops(draft):
        draft.note(_word(draft), f"not written: {failure.message}")
        treatment.stopped(draft)
        return _SETTLED
    if failure.changed and draft.run.purpose is not Purpose.REMEDY:
        return _left_alone(draft, failure.message)
    return try_again(draft, failure, _word(draft))


def _left_alone(draft: Draft, why: str) -> Came:
    """What was to be taken back is not as we left it: it is somebody else's by now, and stays as they want it."""
    words = f"somebody changed it since, so it is left as it is: {why}"
    draft.note(_word(draft), words)
    if draft.run.purpose is Purpose.EXPIRE:
        temporaries.drop(draft, draft.run.expires)
        treatment.end(draft, Outcome.CANCELLED, words)
    else:
        temporaries.undone(draft)
        treatment.end(draft, Outcome.INEFFECTIVE, f"{draft.run.stop or 'not cleared'}; {words}")
    return _SETTLED


def _stops(draft: Draft) -> bool:
    """Whether the run is to end instead of writing. An undo is not called off; an expiry can wait."""
    return draft.run.purpose is not Purpose.UNDO and bool(draft.run.stop)


def _mutates(draft: Draft) -> bool:
    """Whether the current step changes its target; one that only collects may be repeated."""
    return draft.playbook.steps[draft.run.step].mutates


def _unknown(draft: Draft, why: str) -> Came:
    """The outcome is not known. The target's own protection decides what may follow."""
    run = draft.run
    if not _mutates(draft):
        return try_again(draft, Failure(Kind.TEMPORARY, why), "apply")
    draft.set_run(unsure=True)
    if run.once is Once.KEY and run.tries < _TRIES and not _stops(draft):
        draft.note("unknown", f"the outcome is not known; the same key is sent again: {why}")
        return try_again(draft, Failure(Kind.TEMPORARY, why), "apply")
    if run.once in (Once.CAS, Once.UID):
        draft.note("unknown", f"the outcome is not known; the target is looked at: {why}")
        asking.look_at_target(draft)
    else:
        draft.note("unknown", f"the outcome cannot be known and is not tried again: {why}")
        treatment.end(draft, Outcome.UNKNOWN, why)
    return _SETTLED


def interrupted(draft: Draft, event: Interrupted) -> Came:
    """The process that carried the effect out is gone. Only a write is judged here: the engine asks all else again."""
    about = draft.incident.effects.get(event.n)
    if about is not None and about.what == "page":
        draft.note("page", f"level {about.level} {about.to} may have gone out; sent again under the same key")
    elif (about is None or about.what == "apply") and current(draft, event.n):
        return _unknown(draft, "the process that wrote is gone")
    return _SETTLED


def observed(draft: Draft, event: Observed) -> Came:
    """The target was looked at after a write whose outcome was not known."""
    if not current(draft, event.n):
        return _SETTLED
    failure = event.failure
    if event.applied:
        draft.note("observe", event.summary or "the write is in effect", evidence=event.evidence)
        draft.set_run(found=True)
        return _took_effect(draft, event.summary)
    if event.applied is False:
        draft.note("observe", event.summary or "the write is not in effect", evidence=event.evidence)
        draft.set_run(unsure=False)
        return _write_after_all(draft)
    if failure is not None and failure.kind is not Kind.PERMANENT and draft.run.tries < _TRIES:
        return try_again(draft, Failure(Kind.TEMPORARY, failure.message, failure.delay), "observe")
    treatment.end(draft, Outcome.UNKNOWN, failure.message if failure else "the target does not tell")
    return _SETTLED


def _write_after_all(draft: Draft) -> Came:
    """Our write is not there: make it under the same attempt, a bounded number of times, if it is still wanted."""
    run = draft.run
    if _stops(draft):
        treatment.stopped(draft)
    elif run.tries >= _TRIES:
        return try_again(draft, Failure(Kind.TEMPORARY, f"not in effect after {run.tries} tries"), "apply")
    else:
        draft.set_run(tries=run.tries + 1)
        retry(draft)
    return _SETTLED


def try_again(draft: Draft, failure: Failure, what: str) -> Came:
    """A temporary failure is tried again, a bounded number of times, under the same attempt; others fail the step.

    A target that has changed is judged and planned anew, under the next attempt.
    """
    run = draft.run
    if failure.changed and not run.unsure and run.attempt < _ATTEMPTS:
        return _anew(draft, failure)
    passing = failure.kind is Kind.TEMPORARY or (what in ("plan", "target") and failure.kind is Kind.UNKNOWN)
    if passing and run.tries < _TRIES:
        draft.note(what, f"try {run.tries} of {_TRIES} failed: {failure.message}")
        draft.set_run(stage=Stage.RETRYING, tries=run.tries + 1)
        draft.timer_in("retry", max(0.5, failure.delay) * run.tries)
        return _SETTLED
    if run.purpose is Purpose.UNDO:
        treatment.end(draft, Outcome.FAILED, f"our change could not be taken back: {failure.message}")
        return _SETTLED
    if run.purpose is Purpose.EXPIRE:
        refused = failure.kind is Kind.REFUSED
        treatment.end(draft, Outcome.REFUSED if refused else Outcome.FAILED, failure.message)
        return _SETTLED
    if failure.kind is Kind.REFUSED:
        treatment.halt(draft, Outcome.REFUSED, failure.message)
        return _SETTLED
    draft.note(what, f"failed: {failure.message}")
    return "failed", failure.message


def _anew(draft: Draft, failure: Failure) -> Came:
    """Nothing was written, and the plan is about how the target was: what follows is another attempt, judged again.

    What a person approved was that plan; the next one is approved anew.
    """
    run, between = draft.run, "between plan and write" if draft.run.change else "while it was planned"
    draft.note(
        "changed", f"the target changed {between}: planned anew: {failure.message}", f"attempt {run.attempt + 1}"
    )
    draft.set_run(stage=Stage.RETRYING, attempt=run.attempt + 1, tries=1, change=None, approved_by="", judged_at=None)
    draft.timer_in("retry", max(_STALE, failure.delay) * run.attempt)
    return _SETTLED


def retry(draft: Draft) -> None:
    """Ask once more for what failed."""
    run = draft.run
    if run.unsure and run.once in (Once.CAS, Once.UID):
        asking.look_at_target(draft)
    elif run.purpose is not Purpose.REMEDY:
        asking.write(draft, run.purpose)
    elif draft.playbook.on_cluster and not run.named:
        asking.find_target(draft)
    elif run.change is not None:
        write(draft)
    elif run.judged_at is None:
        judging.ask(draft, Stage.JUDGING)
    else:
        asking.plan_step(draft)
