"""Whether what was done helped: the checks of a step, asked one after the other until each passes or its time is up.

Called by `steps` after a write and for each answer; `sightings` asks for another look when the alert clears.
"""

from datetime import timedelta
from typing import Literal

from paramedic.core.draft import Draft
from paramedic.core.effects import Check, Effect
from paramedic.core.events import Checked
from paramedic.core.text import span
from paramedic.core.words import Answer, Stage

__all__ = ["begin", "look", "look_again", "weigh"]

Weighed = Literal["next", "passed", "failed", "unknown", "waiting"]


def begin(draft: Draft) -> bool:
    """Start the step's verification; False where the step has none (left)."""
    step = draft.playbook.steps[draft.run.step]
    if draft.run.check >= len(step.verify):
        return False
    check = step.verify[draft.run.check]
    draft.set_run(stage=Stage.VERIFYING, deadline=draft.at + timedelta(seconds=check.within), last=None)
    look(draft)
    return True


def look(draft: Draft) -> None:
    """Ask the check whose turn it is."""
    run = draft.run

    def check(n: int) -> Effect:
        return Check(n, run.n, run.step, run.check)

    draft.set_run(effect=draft.ask(check))


def look_again(draft: Draft) -> None:
    """Something changed that the check may care about: ask now instead of at the next turn."""
    if draft.run.effect is None:
        draft.cancel("check")
        look(draft)


def weigh(draft: Draft, event: Checked) -> Weighed:
    """What this answer comes to. A check that cannot know is not a check that failed (promise 11)."""
    step = draft.playbook.steps[draft.run.step]
    check = step.verify[draft.run.check]
    verdict = event.verdict
    draft.set_run(effect=None, last=verdict)
    if verdict.answer is Answer.PASS:
        draft.note("check", f"{verdict.name}: {verdict.reason}", seen=verdict.seen, evidence=event.evidence)
        draft.set_run(check=draft.run.check + 1)
        return "next" if draft.run.check < len(step.verify) else "passed"
    left = ((draft.run.deadline or draft.at) - draft.at).total_seconds()
    if left > 0 and not (verdict.final and verdict.answer is Answer.FAIL):
        draft.timer_in("check", min(left, max(0.1, verdict.again if verdict.again is not None else check.every)))
        return "waiting"
    known = verdict.answer is Answer.FAIL
    words = f"not within {span(check.within)}" if known else f"cannot be known, given up after {span(check.within)}"
    text = f"{verdict.name}: {'failed' if left > 0 else words}: {verdict.reason}"
    draft.note("check", text, seen=verdict.seen, evidence=event.evidence)
    return "failed" if known else "unknown"
