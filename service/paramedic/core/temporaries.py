"""Changes that were made for a time: kept with their incident until they have been taken back.

`writing` keeps one when its write took effect. `decide` sets the timer "expire" after each event; when that is due, a
run of purpose `expire` takes the change back, by the machinery of every write: claims, gate, a look at the target after
a crash. How it ended comes back here from `treatment`.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import msgspec

from paramedic.core import asking, escalation
from paramedic.core.draft import Draft
from paramedic.core.model import Change, Incident, Run, Temporary
from paramedic.core.text import span
from paramedic.core.words import Mode, Once, Outcome, Phase, Purpose, Stage

__all__ = ["CLEAR", "TIMERS", "arrange", "drop", "ended", "keep", "undone"]

CLEAR = 120.0
"""Seconds for which the alert must have been clear before a change that helped is taken back; or as long as the
change was made for, where that is shorter.
"""

_FROZEN = 60.0
"""Seconds after which a change that must not be taken back now is looked at again."""

_ROUNDS = 3
_BETWEEN = 600.0
"""Seconds until a run that failed is followed by another one, longer each time; after `_ROUNDS` a person has to."""


def keep(draft: Draft) -> None:
    """The current step's write is in effect, or may be: if it was made for a time, remember to take it back."""
    run, change = draft.run, draft.run.change
    if change is None or change.undo is None or change.lasts <= 0 or run.purpose is not Purpose.REMEDY:
        return
    kept = Temporary(
        run=run.n,
        rule=run.rule,
        playbook=run.playbook,
        step=run.step,
        target=run.target,
        key=asking.key_of(draft, Purpose.REMEDY),
        summary=change.summary,
        undo=change.undo,
        set_at=draft.at,
        until=draft.at + timedelta(seconds=change.lasts),
        claims=tuple(claim for claim in run.claims if claim.limit == 0),
    )
    others = tuple(one for one in draft.incident.temporaries if one.key != kept.key)
    draft.set(temporaries=(*others, kept))
    clear = f"once the alert has been clear for {span(_calm(kept))}"
    draft.note("temporary", f"for {span(change.lasts)}, until {kept.until:%H:%M:%S} UTC; taken back then, {clear}")


def undone(draft: Draft) -> None:
    """The current step's change has been taken back, or is somebody else's by now: nothing is left to expire."""
    run = draft.run
    drop(draft, *(one.key for one in draft.incident.temporaries if (one.run, one.step) == (run.n, run.step)))


def drop(draft: Draft, *keys: str) -> None:
    """Forget these. With the last that people were told about, the pages about it are over as well."""
    before = draft.incident.temporaries
    left = tuple(one for one in before if one.key not in keys)
    draft.set(temporaries=left)
    told = any(one.told for one in before) and not any(one.told for one in left)
    if told and draft.incident.phase is Phase.RESOLVED:
        escalation.close(draft)


def arrange(draft: Draft) -> None:
    """Set the timer for the next change to be taken back: none while the alert fires, or while a run is active."""
    incident = draft.incident
    timer, due = incident.timers.get("expire"), _due(incident)
    if due is None:
        draft.cancel("expire")
    elif timer is None or not (timer.due == due or due < timer.due <= draft.at):
        draft.timer("expire", max(due, draft.at))


def _due(incident: Incident) -> datetime | None:
    firing = incident.firing
    if incident.run is not None or firing.doubted or firing.cleared_at is None:  # not cleared: it fires
        return None
    return min((_when(incident, one) for one in _newest(incident)), default=None)


def _calm(one: Temporary) -> float:
    """Seconds for which the alert must have been clear."""
    return min(CLEAR, (one.until - one.set_at).total_seconds())


def _when(incident: Incident, one: Temporary) -> datetime:
    """When it is to be taken back, as far as is known while nothing fires."""
    clear = (incident.firing.cleared_at or one.until) + timedelta(seconds=_calm(one))
    return max(one.until, clear, one.again or clear)


def _newest(incident: Incident) -> list[Temporary]:
    """The last change of each target: taken back in reverse, each leads to what was before it, and all to the first."""
    return list({one.target: one for one in incident.temporaries}.values())


def _expire(draft: Draft) -> None:
    """Begin to take back what has been due longest. In freeze nothing is: people are told once, and it waits."""
    due = [one for one in _newest(draft.incident) if _when(draft.incident, one) <= draft.at]
    if _due(draft.incident) is None or not due:
        return
    one = min(due, key=lambda one: one.until)
    if draft.mode is Mode.FREEZE:
        _strand(draft, one, f"the switch is at freeze: nothing writes{draft.by_switch(Mode.FREEZE)}")
    else:
        _begin(draft, one)


def _begin(draft: Draft, one: Temporary) -> None:
    number = draft.incident.runs + 1
    run = Run(
        n=number,
        rule=one.rule,
        playbook=one.playbook,
        target=one.target,
        identity="",
        params={},
        severity=draft.incident.severity,
        mode=draft.mode,
        started_at=draft.at,
        stage=Stage.UNDOING,
        recurrence=draft.incident.recurrence,
        step=one.step,
        purpose=Purpose.EXPIRE,
        change=Change(one.summary, {}, undo=one.undo),
        once=draft.bundle.playbooks[one.playbook].steps[one.step].once,
        claims=one.claims,
        unsure=one.unsure,
        expires=one.key,
    )
    draft.set(run=run, runs=number)
    draft.note("expire", f"its time is over: taking back: {one.summary}", f"run {draft.incident.ref}.{number}")
    if one.unsure and run.once is not Once.KEY:
        asking.look_at_target(draft)
    else:
        asking.write(draft, Purpose.EXPIRE)


def ended(draft: Draft, run: Run, outcome: Outcome, reason: str) -> None:
    """A run that was to take a change back is over.

    What cannot be taken back wakes somebody: it is ours, and nobody else would look for it. What somebody changed since
    does not: they know what they did, it is theirs now, and the timeline says so.
    """
    one = next((one for one in draft.incident.temporaries if one.key == run.expires), None)
    if one is None:
        return
    if outcome is Outcome.DONE:
        drop(draft, one.key)
    elif outcome in (Outcome.FAILED, Outcome.UNKNOWN):
        _failed(draft, one, run, reason)
    elif outcome is Outcome.REFUSED and not draft.incident.firing.open:
        _strand(draft, one, reason)
    else:
        _later(draft, one, _FROZEN, unsure=run.unsure)


def _failed(draft: Draft, one: Temporary, run: Run, reason: str) -> None:
    """It is tried again later, a few times; where nobody knows, the target is looked at first.

    What cannot be looked at and knows no keys is not tried again (promise 3).
    """
    failed = one.failed + 1
    could = "nobody can say whether a temporary change was" if run.unsure else "a temporary change could not be"
    words = f"{could} taken back: {one.summary}: {reason}"
    if failed >= _ROUNDS or (run.unsure and run.once is Once.NONE):
        drop(draft, one.key)
        escalation.after_all(draft, f"{words}; it is not tried again, a person has to")
        return
    wait = _BETWEEN * failed
    _later(draft, one, wait, failed=failed, unsure=run.unsure, told=True)
    if failed == 1:
        escalation.after_all(draft, f"{words}; tried again in {span(wait)}")


def _strand(draft: Draft, one: Temporary, why: str) -> None:
    """It must not be taken back now. Whoever has the incident is told once; it is tried again when it may be."""
    _later(draft, one, _FROZEN, told=True)
    if not one.told:
        draft.note("expire", f"not taken back for now: {why}")
        escalation.after_all(draft, f"a temporary change is still there: {one.summary}: {why}")


def _later(draft: Draft, one: Temporary, seconds: float, **changes: bool | int) -> None:
    again = msgspec.structs.replace(one, again=draft.at + timedelta(seconds=seconds), **changes)
    draft.set(temporaries=tuple(again if each.key == one.key else each for each in draft.incident.temporaries))


TIMERS: Mapping[str, Callable[[Draft], None]] = {"expire": _expire}
