"""Asking the guards, and reading their answers. Called by `treatment` when a run starts and by `steps` afterwards."""

from collections.abc import Sequence
from typing import Literal

from paramedic.core.draft import Draft
from paramedic.core.effects import Effect, Judge
from paramedic.core.model import Claim, Verdict
from paramedic.core.words import Answer, Stage

__all__ = ["FRESH", "LONGEST_WAIT", "Ruling", "ask", "claims_of", "denials", "rule_on", "wait_for"]

FRESH = 10.0
"""Seconds after which the guards are asked again before a write."""

LONGEST_WAIT = 3600.0
"""Seconds that guards may put a run off before it is refused."""

Ruling = Literal["allow", "ask", "wait", "refuse"]


def ask(draft: Draft, stage: Stage) -> None:
    """Ask the guards that read nothing; the others are asked once those allow."""
    inline = tuple(n for n, guard in enumerate(draft.playbook.guards) if guard.inline)
    _ask(draft, stage, inline or tuple(range(len(draft.playbook.guards))))


def _ask(draft: Draft, stage: Stage, guards: tuple[int, ...]) -> None:
    run = draft.run.n

    def judge(n: int) -> Effect:
        return Judge(n, run, guards)

    draft.set_run(stage=stage, effect=draft.ask(judge))


def rule_on(draft: Draft, verdicts: Sequence[Verdict]) -> Ruling:
    """What the answers come to. All must allow; an error or an unknown denies (promise 11).

    `ask`: the cheap guards allow and the reading ones have been asked. `wait`: every denial says that it will pass, and
    that within `LONGEST_WAIT` of the run's start.
    """
    against = denials(verdicts)
    if against:
        for one in against:
            draft.note("guards", f"{_ANSWERED[one.answer]} {one.name}: {one.reason}", draft.run.playbook, seen=one.seen)
        passes = all(one.again is not None and one.answer is Answer.DENY for one in against)
        waited = (draft.at - draft.run.started_at).total_seconds()
        return "wait" if passes and waited + wait_for(against) <= LONGEST_WAIT else "refuse"
    reading = tuple(n for n, guard in enumerate(draft.playbook.guards) if not guard.inline)
    asked_inline = len(verdicts) < len(draft.playbook.guards) and bool(reading) and _first_half(draft, verdicts)
    reasons, all_ = "; ".join(one.reason for one in verdicts if one.reason), len(draft.playbook.guards)
    draft.note(
        "guards",
        (f"{len(verdicts)} of {all_} allow so far" if asked_inline else f"{all_} of {all_} allow")
        + (f": {reasons}" if reasons else ""),
        f"playbook {draft.run.playbook}",
        seen={one.name: one.seen for one in verdicts if one.seen},
    )
    if asked_inline:
        _ask(draft, draft.run.stage, reading)
        return "ask"
    return "allow"


_ANSWERED = {
    Answer.DENY: "refused by",
    Answer.ERROR: "refused: an error in",
    Answer.UNKNOWN: "refused: cannot be known by",
    Answer.PASS: "refused: a check's answer from",
    Answer.FAIL: "refused: a check's answer from",
    Answer.ALLOW: "allowed by",
}


def _first_half(draft: Draft, verdicts: Sequence[Verdict]) -> bool:
    """Whether these are the answers of the guards that read nothing."""
    inline = [guard.kind for guard in draft.playbook.guards if guard.inline]
    return [one.name for one in verdicts] == inline


def denials(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """The answers that speak against going on: everything but a plain yes."""
    return [one for one in verdicts if one.answer is not Answer.ALLOW]


def claims_of(draft: Draft, verdicts: Sequence[Verdict]) -> tuple[Claim, ...]:
    """What the run must hold before it writes: its target and what its guards asked for, in one order for everybody."""
    asked = (*draft.run.claims, *(claim for one in verdicts for claim in one.claims))
    claims = {(claim.scope, claim.limit, claim.per): claim for claim in (Claim(f"target/{draft.run.target}"), *asked)}
    return tuple(claims[key] for key in sorted(claims))


def wait_for(against: Sequence[Verdict]) -> float:
    """Seconds until the first moment at which all of these may allow."""
    return max([1.0, *(one.again for one in against if one.again is not None)])
