"""A result that comes when its effect has been settled without it: recorded, and held against what we concluded.

A process that stands still for a while is taken for gone, and another one goes on in its place: looks at the target,
sends the same key again, or gives the matter to a person. When the first one wakes up, it knows what really became of
its call. `decide` calls `learned` for that. What was concluded is not undone; where the two contradict each other, a
person hears both.
"""

from typing import Literal

from paramedic.core import escalation
from paramedic.core.draft import Draft
from paramedic.core.events import Late
from paramedic.core.model import Past, Run
from paramedic.core.treatment import BUSY
from paramedic.core.words import Outcome, Phase, Purpose, Stage

__all__ = ["learned"]

Concluded = Literal["written", "found", "not in effect", "not known", "open"]

_KEPT = 20
_WRITTEN = frozenset({"done", "halted"})
_NOBODY_KNOWS = "unknown"
_UNSETTLED = BUSY | {Stage.RETRYING, Stage.REJUDGING, Stage.WAITING, Stage.APPROVAL}

_CAME = {
    "done": "it was done",
    "halted": "it stopped between two of its writes",
    "unknown": "its answer never came",
}
_CONCLUDED: dict[Concluded, str] = {
    "written": "by then it had been done under the same key",
    "found": "by then it had been found in effect",
    "not in effect": "by then it had been taken for not in effect",
    "not known": "by then nobody could say whether it took effect",
    "open": "what becomes of it is still being found out",
}


def learned(draft: Draft, event: Late) -> None:
    """Record it once; where it contradicts what was concluded, hand the incident over with both statements."""
    if event.n in draft.incident.late:
        return
    draft.set(late=(*draft.incident.late, event.n)[-_KEPT:])
    came = _CAME.get(event.came_to, "nothing was written")
    when = "after its process was taken for gone" if event.what == "apply" else "when nobody waited for it any more"
    said = f"{_what(draft, event)} came back at {event.came:%H:%M:%S} UTC, {when}: {came}"
    said += f": {event.text}" if event.text else ""
    if event.what != "apply":
        draft.note("late", said)
        return
    concluded = _concluded(draft, event)
    draft.note("late", f"{said}; {_CONCLUDED[concluded]}", event.key)
    if _mutates(draft, event) and _contradicts(event.came_to, concluded):
        _tell(draft, f"{_what(draft, event)}: {_CONCLUDED[concluded]}, and now its process says: {came}")


def _what(draft: Draft, event: Late) -> str:
    if event.what != "apply":
        return f"a {event.what}"
    verb = "the write" if event.purpose is Purpose.REMEDY else "taking back the change"
    return f"{verb} of step {event.step + 1} of run {draft.incident.ref}.{event.run}"


def _tell(draft: Draft, words: str) -> None:
    """Once it is resolved nobody climbs for it, but somebody is told."""
    if draft.incident.phase in (Phase.RESOLVED, Phase.REVIEWED):
        escalation.after_all(draft, words)
    else:
        escalation.hand_over(draft, words)


def _contradicts(came_to: str, concluded: Concluded) -> bool:
    """A call that was turned away says nothing against another one under the same key that was not."""
    if came_to == _NOBODY_KNOWS or concluded in ("open", "written"):
        return False
    if came_to in _WRITTEN:
        return concluded in ("not in effect", "not known")
    return concluded in ("found", "not known")


def _mutates(draft: Draft, event: Late) -> bool:
    playbook = draft.bundle.playbooks.get(event.playbook)
    return playbook is None or event.step >= len(playbook.steps) or playbook.steps[event.step].mutates


def _concluded(draft: Draft, event: Late) -> Concluded:
    """What we made of this write, without its answer."""
    run = draft.incident.run
    if run is not None and run.n == event.run:
        return _of_run(run, event)
    past = next((one for one in draft.incident.past if one.n == event.run), None)
    return _of_past(past, event) if past is not None else "not known"


def _of_run(run: Run, event: Late) -> Concluded:
    """The active run goes on: its records say what became of the steps behind it."""
    about = (event.step, event.attempt)
    current = about == (run.step, run.attempt)
    done = any((one.step, one.attempt) == about and one.outcome in _WRITTEN for one in run.steps)
    if event.purpose is run.purpose and current and (run.unsure or run.stage in _UNSETTLED):
        return "open"
    if done or event.purpose is not Purpose.REMEDY:
        return "found" if current and run.found else "written"
    return "not in effect"


def _of_past(past: Past, event: Late) -> Concluded:
    if past.unsure and past.purpose is event.purpose:
        return "not known"
    if event.purpose is Purpose.REMEDY:
        in_effect = event.step in past.wrote
    else:
        in_effect = past.outcome in (Outcome.INEFFECTIVE, Outcome.DONE)
    if not in_effect:
        return "not in effect"
    return "found" if past.found and past.purpose is event.purpose else "written"
