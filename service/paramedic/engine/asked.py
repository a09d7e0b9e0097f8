"""What people ask for: acts on incidents, here or where the incident is, and the switch. Called by `folds`.

An act on another member's incident goes there as a question; `sharing` brings the answer back to whoever waits.
"""

from typing import TYPE_CHECKING

from paramedic.core.acts import objection, warning
from paramedic.core.entitled import forbidden
from paramedic.core.episodes import released
from paramedic.core.events import Acted, AlertsSeen
from paramedic.core.model import Incident
from paramedic.engine.acts import Act, Conflict, Forbidden, NotFound
from paramedic.engine.forwarding import Answer, Question, pack
from paramedic.engine.inputs import Asked
from paramedic.engine.passing import elsewhere, forward
from paramedic.errors import Fault
from paramedic.store.port import AnswerRow, Switch

if TYPE_CHECKING:
    from paramedic.engine.folds import Folds
    from paramedic.engine.work import Work

__all__ = ["answer", "asked"]


def asked(folds: "Folds", one: Asked) -> None:
    """Do what a person asks for; who waits is answered once it is durable."""
    if one.switch is not None:
        _switch(folds, one, one.switch)
    elif one.incident is None or one.act is None:
        folds.work.deny(one.answer, NotFound("the incident", "is not named"))
    elif (shard := elsewhere(folds, one.incident)) is not None:
        questions, number = folds.shell.questions, forward(folds, shard, Question(one.incident, one.act))
        questions[number] = one.answer
        one.answer.add_done_callback(lambda _: questions.pop(number, None))
    else:
        try:
            folds.work.promise(one.answer, _done(folds, one.incident, one.act))
        except Fault as fault:
            folds.work.deny(one.answer, fault)


def answer(folds: "Folds", row: int, question: Question) -> None:
    """Do what was asked through another member, and leave it the answer."""
    came: str | Fault
    try:
        came = _done(folds, question.incident, question.act)
    except Fault as fault:
        came = fault
    folds.work.batch.forwarded_gone.append(row)
    folds.work.batch.answers.append(AnswerRow(row, folds.work.at, pack(Answer.of(came))))
    folds.work.batch.tell = True


def _done(folds: "Folds", number: int, act: Act) -> str:
    """What was done, in words. Raises `NotFound`, `Conflict` or `Forbidden`."""
    work = folds.work
    incident = work.incident(number)
    if incident is None:
        raise NotFound(f"INC-{number}", "is not open", "list the open ones: incidents")
    event, bundle = _event(act, work), folds.shell.bundle_of(incident.bundle)
    if against := objection(incident, event, bundle):
        raise Conflict(incident.ref, against)
    if against := forbidden(incident, event, bundle):
        raise Forbidden(incident.ref, against)
    folds.event(number, event)
    if act.what == "close":
        _close(folds, incident)
    now = work.incident(number)
    parked = ", kept until this incident can be decided again" if now is not None and now.parked else ""
    beside = warning(incident, event, bundle)
    return f"{incident.ref}: {act.what} by {act.who}{parked}" + (f"; {beside}" if beside else "")


def _event(act: Act, work: "Work") -> Acted:
    return Acted(
        work.at,
        work.mode,
        act.who,
        act.what,
        act.run,
        act.text,
        act.until,
        plan=act.plan,
        other=act.other,
        groups=act.groups,
        way=act.way,
        origin=act.origin,
    )


def _close(folds: "Folds", incident: Incident) -> None:
    """A person closes it: none of its alerts is followed any more."""
    work, firing = folds.work, incident.firing
    over = folds.written(released(folds.episodes_of(incident.id), work.at))
    seen = AlertsSeen(work.at, work.mode, "person", closed=firing.open, undoubted=firing.doubted, exemplars=over)
    folds.event(incident.id, seen)


def _switch(folds: "Folds", one: Asked, wanted: Switch) -> None:
    """The next position of the switch; the commit takes it only if nobody else has moved it meanwhile."""
    shell, batch = folds.shell, folds.work.batch
    earlier = batch.switch  # moved twice in one batch: the later one counts, as one change
    version = earlier.version if earlier is not None else shell.reading.switch.version + 1
    moved = Switch(wanted.mode, wanted.until, wanted.who, wanted.reason, folds.work.at, version)
    batch.switch = moved
    shell.reading.switch = moved
    folds.work.promise(one.answer, f"the switch is at {wanted.mode}")
