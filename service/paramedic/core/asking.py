"""The effects that a run asks for: its target, a plan, a write, a look at it. Answered to `steps`."""

from paramedic.core.draft import Draft
from paramedic.core.effects import Apply, Effect, Observe, Plan, Resolve
from paramedic.core.words import Phase, Purpose, Stage

__all__ = ["find_target", "key_of", "look_at_target", "plan_again", "plan_step", "write"]


def find_target(draft: Draft) -> None:
    """Ask for the one name of the run's target, before anything is judged or claimed under another."""
    run = draft.run.n

    def resolve(n: int) -> Effect:
        return Resolve(n, run)

    draft.set_run(stage=Stage.RESOLVING, effect=draft.ask(resolve))


def plan_step(draft: Draft) -> None:
    """Ask the current step's action what it would write. What people said was about another plan."""
    draft.set_run(approved_by="", approvals=(), asks=(), approve_by=None)
    plan_again(draft)


def plan_again(draft: Draft) -> None:
    """Ask what the step would write by now; if it is what people have approved, they are not asked again."""
    run = draft.run

    def plan(n: int) -> Effect:
        return Plan(n, run.n, run.step, run.attempt)

    draft.set_run(stage=Stage.PLANNING, change=None, effect=draft.ask(plan))


def write(draft: Draft, purpose: Purpose) -> None:
    """Ask for the planned write, under the key of this attempt."""
    run, step = draft.run, draft.playbook.steps[draft.run.step]
    kept = run.claims if purpose is Purpose.REMEDY else tuple(claim for claim in run.claims if claim.limit == 0)
    key = key_of(draft, purpose)

    def apply(n: int) -> Effect:
        return Apply(n, run.n, run.step, run.attempt, key, purpose, run.once, step.timeout, kept, run.playbook)

    stage = Stage.APPLYING if purpose is Purpose.REMEDY else Stage.UNDOING
    if purpose is not Purpose.EXPIRE:
        draft.set(phase=Phase.RESPONDING)
    draft.set_run(stage=stage, purpose=purpose, effect=draft.ask(apply))


def look_at_target(draft: Draft) -> None:
    """Ask whether the write of this attempt is in effect: our change, or what takes it back."""
    run, key = draft.run, key_of(draft, draft.run.purpose)

    def observe(n: int) -> Effect:
        return Observe(n, run.n, run.step, run.attempt, key)

    draft.set_run(stage=Stage.OBSERVING, effect=draft.ask(observe))


def key_of(draft: Draft, purpose: Purpose) -> str:
    """What makes this write one and the same, however often it is sent: incident/run/step/attempt.

    What takes a change back has the key of that change, and why it does so: `/undo`, `/expire`.
    """
    key = draft.run.expires or f"{draft.incident.ref}/{draft.run.n}/{draft.run.step + 1}/{draft.run.attempt}"
    return key if purpose is Purpose.REMEDY else f"{key}/{purpose}"
