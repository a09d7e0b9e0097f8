"""What an effect came to when nobody waits for it any more, as an event of its incident. Called by `folds`.

Only what may have left a trace in the world is worth one: a read that was asked again has changed nothing.
"""

from datetime import datetime

from paramedic.core.effects import Apply, Effect, lane_of
from paramedic.core.events import Applied, Event, Late, Messaged, Paged
from paramedic.core.text import one_line
from paramedic.core.words import Mode
from paramedic.engine.inputs import Result

__all__ = ["about", "late", "leaves_traces"]


def leaves_traces(effect: Effect) -> bool:
    """Whether what it came to is of interest even when it has been settled without."""
    return lane_of(effect) != "read"


def late(result: Result, at: datetime, mode: Mode) -> Late | None:
    """The event that tells it; None for a read."""
    effect, event = result.effect, result.event
    if not leaves_traces(effect):
        return None
    came_to, text = _came_to(event)
    what = type(effect).__name__.lower()
    if not isinstance(effect, Apply):
        return Late(at, mode, effect.n, what, came_to, text, event.at)
    return Late(
        at,
        mode,
        effect.n,
        what,
        came_to,
        text,
        event.at,
        run=effect.run,
        step=effect.step,
        attempt=effect.attempt,
        key=effect.key,
        playbook=effect.playbook,
        purpose=effect.purpose,
    )


def about(result: Result) -> str:
    """Which effect it is and what it came to, for the log: the only place left for one that no timeline takes."""
    effect = result.effect
    what = f"the write {effect.key}" if isinstance(effect, Apply) else type(effect).__name__.lower()
    came_to, text = _came_to(result.event)
    return one_line(f"INC-{result.incident}: {what} (effect {effect.n}): {came_to}: {text}")


def _came_to(event: Event) -> tuple[str, str]:
    """In one word, and in the words of whoever carried it out."""
    if not isinstance(event, Applied | Paged | Messaged):
        return "unknown", ""
    if event.failure is not None:
        return str(event.failure.kind), event.failure.message
    if isinstance(event, Applied):
        return ("halted", event.halted) if event.halted else ("done", event.summary)
    return "done", event.receipt if isinstance(event, Paged) else event.ref
