"""Runs from outside: whether one starts, what stops it, and how it ends. `steps` is what happens inside one.

Called by `sightings` when alerts ask for treatment and by `steps` when a run has come to its end.
"""

from datetime import timedelta

from paramedic.core import asking, escalation, judging, lifecycle, temporaries
from paramedic.core.bundle import Bundle
from paramedic.core.draft import Draft
from paramedic.core.model import Candidate, Past, Run, StepRecord
from paramedic.core.text import one_line, span
from paramedic.core.words import Mode, Outcome, Phase, Stage

__all__ = [
    "BUSY",
    "CLEARED",
    "assess",
    "call_off",
    "cleared",
    "end",
    "finish",
    "halt",
    "mode_in_force",
    "mode_of",
    "mode_of_run",
    "modes_of_run",
    "record",
    "stop",
    "stopped",
    "supersede",
]

BUSY = frozenset({Stage.APPLYING, Stage.OBSERVING, Stage.UNDOING})
"""Stages in which a write may be under way: a run is not ended in them, it stops when the write has come back."""

CLEARED = "the alert cleared"
"""The reason to stop that is good news: what has been written by then is verified all the same."""

_PAST = 20
"""Runs that an incident remembers; more than that are not started without the alert clearing in between."""

_TIMERS = ("again", "approval", "unapproved", "retry", "check", "held")
_CALLS_FOR_A_PERSON = {
    Outcome.REFUSED: "not treated",
    Outcome.INEFFECTIVE: "treated, and not cleared",
    Outcome.FAILED: "the treatment failed",
    Outcome.UNKNOWN: "nobody can say whether the treatment took effect",
    Outcome.DENIED: "the treatment was not approved",
    Outcome.SHADOWED: "not treated: the mode is shadow",
}
_CLIMBS = frozenset({Outcome.INEFFECTIVE, Outcome.FAILED, Outcome.UNKNOWN})


def assess(draft: Draft) -> None:
    """Start the most urgent treatment that waits, unless something speaks against treating at all."""
    while draft.incident.run is None and draft.incident.candidates and draft.incident.firing.open:
        candidate, *rest = draft.incident.candidates
        against = _against(draft, candidate)
        draft.set(candidates=tuple(rest))
        if not against:
            _start(draft, candidate)
            continue
        draft.note("refused", f"{candidate.playbook}: {against}", f"rule {candidate.rule}")
        escalation.report(draft, f"not treated: {against}")


def _against(draft: Draft, candidate: Candidate) -> str:
    """Why this treatment is not even judged; empty if it is."""
    playbook = draft.bundle.playbooks.get(candidate.playbook)
    if candidate.fault or playbook is None:
        return candidate.fault or "the playbook is not in the bundle"
    if draft.incident.owner:
        return f"{draft.incident.owner} has taken the incident over"
    runs = sum(1 for past in draft.incident.past if past.treats and past.recurrence == draft.incident.recurrence)
    if runs >= _PAST:
        return f"{runs} treatments were tried already"
    mode = mode_of(draft, candidate.rule, candidate.playbook)
    if mode.rank <= Mode.OFF.rank:
        return f"the mode is {mode}{draft.by_switch(mode)}"
    since = draft.at - timedelta(seconds=playbook.recurrence.within)
    fixes = [moment for moment in draft.incident.fixes if moment >= since]
    if len(fixes) >= playbook.recurrence.max:
        return f"fixed {len(fixes)} times within {span(playbook.recurrence.within)}: treating it again would not help"
    return ""


def mode_of(draft: Draft, rule: str, playbook: str) -> Mode:
    """The mode in force for a rule's playbook now."""
    return mode_in_force(draft.bundle, draft.mode, rule, playbook)


def mode_in_force(bundle: Bundle, mode: Mode, rule: str, playbook: str) -> Mode:
    """The lowest of the global mode, the rule's and the playbook's."""
    named = bundle.rules.named(rule)
    book = bundle.playbooks.get(playbook)
    return Mode.lowest(mode, named.mode if named else None, book.mode if book else None)


def modes_of_run(bundle: Bundle, mode: Mode, run: Run) -> dict[str, Mode]:
    """The mode of each of the four places that names one: `global`, `rule`, `playbook`, `target`."""
    named, book = bundle.rules.named(run.rule), bundle.playbooks.get(run.playbook)
    places = {
        "global": mode,
        "rule": named.mode if named else None,
        "playbook": book.mode if book else None,
        "target": run.change.most if run.change else None,
    }
    return {place: said for place, said in places.items() if said is not None}


def mode_of_run(bundle: Bundle, mode: Mode, run: Run) -> Mode:
    """As `mode_in_force`, and no more than what the target itself allows. The gate asks it again before each write."""
    return Mode.lowest(mode_in_force(bundle, mode, run.rule, run.playbook), run.change.most if run.change else None)


def _start(draft: Draft, candidate: Candidate) -> None:
    number = draft.incident.runs + 1
    run = Run(
        n=number,
        rule=candidate.rule,
        playbook=candidate.playbook,
        target=candidate.target,
        identity=candidate.identity,
        params=candidate.params,
        severity=candidate.severity,
        mode=mode_of(draft, candidate.rule, candidate.playbook),
        started_at=draft.at,
        stage=Stage.JUDGING,
        recurrence=draft.incident.recurrence,
    )
    phase = Phase.ASSESSING if draft.incident.phase is Phase.DETECTED else draft.incident.phase
    draft.set(run=run, runs=number, phase=phase)
    if draft.playbook.on_cluster:
        asking.find_target(draft)
    else:
        judging.ask(draft, Stage.JUDGING)


def stop(draft: Draft, outcome: Outcome, reason: str) -> None:
    """End the active run at the next safe point: now, unless a write may be under way."""
    run = draft.incident.run
    if run is None:
        return
    if run.stage in BUSY:
        draft.set_run(stop=reason)
        draft.note("run", f"will stop when the write under way has come back: {reason}")
        return
    end(draft, outcome, reason)


def stopped(draft: Draft) -> None:
    """The safe point of a run that was to stop."""
    if draft.run.stop == CLEARED:
        cleared(draft)
    else:
        end(draft, Outcome.CANCELLED, draft.run.stop)


def cleared(draft: Draft) -> None:
    """The alert cleared while nothing was being written or verified."""
    if draft.run.unsure:
        end(draft, Outcome.CLEARED, CLEARED)
    elif draft.run.acted:
        end(draft, Outcome.DONE, f"{CLEARED}; no further step is needed")
    else:
        end(draft, Outcome.CLEARED, f"{CLEARED} before anything was written")


def call_off(draft: Draft) -> None:
    """The alert fires again: a change that was to be taken back may be what helps, so that it stays for now."""
    run = draft.incident.run
    if run is not None and not run.treats and run.stage not in BUSY:
        end(draft, Outcome.CANCELLED, "the alert fires again")


def supersede(draft: Draft) -> None:
    """A waiting treatment whose playbook supersedes the active run's takes its place at a safe point."""
    run = draft.incident.run
    if run is None or run.stop or not run.treats:
        return
    for candidate in draft.incident.candidates:
        playbook = draft.bundle.playbooks.get(candidate.playbook)
        if playbook is not None and run.playbook in playbook.supersedes:
            stop(draft, Outcome.CANCELLED, f"superseded by {candidate.playbook}")
            return


def end(draft: Draft, outcome: Outcome, reason: str, *, urgent: bool = False) -> None:
    """The active run is over. Tells a person where one is needed, then goes on to the next treatment or resolves.

    `urgent`: whoever was paged so far has not reacted, so that this goes to the next level.
    """
    run = draft.run
    if run.effect is not None:
        draft.answered(run.effect)
    if run.unsure:
        temporaries.keep(draft)
    draft.cancel(*_TIMERS)
    outcome, reason = _as_known(run, outcome, one_line(reason))
    playbook = draft.playbook
    past = _past(draft, outcome, reason)
    draft.set(run=None, past=(*draft.incident.past, past)[-_PAST:])
    took = span((draft.at - run.started_at).total_seconds())
    draft.note("run", f"{run.playbook} ended {outcome} after {took}: {reason}", f"run {draft.incident.ref}.{run.n}")
    if not run.treats:
        temporaries.ended(draft, run, outcome, reason)
    elif outcome in _CALLS_FOR_A_PERSON and draft.incident.firing.open:
        words = f"{_CALLS_FOR_A_PERSON[outcome]}: {reason}"
        if urgent or (outcome in _CLIMBS and playbook.on_failure == "escalate"):
            escalation.hand_over(draft, words)
        else:
            escalation.report(draft, words)
    elif draft.incident.firing.open and run.stage is not Stage.RESOLVING:
        draft.set_paging(reason=f"{run.playbook} {outcome}, and the alert still fires")
    _after(draft)


def _past(draft: Draft, outcome: Outcome, reason: str) -> Past:
    """The active run as its incident remembers it."""
    run = draft.run
    return Past(
        n=run.n,
        playbook=run.playbook,
        target=run.target,
        outcome=outcome,
        ended_at=draft.at,
        reason=reason,
        recurrence=run.recurrence,
        acted=run.acted or run.unsure,
        named=run.named,
        purpose=run.purpose,
        unsure=run.unsure,
        found=run.found,
        wrote=tuple(one.step for one in run.steps if one.outcome in ("done", "halted")),
    )


def _as_known(run: Run, outcome: Outcome, reason: str) -> tuple[Outcome, str]:
    """A run whose last write may be in effect has not simply been refused, cleared or failed (promise 3)."""
    if not run.unsure or outcome is Outcome.UNKNOWN:
        return outcome, reason
    words = f"{reason}; whether the last write took effect is not known"
    return (outcome if outcome is Outcome.CANCELLED else Outcome.UNKNOWN), words


def _after(draft: Draft) -> None:
    firing = draft.incident.firing
    if firing.open:
        assess(draft)
    elif not firing.doubted and draft.incident.phase not in (Phase.RESOLVED, Phase.REVIEWED):
        draft.set(candidates=())
        lifecycle.resolve(draft)


def finish(draft: Draft) -> None:
    """The run has no further step: say what it came to."""
    run, steps = draft.run, draft.playbook.steps
    would = [step.summary for step in run.steps if step.outcome == "shadowed"]
    came_to = {step.step: step for step in run.steps if step.outcome != "skipped"}
    last = came_to[max(came_to)] if came_to else None
    verified = any(steps[n].verify for n, step in came_to.items() if step.outcome in ("done", "unneeded"))
    if would:
        end(draft, Outcome.SHADOWED, f"it would have done: {'; '.join(would)}")
    elif last is not None and last.outcome == "failed":
        end(draft, Outcome.INEFFECTIVE, last.summary)
    elif run.acted and verified:
        end(draft, Outcome.FIXED, "every check passed")
    else:
        end(draft, Outcome.DONE, "done; nothing verifies it" if run.acted else "nothing needed changing")


def halt(draft: Draft, outcome: Outcome, why: str) -> None:
    """End the run; where earlier steps have acted, say that it stopped in the middle. Collecting is not acting."""
    steps = draft.playbook.steps
    done = [step for step in draft.run.steps if step.outcome == "done" and steps[step.step].mutates]
    if outcome is Outcome.REFUSED and done:
        end(draft, Outcome.FAILED, f"halted after {len(done)} of {len(steps)} steps: {why}")
    else:
        end(draft, outcome, why)


def record(draft: Draft, outcome: str, summary: str) -> None:
    """Remember what the run's current step came to."""
    run = draft.run
    draft.set_run(steps=(*run.steps, StepRecord(run.step, run.attempt, outcome, one_line(summary))))
