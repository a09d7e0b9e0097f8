"""One batch in the making: events folded, rows collected. The turn opens one for each commit and closes it with `rows`.

An incident that several inputs touch is decoded once, folded several times, and written once.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from paramedic.core.bundle import Bundle
from paramedic.core.decide import decide
from paramedic.core.decision import Decision, Entry
from paramedic.core.effects import Effect, lane_of
from paramedic.core.events import Event, Parked
from paramedic.core.model import Episode, Incident
from paramedic.core.sharing import SHARDS
from paramedic.core.storm import KIND, lasts
from paramedic.core.text import one_line
from paramedic.core.words import Mode, Outcome
from paramedic.engine.holdings import Held, Holdings
from paramedic.engine.report import Report
from paramedic.errors import Temporary
from paramedic.record.evidence import Kept
from paramedic.record.timeline import chain, encode_entries, first_link
from paramedic.store.port import (
    Batch,
    EffectRow,
    EventRow,
    EvidenceRow,
    IncidentRow,
    TimelineRow,
    TimerRow,
)

__all__ = ["Work"]

_log = logging.getLogger(__name__)
_events = msgspec.json.Encoder()
_effects = msgspec.json.Encoder()


@dataclass(slots=True)
class _Touched:
    """An incident of this batch: as it was, as it is, what its rows are numbered by, and entries without a row yet."""

    before: Incident | None
    now: Incident
    held: Held
    entries: tuple[Entry, ...] = ()
    entries_at: datetime | None = None


@dataclass(slots=True)
class Work:
    """The batch, the incidents it touches, and what to do once it is committed (`then`) or not (`refuse`).

    `born` are effects that leave with the batch they were asked for in, and until when their call may be under way.
    `switch` says who has set the switch below auto, and why.
    """

    holdings: Holdings
    bundle: Callable[[str], Bundle]
    report: Report
    at: datetime
    mode: Mode
    batch: Batch = field(default_factory=Batch)
    touched: dict[int, _Touched] = field(default_factory=dict)
    episodes: dict[tuple[str, str], Episode] = field(default_factory=dict)
    asked: dict[tuple[int, int], Effect] = field(default_factory=dict)
    born: dict[tuple[int, int], datetime | None] = field(default_factory=dict)
    fresh: list[tuple[int, int]] = field(default_factory=list)
    leaving: list[tuple[int, Effect]] = field(default_factory=list)
    answers: list[tuple["asyncio.Future[Any]", Any]] = field(default_factory=list)
    results: int = 0
    switch: str = ""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to commit."""
        return not self.touched and not self.answers and self.batch == Batch()

    def promise(self, answer: "asyncio.Future[Any]", value: Any) -> None:
        """Answer with this value once the batch is durable."""
        self.answers.append((answer, value))

    def refuse(self, error: BaseException) -> None:
        """Answer everybody that the batch did not become durable."""
        for answer, _ in self.answers:
            self.deny(answer, Temporary(f"not committed: {error}"))

    @staticmethod
    def deny(answer: "asyncio.Future[Any]", error: Exception) -> None:
        """Answer with an error, now: nothing of it is written."""
        if not answer.done():
            answer.set_exception(error)

    def incident(self, number: int) -> Incident | None:
        """An open incident as this batch has it by now."""
        touched = self.touched.get(number)
        if touched is not None:
            return touched.now
        return self.holdings.incident(number)

    def fold(self, number: int, event: Event) -> tuple[Effect, ...]:
        """Fold one event, record it, write its entries. Returns the effects asked for. A fold that raises parks.

        An incident that is parked only keeps what happens to it, in its inbox. One that cannot even be opened, or is
        over, stays what it is.
        """
        touched = self._touch(number)
        if touched is not None and touched.held.parked and not isinstance(event, Parked):
            self._keep_for_later(touched, number, event)
            return ()
        before = touched.now if touched is not None else None
        if self.switch and event.mode is self.mode:
            event = msgspec.structs.replace(event, switch=self.switch)
        try:
            bundle = self.bundle(before.bundle if before is not None else getattr(event, "bundle", ""))
            decision = decide(before, event, bundle)
        except Exception as error:
            _log.error("a decision raised", exc_info=error)
            self.report.failed("decide")
            if touched is None:
                return ()
            if isinstance(event, Parked):
                touched.held.parked = True
                return ()
            return self._park(touched, number, event, error)
        if touched is None:
            touched = self._begin(decision.incident)
        return self._take(touched, decision, event)

    def _touch(self, number: int) -> _Touched | None:
        touched = self.touched.get(number)
        if touched is None and (incident := self.holdings.incident(number)) is not None:
            touched = self.touched[number] = _Touched(incident, incident, self.holdings.incidents[number])
        return touched

    def _begin(self, incident: Incident) -> _Touched:
        held = Held(b"", incident.key, incident.shard, 0, 0, 0, first_link(incident.id), incident.severity)
        self.holdings.incidents[incident.id] = held
        self.holdings.keys[incident.key] = incident.id
        touched = self.touched[incident.id] = _Touched(None, incident, held)
        return touched

    def _park(self, touched: _Touched, number: int, event: Event, error: Exception) -> tuple[Effect, ...]:
        self._keep_for_later(touched, number, event)
        touched.held.parked = True
        parked = Parked(at=self.at, mode=self.mode, error=one_line(f"{type(error).__name__}: {error}", 200))
        return self.fold(number, parked)

    def _keep_for_later(self, touched: _Touched, number: int, event: Event) -> None:
        """Undecided events are numbered below zero: they are no part of the recorded sequence until they are folded."""
        touched.held.events += 1
        body = _events.encode(event)
        self.batch.events.append(EventRow(number, -touched.held.events, event.at, body, done=False))

    def _take(self, touched: _Touched, decision: Decision, event: Event) -> tuple[Effect, ...]:
        held, number = touched.held, decision.incident.id
        touched.now = decision.incident
        held.events += 1
        self.batch.events.append(EventRow(number, held.events, event.at, _events.encode(event)))
        if decision.entries:
            if touched.entries and touched.entries_at != decision.incident.updated_at:
                self._write(number, touched)
            touched.entries += decision.entries
            touched.entries_at = decision.incident.updated_at
        for effect in decision.effects:
            self.asked[number, effect.n] = effect
        return decision.effects

    def _write(self, number: int, touched: _Touched) -> None:
        """One row of the timeline for all entries of one moment: each is hashed, sent and indexed."""
        held, at = touched.held, touched.entries_at
        if at is None:
            return
        body = encode_entries(touched.entries)
        held.head = chain(held.head, at, body)
        self.batch.timeline.append(TimelineRow(number, held.entries + 1, at, body, held.head))
        held.entries += len(touched.entries)
        touched.entries, touched.entries_at = (), None

    def unanswered(self, lane: str) -> Iterator[tuple[int, Effect]]:
        """The effects of a lane that were asked for in this batch and are still wanted, in the order of asking."""
        for (number, n), effect in list(self.asked.items()):
            if lane_of(effect) == lane and n in self.touched[number].now.effects:
                yield number, effect

    def keep(self, kept: tuple[Kept, ...]) -> None:
        """Store evidence with this batch."""
        for one in kept:
            self.batch.evidence.append(EvidenceRow(one.reference.digest, one.reference.name, one.body))

    def observe(self, episode: Episode) -> None:
        """Write an episode with this batch, as the version after the one that is stored."""
        who = (episode.source, episode.identity)
        earlier = self.episodes.get(who)
        version = earlier.version if earlier is not None else episode.version + 1
        self.episodes[who] = episode = msgspec.structs.replace(episode, version=version)
        self.holdings.watched.note(episode)

    def close(self) -> None:
        """Turn what was folded into rows and bring the holdings up to date; `fresh` are the effects that are new."""
        self.batch.episodes = list(self.episodes.values())
        for number, touched in self.touched.items():
            self._rows(number, touched)

    def _rows(self, number: int, touched: _Touched) -> None:
        before, now, held = touched.before, touched.now, touched.held
        self._write(number, touched)
        self._timers(number, before, now)
        self._effects(number, before, now)
        self._runs(number, before, now)
        held.version += 1
        self.holdings.now_is(now)
        held.severity, held.open_episodes = now.severity, now.firing.open
        held.unknown = bool(now.past) and now.past[-1].outcome is Outcome.UNKNOWN
        self.batch.incidents.append(
            IncidentRow(
                id=number,
                shard=now.shard % SHARDS,
                key=now.key,
                source=now.source,
                title=now.title,
                severity=now.severity,
                phase=now.phase,
                rule=now.rule,
                opened_at=now.opened_at,
                updated_at=now.updated_at,
                version=held.version,
                events=held.events,
                entries=held.entries,
                head=held.head,
                state=held.state,
                open=now.open,
                new=before is None,
            )
        )
        self._storm(number, before, now)
        if not now.open:
            del self.holdings.incidents[number]
            self.holdings.keys.pop(now.key, None)

    def _storm(self, number: int, before: Incident | None, now: Incident) -> None:
        held, storms = self.holdings.incidents[number], self.holdings.storms
        held.storm = now.kind == KIND and lasts(now)
        if now.storm is not None and before is None:
            storms.hold_back(now.source, now.storm, number)
        elif before is not None and before.storm is not None and (now.storm is None or not now.open):
            storms.let_go(before.source, before.storm, number)

    def _timers(self, number: int, before: Incident | None, now: Incident) -> None:
        old = {timer.n: timer for timer in before.timers.values()} if before else {}
        new = {timer.n: name for name, timer in now.timers.items()}
        for n in old.keys() - new.keys():
            self.batch.timers_gone.append((number, n))
            self.holdings.drop_timer(number, n)
        for name, timer in now.timers.items():
            if timer.n not in old:
                self.batch.timers.append(TimerRow(number, timer.n, now.shard, timer.due, name))
                self.holdings.set_timer(number, timer.n, timer.due)

    def _effects(self, number: int, before: Incident | None, now: Incident) -> None:
        old = before.effects.keys() if before else ()
        for n in [n for n in old if n not in now.effects]:
            self.batch.effects_gone.append((number, n))
            self.holdings.forget_effect(number, n)
        for n in now.effects:
            if n not in old:
                effect = self.asked[number, n]
                until = self.born.get((number, n))
                body = _effects.encode(effect)
                row = EffectRow(number, n, now.shard, lane_of(effect), body, intended=until is not None, until=until)
                self.batch.effects.append(row)
                self.holdings.effects[number, n] = effect
                if (number, n) not in self.born:
                    self.fresh.append((number, n))

    def _runs(self, number: int, before: Incident | None, now: Incident) -> None:
        ended = now.past[-1].n if now.past else 0
        known = before.past[-1].n if before and before.past else 0
        for past in now.past:
            if past.n > known:
                self.report.run_ended(past.playbook, past.outcome)
        for run in range(known + 1, ended + 1):
            self.batch.holds_gone.extend(self.holdings.release(number, run))
