"""The witness: sees every commit and says what happened, in the words in which a rehearsal expects it.

It stands behind the store. Each recorded event is folded again with the same `decide` (promise 9), which tells what the
event came to: pages sent, steps carried out, guards' answers, entries. People react to what it tells, `compare` judges.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from paramedic.cluster.names import say_target
from paramedic.core.bundle import Bundle
from paramedic.core.decide import decide
from paramedic.core.decision import Decision
from paramedic.core.effects import Message, Page
from paramedic.core.events import Applied, Checked, Event, Interrupted, Judged, Messaged, Observed, Paged
from paramedic.core.model import Failure, Incident, Run
from paramedic.core.words import Kind, Purpose, Stage
from paramedic.store.port import EventRow

__all__ = ["Happened", "Witness"]

_DECODER: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)
_OUTCOMES = {Kind.UNKNOWN: "unknown", Kind.REFUSED: "refused", Kind.TEMPORARY: "failed", Kind.PERMANENT: "failed"}


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that happened: when (seconds since the beginning), to which incident, what is known of it, in words."""

    at: float
    kind: str
    incident: int
    title: str
    facts: Mapping[str, Any]
    text: str


class Witness:
    """Folds what was recorded. `bundle` finds the bundle of a hash; whoever is in `listeners` is told at once."""

    def __init__(self, start: datetime, bundle: Callable[[str], Bundle]) -> None:
        self._start = start
        self._bundle = bundle
        self._told_of: dict[tuple[int, int], Page | Message] = {}
        self.incidents: dict[int, Incident] = {}
        self.happened: list[Happened] = []
        self.listeners: list[Callable[[Happened], None]] = []

    def take(self, events: Sequence[EventRow]) -> None:
        """Fold the events of one commit, in their order; those that only wait in the inbox come later."""
        for row in events:
            if row.done:
                self._fold(row.incident, _DECODER.decode(row.body))

    def _fold(self, number: int, event: Event) -> None:
        before = self.incidents.get(number)
        decision = decide(before, event, self._bundle(before.bundle if before else getattr(event, "bundle", "")))
        self.incidents[number] = decision.incident
        for effect in decision.effects:
            if isinstance(effect, Page | Message):
                self._told_of[number, effect.n] = effect
        at = (decision.incident.updated_at - self._start).total_seconds()
        for kind, facts, text in self._told(before, event, decision):
            told = Happened(at, kind, number, decision.incident.title, facts, text)
            self.happened.append(told)
            for listener in self.listeners:
                listener(told)

    def _told(self, before: Incident | None, event: Event, decision: Decision) -> Iterator[tuple[str, Any, str]]:
        if before is not None:
            yield from self._answers(before, event)
        for entry in decision.entries:
            facts = {"kind": entry.kind, "text": entry.text, "who": entry.who, "note": entry.note}
            yield "entry", facts, f"{entry.kind} {entry.text}"
        yield from _states(before, decision.incident)
        yield from _runs(before, decision.incident)

    def _answers(self, before: Incident, event: Event) -> Iterator[tuple[str, Any, str]]:
        match event:
            case Judged(verdicts=verdicts):
                for one in verdicts:
                    yield "guard", _verdict(one), f"guard {one.name} says {one.answer}: {one.reason}"
            case Checked(verdict=one):
                yield "check", _verdict(one), f"check {one.name} says {one.answer}: {one.reason}"
            case Applied() if before.run is not None and event.n == before.run.effect:
                yield self._step(before.run, before.bundle, _outcome(event.failure), event.failure)
            case Observed() if before.run is not None and event.n == before.run.effect and event.applied:
                yield self._step(before.run, before.bundle, "done", None)
            case Interrupted() if before.run is not None and event.n == before.run.effect:
                yield self._step(before.run, before.bundle, "unknown", None)
            case Paged(failure=None) | Messaged(failure=None):
                yield from self._sent(before, event.n)
            case _:
                return

    def _sent(self, before: Incident, effect: int) -> Iterator[tuple[str, Any, str]]:
        match self._told_of.pop((before.id, effect), None):
            case Page(verb="trigger") as page:
                yield _page(page, before)
            case Message() as message:
                yield _message(message)
            case _:
                return

    def _step(self, run: Run, bundle: str, outcome: str, failure: Failure | None) -> tuple[str, Any, str]:
        action = self._bundle(bundle).playbooks[run.playbook].steps[run.step].kind
        undo = run.purpose is not Purpose.REMEDY
        write = (run.change.undo if undo else run.change.write) if run.change else {}
        facts = {"action": action, "target": run.target, "to": write, "outcome": outcome, "undo": undo}
        short = say_target(run.target)
        # What an action says of its change names the target mostly; it is named once.
        change = run.change.summary if run.change else ""
        about = change.partition(short)[2].lstrip(",: ") if short in change else change
        summary = f", {about}" if about else ""
        why = f": {failure.message}" if failure else ""
        result = "" if outcome == "done" else f", {outcome}{why}"
        return (
            "step",
            facts,
            f"step {action} {short}{summary}{' (taken back)' if undo else ''}{result}",
        )


def _outcome(failure: Failure | None) -> str:
    return _OUTCOMES[failure.kind] if failure else "done"


def _verdict(verdict: Any) -> dict[str, Any]:
    return {"name": verdict.name, "answer": str(verdict.answer), "reason": verdict.reason}


def _page(page: Page, incident: Incident) -> tuple[str, Any, str]:
    facts = {
        "level": page.level,
        "to": page.to,
        "policy": incident.paging.policy,
        "notifier": page.notifier,
        "text": page.text,
    }
    return "page", facts, f'page level {page.level} {page.to} by {page.notifier}: "{page.text}"'


def _message(message: Message) -> tuple[str, Any, str]:
    lines = [line for line in message.lines if line]
    facts = {
        "audience": message.audience,
        "by": message.notifier,
        "to": message.to,
        "text": "\n".join(lines),
    }
    return "message", facts, f'message to {message.audience} by {message.notifier}: "{" / ".join(lines)}"'


def _states(before: Incident | None, after: Incident) -> Iterator[tuple[str, Any, str]]:
    facts = _state(after)
    if before is None or facts != _state(before):
        said = ", ".join(f"{name} {value}" for name, value in facts.items() if value and name not in ("title", "open"))
        yield "incident", facts, f'incident {after.ref} "{after.title}" {said}{"" if after.open else ", closed"}'


def _state(incident: Incident) -> dict[str, Any]:
    return {
        "phase": str(incident.phase),
        "severity": str(incident.severity),
        "fixed_by": incident.fixed_by,
        "title": incident.title,
        "rule": incident.rule,
        "owner": incident.owner,
        "acked_by": incident.paging.acked_by,
        "open": incident.open,
    }


def _runs(before: Incident | None, after: Incident) -> Iterator[tuple[str, Any, str]]:
    known = before.past[-1].n if before and before.past else 0
    for past in after.past:
        if past.n > known:
            mode = str(before.run.mode) if before and before.run and before.run.n == past.n else ""
            text = f"run {past.playbook} on {past.target} ended {past.outcome}: {past.reason}"
            yield "run", _run(past.playbook, past.target, str(past.outcome), mode), text
    run, was = after.run, before.run if before else None
    if run is not None and (was is None or was.n != run.n):
        facts = _run(run.playbook, run.target, "running", str(run.mode))
        yield "run", facts, f"run {run.playbook} on {run.target} began in mode {run.mode}"
    if run is not None and run.stage is Stage.APPROVAL and (was is None or was.stage is not Stage.APPROVAL):
        yield "approval", {"run": run.n}, f"run {run.playbook} on {run.target} waits for an approval"


def _run(playbook: str, target: str, outcome: str, mode: str) -> dict[str, Any]:
    return {"playbook": playbook, "target": target, "outcome": outcome, "mode": mode}
