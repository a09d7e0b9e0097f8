"""Asking the guards, and reading their answers. Called by `treatment` when a run starts and by `steps` afterwards.

In phases: those that read nothing, then those that read; once there is a plan and the write is due, those that are
asked last. Each phase is asked only when the one before allows. Where what was read took so long that the first answers
are old by then, those are asked once more. What is kept of the answers is in `Run.answers`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from paramedic.core.bundle import Playbook
from paramedic.core.draft import Draft
from paramedic.core.effects import Effect, Judge
from paramedic.core.model import Claim, Verdict
from paramedic.core.text import one_line
from paramedic.core.words import Answer, Stage

__all__ = [
    "FRESH",
    "LONGEST_WAIT",
    "Ruling",
    "ask",
    "ask_last",
    "claims_of",
    "denials",
    "phases",
    "rule_on",
    "wait_for",
]

FRESH = 10.0
"""Seconds after which the guards are asked again before a write."""

LONGEST_WAIT = 3600.0
"""Seconds that guards may put a run off before it is refused."""

_KEPT = 200
"""Characters of a reason that the run keeps; the timeline has the whole."""

_NAMED = 20
"""Guards that are named as not asked; of more there is the number."""

Ruling = Literal["allow", "ask", "wait", "refuse"]


def ask(draft: Draft, stage: Stage) -> None:
    """Ask the guards from the beginning: those that read nothing first. What they said before counts no more."""
    _ask(draft, stage, (_phases(draft, stage) or ((),))[0], after=())


def ask_last(draft: Draft) -> bool:
    """Ask those that are asked right before a write, while the others' answers are fresh; False: there are none."""
    last = _last(draft)
    if last:
        _ask(draft, Stage.REJUDGING, last, after=())
    return bool(last)


def _ask(draft: Draft, stage: Stage, guards: tuple[int, ...], *, after: tuple[int, ...]) -> None:
    """Ask these, `after` those that have been asked already."""
    run = draft.run.n

    def judge(n: int) -> Effect:
        return Judge(n, run, guards)

    draft.set_run(stage=stage, asked=(*after, *guards), effect=draft.ask(judge))


def phases(playbook: Playbook, *, last: bool) -> tuple[tuple[int, ...], ...]:
    """The guards by position as they are asked together, in order; with `last` those right before the write too.

    Guards that ask people are in none of them.
    """
    cheap: list[int] = []
    reading: list[int] = []
    latest: list[int] = []
    for n, guard in enumerate(playbook.guards):
        if guard.asked == "first":
            (cheap if guard.inline else reading).append(n)
        elif guard.asked == "last" and last:
            latest.append(n)
    return tuple([tuple(phase) for phase in (cheap, reading, latest) if phase])


def _phases(draft: Draft, stage: Stage) -> tuple[tuple[int, ...], ...]:
    return phases(draft.playbook, last=stage is Stage.REJUDGING and bool(_last(draft)))


def _last(draft: Draft) -> tuple[int, ...]:
    """Those that are asked right before the write of this step; a step that only collects has none."""
    if not draft.playbook.steps[draft.run.step].mutates:
        return ()
    return tuple(n for n, guard in enumerate(draft.playbook.guards) if guard.asked == "last")


def rule_on(draft: Draft, verdicts: Sequence[Verdict]) -> Ruling:
    """What the answers come to. All must allow; an error or an unknown denies (promise 11).

    `ask`: these allow and the next ones have been asked. `wait`: every denial says that it will pass, and that within
    `LONGEST_WAIT` of the run's start.
    """
    plan = _phases(draft, draft.run.stage)
    place = _place(plan, draft.run.asked)
    phase = plan[place] if place is not None else ()
    news = _keep(draft, plan, dict(zip(phase, verdicts, strict=False)))
    against = denials(verdicts)
    if against:
        return _against(draft, verdicts, against, news=news)
    if len(verdicts) != len(phase):  # not what was asked, such as an answer from before an upgrade
        ask(draft, draft.run.stage)
        return "ask"
    if not place:
        draft.set_run(judged_at=draft.at)
    following = _following(draft, plan, place)
    _note_allowed(draft, verdicts, plan, more=bool(following))
    if following:
        _ask(draft, draft.run.stage, following, after=draft.run.asked)
    return "ask" if following else "allow"


def _place(plan: tuple[tuple[int, ...], ...], asked: tuple[int, ...]) -> int | None:
    """Which phase was asked last: none where the playbook has no guards, or nothing is known of it."""
    return next((n for n, phase in enumerate(plan) if asked[len(asked) - len(phase) :] == phase), None)


def _following(draft: Draft, plan: tuple[tuple[int, ...], ...], place: int | None) -> tuple[int, ...]:
    """Whom to ask next: the next phase; at the end the first one again, if its answers have gone stale meanwhile."""
    run = draft.run
    for phase in plan[place + 1 :] if place is not None else ():
        if not set(phase) <= set(run.asked):
            return phase
    whole = place and _from_the_beginning(draft, plan)
    old = run.judged_at is not None and (draft.at - run.judged_at).total_seconds() > FRESH
    return plan[0] if whole and old else ()


def _from_the_beginning(draft: Draft, plan: tuple[tuple[int, ...], ...]) -> bool:
    """Whether all of the plan was asked this time, and not only what comes right before the write."""
    return not plan or set(plan[0]) <= set(draft.run.asked)


def _keep(draft: Draft, plan: tuple[tuple[int, ...], ...], said: Mapping[int, Verdict]) -> bool:
    """Keep these answers, without their evidence, which the timeline has. Returns whether any differs from before."""
    run = draft.run
    valid = {n: one for n, one in run.answers.items() if n in run.asked or not _from_the_beginning(draft, plan)}
    kept = {n: Verdict(one.name, one.answer, one_line(one.reason, _KEPT), again=one.again) for n, one in said.items()}
    draft.set_run(answers={**valid, **kept})
    return any(n not in run.answers or run.answers[n].answer is not one.answer for n, one in said.items())


def _against(draft: Draft, verdicts: Sequence[Verdict], against: Sequence[Verdict], *, news: bool) -> Ruling:
    """Write down who is against it and, unless that is no `news`, who is not and who was not even asked (promise 8)."""
    for one in against:
        draft.note("guards", f"{_ANSWERED[one.answer]} {one.name}: {one.reason}", draft.run.playbook, seen=one.seen)
    if news:
        _note_rest(draft, [one for one in verdicts if one.answer is Answer.ALLOW])
    passes = all(one.again is not None and one.answer is Answer.DENY for one in against)
    waited = (draft.at - draft.run.started_at).total_seconds()
    return "wait" if passes and waited + wait_for(against) <= LONGEST_WAIT else "refuse"


def _note_rest(draft: Draft, allowed: Sequence[Verdict]) -> None:
    known = {*draft.run.answers, *draft.run.asked}
    unasked = [guard.kind for n, guard in enumerate(draft.playbook.guards) if n not in known]
    more = f" and {len(unasked) - _NAMED} more" if len(unasked) > _NAMED else ""
    parts = [
        f"allowed by {', '.join(one.name for one in allowed)}" if allowed else "",
        f"not asked: {', '.join(unasked[:_NAMED])}{more}" if unasked else "",
    ]
    if any(parts):
        draft.note("guards", "; ".join(filter(None, parts)), f"playbook {draft.run.playbook}", seen=_evidence(allowed))


def _note_allowed(draft: Draft, verdicts: Sequence[Verdict], plan: tuple[tuple[int, ...], ...], *, more: bool) -> None:
    asked = set(draft.run.asked)
    whole = sum(len(phase) for phase in plan) if _from_the_beginning(draft, plan) else len(asked)
    reasons = "; ".join(one.reason for one in verdicts if one.reason)
    latest = any(draft.playbook.guards[n].asked == "last" for n in asked)
    how = " so far" if more else " right before the write" if latest else ""
    draft.note(
        "guards",
        f"{len(asked)} of {whole} allow{how}" + (f": {reasons}" if reasons else ""),
        f"playbook {draft.run.playbook}",
        seen=_evidence(verdicts),
    )


def _evidence(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """What each saw, by its name; the second of a kind is `budget 2`."""
    seen: dict[str, Any] = {}
    for one in verdicts:
        if one.seen:
            same = sum(1 for name in seen if name == one.name or name.startswith(f"{one.name} "))
            seen[f"{one.name} {same + 1}" if same else one.name] = one.seen
    return seen


_ANSWERED = {
    Answer.DENY: "refused by",
    Answer.ERROR: "refused: an error in",
    Answer.UNKNOWN: "refused: cannot be known by",
    Answer.PASS: "refused: a check's answer from",
    Answer.FAIL: "refused: a check's answer from",
    Answer.ALLOW: "allowed by",
}


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
