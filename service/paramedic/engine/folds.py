"""How each kind of input is folded into the batch: one method a kind. The turn calls `fold` for each input it took.

What the fold needs from the store has been read before: `Read` holds it, with the batch in flight laid over it.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import assert_never

from paramedic.core.acts import objection
from paramedic.core.effects import Apply, Message, Page
from paramedic.core.episodes import lapse_due, lapsed, released, unanswered
from paramedic.core.events import (
    Acted,
    AlertsSeen,
    Applied,
    Event,
    Interrupted,
    Messaged,
    Opened,
    Paged,
    Parked,
    TimerFired,
)
from paramedic.core.model import Episode, Exemplar, Incident
from paramedic.core.routing import EXEMPLARS, Known, route
from paramedic.engine.inputs import Asked, Conflict, Due, Input, Lost, NotFound, Result, Resumed, Turned, Waiting
from paramedic.engine.perform import Job, inline
from paramedic.engine.shell import Shell
from paramedic.engine.work import Work
from paramedic.store.port import DeliveryRow, RejectedRow, Switch

_log = logging.getLogger(__name__)

__all__ = ["Folds", "Read"]

_INLINE = 200
"""Effects answered within one fold at most; what is asked for beyond that goes through the slots, as others do."""


@dataclass(frozen=True, slots=True)
class Read:
    """What was read for this batch: episodes by alert, open episodes by incident, and those of the batch in flight."""

    known: Mapping[tuple[str, str], Episode] = field(default_factory=dict)
    of: Mapping[int, Sequence[Episode]] = field(default_factory=dict)
    flying: Mapping[tuple[str, str], Episode] = field(default_factory=dict)


class Folds:
    """The inputs of one batch, folded one after the other."""

    def __init__(self, shell: Shell, work: Work, read: Read) -> None:
        self._shell, self._work, self._read = shell, work, read

    def fold(self, one: Input) -> None:
        """Fold one input; what its sender waits for is hung on the batch."""
        match one:
            case Waiting():
                self._delivery(one)
            case Turned():
                self._rejected(one)
            case Result():
                self._result(one)
            case Due():
                self._due(one)
            case Asked():
                self._asked(one)
            case Lost():
                self._lost(one)
            case Resumed():
                self._resumed(one)
            case _:
                assert_never(one)

    def event(self, incident: int, event: Event) -> None:
        """Fold an event, and the answers of every effect that touches nothing, until there are none left."""
        work, shell = self._work, self._shell
        queue = list(work.fold(incident, event))
        for _ in range(_INLINE):
            if not queue:
                return
            effect = queue.pop(0)
            now = work.incident(incident)
            if now is None or effect.n not in now.effects:
                continue
            bundle = shell.bundle_of(now.bundle)
            if inline(now, effect, bundle):
                done = shell.performer.perform_inline(Job(now, effect, bundle, work.mode), shell.holdings)
                work.keep(done.kept)
                queue += work.fold(incident, done.event)

    # -- deliveries -------------------------------------------------------------------------------------------------

    def journal(self, waiting: Waiting) -> None:
        """Keep a delivery that cannot be folded in time, and answer it: it stays in the queue, and is safe."""
        self._keep(waiting, routed=False)

    def _delivery(self, waiting: Waiting) -> None:
        work = self._work
        try:
            routing = route(waiting.delivery.alerts, self._known(), self._shell.current, work.at, work.mode)
        except Exception as error:  # kept as it came, and routed again at the next start; the rest of the batch goes on
            _log.error("a delivery could not be routed", exc_info=error)
            self._shell.report.failed("route")
            self._keep(waiting, routed=False)
            return
        if any((now := work.incident(number)) is not None and not now.open for number in routing.shares):
            self._shell.inbox.put(waiting)  # it concerns what closes in this very batch: the next one finds that gone
            return
        unborn = {one.incident for one in routing.shares.values() if one.opened and not self._open(one.opened)}
        self._keep(waiting, routed=not unborn)
        for episode in routing.episodes:
            if episode.incident not in unborn:
                work.observe(episode)
        for share in routing.shares.values():
            if share.incident not in unborn:
                self.event(share.incident, share.seen(work.at, work.mode, "delivery", waiting.id))

    def _open(self, opened: Opened) -> bool:
        """Begin an incident; False if that raised: its alerts are routed again at the next start, the others go on."""
        self.event(opened.id, opened)
        return self._work.incident(opened.id) is not None

    def _keep(self, waiting: Waiting, *, routed: bool) -> None:
        work, delivery = self._work, waiting.delivery
        if waiting.id is not None:
            if routed:
                work.batch.routed.append(waiting.id)
            return
        number = waiting.id = self._shell.ids.take()
        work.batch.deliveries.append(DeliveryRow(number, work.at, delivery.source, delivery.body, routed))
        for one in delivery.rejected:
            row = RejectedRow(self._shell.ids.take(), work.at, delivery.source, one.reason, one.body)
            work.batch.rejected.append(row)
        if waiting.answer is not None:
            work.promise(waiting.answer, number)

    def _rejected(self, turned: Turned) -> None:
        row = RejectedRow(
            self._shell.ids.take(), self._work.at, turned.source, turned.rejected.reason, turned.rejected.body
        )
        self._work.batch.rejected.append(row)
        self._work.promise(turned.answer, None)

    def _known(self) -> Known:
        work, holdings, read = self._work, self._shell.holdings, self._read

        def episode(source: str, identity: str) -> Episode | None:
            who = (source, identity)
            return work.episodes.get(who) or read.flying.get(who) or read.known.get(who)

        return Known(
            episode=episode,
            open_incident=holdings.keys.get,
            is_open=holdings.incidents.__contains__,
            number=self._shell.numbers.pop,
        )

    # -- results and timers -------------------------------------------------------------------------------------------

    def _result(self, result: Result) -> None:
        shell, work = self._shell, self._work
        work.results += 1
        work.keep(result.kept)
        shell.holdings.under_way.pop((result.incident, result.effect.n), None)
        if isinstance(result.event, Paged):
            shell.report.paged("failed" if result.event.failure else "sent")
        elif isinstance(result.event, Messaged) and isinstance(result.effect, Message):
            shell.report.messaged(result.effect.notifier, _came_to(result.event))
        elif isinstance(result.event, Applied) and isinstance(result.effect, Apply):
            failure = result.event.failure
            shell.report.step_ended(self._action(result), failure.kind if failure else "done", result.seconds)
        if work.incident(result.incident) is not None:
            self.event(result.incident, result.event)

    def _action(self, result: Result) -> str:
        effect, incident = result.effect, self._work.incident(result.incident)
        if not isinstance(effect, Apply) or incident is None:
            return "unknown"
        playbook = self._shell.bundle_of(incident.bundle).playbooks.get(effect.playbook)
        return playbook.steps[effect.step].kind if playbook and effect.step < len(playbook.steps) else "unknown"

    def _due(self, due: Due) -> None:
        work = self._work
        incident = work.incident(due.incident)
        name = timer_name(incident, due.n)
        if incident is None or not name:
            return
        late = max(0.0, (work.at - due.due).total_seconds())
        self._shell.report.timer_fired(late)
        if name in ("expiry", "doubt"):
            self._lapse(incident, name)
        else:
            self.event(due.incident, TimerFired(work.at, work.mode, name, due.n, round(late, 3)))

    def _lapse(self, incident: Incident, name: str) -> None:
        """The episodes decide: those that have expired, or whose doubt nobody could answer."""
        at, mode = self._work.at, self._work.mode
        expiry = self._shell.bundle_of(incident.bundle).source(incident.source).expiry
        episodes = self._episodes_of(incident.id)
        if name == "expiry":
            over = lapsed(episodes, at, expiry)
            gone = {one.identity for one in over}
            left = [lapse_due(one.seen_at, expiry) for one in episodes if one.open and one.identity not in gone]
            soonest = max(min(left), at + timedelta(seconds=1)) if left else None
            exemplars = self._written(over)
            event = AlertsSeen(at, mode, "expired", closed=len(over), exemplars=exemplars, lapses_at=soonest)
        else:
            back = unanswered(episodes, at)
            event = AlertsSeen(at, mode, "doubt", reopened=len(back), exemplars=self._written(back))
        self.event(incident.id, event)

    def _written(self, episodes: Sequence[Episode]) -> tuple[Exemplar, ...]:
        """Write these episodes; the first of them as exemplars."""
        for episode in episodes:
            self._work.observe(episode)
        return tuple(Exemplar(one.identity, one.labels, {}, one.starts_at, one.open) for one in episodes[:EXEMPLARS])

    def _episodes_of(self, incident: int) -> list[Episode]:
        """The incident's live episodes as this batch has them: as read, under what is in flight and what is new."""
        by_alert = {(one.source, one.identity): one for one in self._read.of.get(incident, ())}
        for newer in (self._read.flying, self._work.episodes):
            by_alert.update(newer)
        mine = [one for one in by_alert.values() if one.incident == incident]
        return [one for one in mine if one.open or one.doubted_at is not None]

    # -- people -------------------------------------------------------------------------------------------------------

    def _asked(self, asked: Asked) -> None:
        if asked.switch is not None:
            self._switch(asked, asked.switch)
            return
        act, work = asked.act, self._work
        incident = work.incident(asked.incident) if asked.incident is not None else None
        if incident is None or act is None:
            work.deny(asked.answer, NotFound(f"INC-{asked.incident}", "is not open", "list the open ones: incidents"))
            return
        against = objection(incident, act.what, act.run, self._shell.bundle_of(incident.bundle))
        if against:
            work.deny(asked.answer, Conflict(incident.ref, against))
            return
        self.event(incident.id, Acted(work.at, work.mode, act.who, act.what, act.run, act.text, act.until))
        if act.what == "close":
            over = self._written(released(self._episodes_of(incident.id), work.at))
            firing = incident.firing
            seen = AlertsSeen(
                work.at, work.mode, "person", closed=firing.open, undoubted=firing.doubted, exemplars=over
            )
            self.event(incident.id, seen)
        now = work.incident(incident.id)
        parked = ", kept until this incident can be decided again" if now is not None and now.parked else ""
        work.promise(asked.answer, f"{incident.ref}: {act.what} by {act.who}{parked}")

    def _switch(self, asked: Asked, wanted: Switch) -> None:
        """The next position of the switch; the commit takes it only if nobody else has moved it meanwhile."""
        earlier = self._work.batch.switch  # moved twice in one batch: the later one counts, as one change
        version = earlier.version if earlier is not None else self._shell.reading.switch.version + 1
        moved = Switch(wanted.mode, wanted.until, wanted.who, wanted.reason, self._work.at, version)
        self._work.batch.switch = moved
        self._shell.reading.switch = moved
        self._work.promise(asked.answer, f"the switch is at {wanted.mode}")

    # -- after a crash ------------------------------------------------------------------------------------------------

    def _lost(self, lost: Lost) -> None:
        """The member that carried this effect out is gone. A page is sent again; all else is for `decide` to judge."""
        holdings, n = self._shell.holdings, lost.effect.n
        incident = self._work.incident(lost.incident)
        if incident is None or n not in incident.effects:
            return  # what it came to has become known in the meantime
        holdings.under_way.pop((lost.incident, n), None)
        self.event(lost.incident, Interrupted(self._work.at, self._work.mode, n))
        if isinstance(lost.effect, Page):
            holdings.queue("page", lost.incident, n, self._shell.clock.monotonic())

    def _resumed(self, resumed: Resumed) -> None:
        """What an earlier version could not fold. If it raises again, it is kept again, and the rest behind it."""
        work = self._work
        work.batch.events_done += [(resumed.incident, seq) for seq, _ in resumed.kept]
        held = self._shell.holdings.incidents.get(resumed.incident)
        if held is None:
            return
        held.parked = False
        self.event(resumed.incident, Parked(work.at, work.mode))
        for _, event in resumed.kept:
            self.event(resumed.incident, event)


def _came_to(messaged: Messaged) -> str:
    if messaged.failure is not None:
        return "failed"
    return "dry" if messaged.ref.startswith("dry") else "sent"


def timer_name(incident: Incident | None, n: int) -> str:
    """The name of an incident's timer; empty if it has been replaced or cancelled."""
    if incident is None:
        return ""
    return next((name for name, timer in incident.timers.items() if timer.n == n), "")
