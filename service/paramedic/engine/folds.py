"""How each kind of input is folded into the batch: one method a kind. The turn calls `fold` for each input it took.

What the fold needs from the store has been read before: `Read` holds it, with the batch in flight laid over it.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import assert_never

from paramedic.core.effects import Apply, Message, Page
from paramedic.core.episodes import lapse_due, lapsed, unanswered
from paramedic.core.events import (
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
from paramedic.core.model import Alert, Episode, Exemplar, Incident
from paramedic.core.routing import EXEMPLARS, Known, Routing, route
from paramedic.engine import asked, passing, storming
from paramedic.engine.forwarding import PassedResult, PassedSwell, Question
from paramedic.engine.holdings import timer_name
from paramedic.engine.inputs import Asked, Due, Input, Lost, Passed, Result, Resumed, Taken, Turned, Waiting
from paramedic.engine.late import about, late
from paramedic.engine.perform import Job, inline
from paramedic.engine.shell import Shell
from paramedic.engine.work import Work
from paramedic.store.port import DeliveryRow, Place, RejectedRow

_log = logging.getLogger(__name__)

__all__ = ["Folds", "Read"]

_INLINE = 200
"""Effects answered within one fold at most; what is asked for beyond that goes through the slots, as others do."""


@dataclass(frozen=True, slots=True)
class Read:
    """What was read for this batch: episodes by alert, open episodes by incident, and those of the batch in flight.

    `places` are those of incidents that are not in memory: other members' and closed ones.
    """

    known: Mapping[tuple[str, str], Episode] = field(default_factory=dict)
    of: Mapping[int, Sequence[Episode]] = field(default_factory=dict)
    flying: Mapping[tuple[str, str], Episode] = field(default_factory=dict)
    places: Mapping[int, Place] = field(default_factory=dict)


class Folds:
    """The inputs of one batch, folded one after the other."""

    def __init__(self, shell: Shell, work: Work, read: Read) -> None:
        self.shell, self.work, self.read = shell, work, read
        self.storms = storming.Fresh()

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
                asked.asked(self, one)
            case Lost():
                self._lost(one)
            case Resumed():
                self._resumed(one)
            case Passed() | Taken():
                self._by_others(one)
            case _:
                assert_never(one)

    def event(self, incident: int, event: Event) -> None:
        """Fold an event, and the answers of every effect that touches nothing, until there are none left."""
        work, shell = self.work, self.shell
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
                done = shell.performer.perform_inline(Job(now, effect, bundle, work.mode, work.at), shell.holdings)
                work.keep(done.kept)
                queue += work.fold(incident, done.event)

    # -- deliveries -------------------------------------------------------------------------------------------------

    def journal(self, waiting: Waiting) -> None:
        """Keep a delivery that cannot be folded in time, and answer it: it stays in the queue, and is safe."""
        self._keep(waiting, routed=False)

    def _delivery(self, waiting: Waiting) -> None:
        """Keep it, fold what is at home here, pass the rest on."""
        routed = self._routed(waiting.delivery.alerts)
        if routed is None:
            self._keep(waiting, routed=False)  # as it came, to be routed again at the next start
        elif self._closing(routed[0]):
            self.shell.inbox.put(waiting)  # it concerns what closes in this very batch: the next one finds that gone
        else:
            routing, others = routed
            unborn = self._unborn(routing)
            self._keep(waiting, routed=not unborn)
            passing.pass_on(self, others, waiting.id or 0)
            self._shares(routing, unborn, waiting.id)

    def _by_others(self, one: Passed | Taken) -> None:
        """What comes from other members: their input for us, and their shards."""
        if isinstance(one, Passed):
            self._passed(one)
            return
        one.absorb()
        if not one.done.done():
            one.done.set_result(None)

    def _passed(self, passed: Passed) -> None:
        """What another member has passed on, if the shard is still ours; else its new owner reads it where it lies."""
        holdings, what = self.shell.holdings, passed.what
        if passed.shard not in holdings.shards:
            holdings.reading.discard(passed.row)
        elif isinstance(what, Question):
            asked.answer(self, passed.row, what)
        elif isinstance(what, PassedResult):
            self.work.batch.forwarded_gone.append(passed.row)
            self._came(Result(what.incident, what.effect, what.event))
        elif isinstance(what, PassedSwell):
            storming.heard(self, passed.row, what)
        else:
            routed = self._routed(what.alerts, final=what.final)
            if routed is not None and self._closing(routed[0]):
                self.shell.inbox.put(passed)
            elif routed is not None:
                routing, others = routed
                unborn = self._unborn(routing)
                if not unborn:  # else it stays, and is routed again at the next start
                    self.work.batch.forwarded_gone.append(passed.row)
                passing.pass_on(self, others, what.delivery)
                self._shares(routing, unborn, what.delivery)

    def _routed(self, alerts: Sequence[Alert], *, final: bool = False) -> tuple[Routing, passing.Others] | None:
        """Where these alerts go, here and elsewhere; None if that raised: the rest of the batch goes on."""
        work, shell = self.work, self.shell
        try:
            mine, others = passing.sort(self, alerts, final=final)
            return route(mine, self._known(), shell.current, work.at, work.mode), others
        except Exception as error:
            _log.error("a delivery could not be routed", exc_info=error)
            shell.report.failed("route")
            return None

    def _closing(self, routing: Routing) -> bool:
        shares = (self.work.incident(number) for number in routing.shares)
        return any(now is not None and not now.open for now in shares)

    def _unborn(self, routing: Routing) -> set[int]:
        """Begin the incidents that are new; those whose beginning raised."""
        unborn = {one.incident for one in routing.shares.values() if one.opened and not self._open(one.opened)}
        storming.opened(self, [one.opened for one in routing.shares.values() if one.incident not in unborn])
        return unborn

    def _shares(self, routing: Routing, unborn: set[int], delivery: int | None) -> None:
        work = self.work
        for episode in routing.episodes:
            if episode.incident not in unborn:
                work.observe(episode)
        for share in routing.shares.values():
            if share.incident not in unborn:
                self.event(share.incident, share.seen(work.at, work.mode, "delivery", delivery))

    def _open(self, opened: Opened) -> bool:
        """Begin an incident; False if that raised: its alerts are routed again at the next start, the others go on."""
        self.event(opened.id, opened)
        return self.work.incident(opened.id) is not None

    def _keep(self, waiting: Waiting, *, routed: bool) -> None:
        work, delivery = self.work, waiting.delivery
        if waiting.id is not None:
            if routed:
                work.batch.routed.append(waiting.id)
            return
        number = waiting.id = self.shell.ids.take()
        work.batch.deliveries.append(DeliveryRow(number, work.at, delivery.source, delivery.body, routed))
        for one in delivery.rejected:
            row = RejectedRow(self.shell.ids.take(), work.at, delivery.source, one.reason, one.body)
            work.batch.rejected.append(row)
        if waiting.answer is not None:
            work.promise(waiting.answer, number)

    def _rejected(self, turned: Turned) -> None:
        row = RejectedRow(
            self.shell.ids.take(), self.work.at, turned.source, turned.rejected.reason, turned.rejected.body
        )
        self.work.batch.rejected.append(row)
        self.work.promise(turned.answer, None)

    def episode(self, source: str, identity: str) -> Episode | None:
        """The latest episode of an alert as this batch has it."""
        who = (source, identity)
        return self.work.episodes.get(who) or self.read.flying.get(who) or self.read.known.get(who)

    def _known(self) -> Known:
        holdings = self.shell.holdings
        return Known(
            episode=self.episode,
            open_incident=holdings.keys.get,
            is_open=holdings.incidents.__contains__,
            number=self.shell.numbers.pop,
            storm=lambda source, nth: storming.parent(self, source, nth),
        )

    # -- results and timers -------------------------------------------------------------------------------------------

    def _result(self, result: Result) -> None:
        shell, work = self.shell, self.work
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
        self._came(result)

    def _came(self, result: Result) -> None:
        """What an effect came to: the answer its incident waits for, or, if that was settled without it, a late one."""
        work, incident = self.work, self.work.incident(result.incident)
        if incident is None:
            self._elsewhere(result)
        elif result.effect.n in incident.effects:
            self.event(incident.id, result.event)
        else:
            self.event(incident.id, late(result, work.at, work.mode) or result.event)

    def _elsewhere(self, result: Result) -> None:
        """This result is of an incident that is not ours: another member has it by now, or it is closed."""
        if late(result, self.work.at, self.work.mode) is None:
            return
        shard = passing.elsewhere(self, result.incident)
        if shard is not None:
            passing.forward(self, shard, PassedResult(result.incident, result.effect, result.event))
        else:
            _log.error("learned too late, of an incident that is not open here: %s", about(result))
            self.shell.report.failed("late")

    def _action(self, result: Result) -> str:
        effect, incident = result.effect, self.work.incident(result.incident)
        if not isinstance(effect, Apply) or incident is None:
            return "unknown"
        playbook = self.shell.bundle_of(incident.bundle).playbooks.get(effect.playbook)
        return playbook.steps[effect.step].kind if playbook and effect.step < len(playbook.steps) else "unknown"

    def _due(self, due: Due) -> None:
        work = self.work
        incident = work.incident(due.incident)
        name = timer_name(incident, due.n)
        if incident is None or not name:
            return
        late = max(0.0, (work.at - due.due).total_seconds())
        self.shell.report.timer_fired(late)
        if name in ("expiry", "doubt"):
            self._lapse(incident, name)
        else:
            self.event(due.incident, TimerFired(work.at, work.mode, name, due.n, round(late, 3)))

    def _lapse(self, incident: Incident, name: str) -> None:
        """The episodes decide: those that have expired, or whose doubt nobody could answer."""
        at, mode = self.work.at, self.work.mode
        expiry = self.shell.bundle_of(incident.bundle).source(incident.source).expiry
        episodes = self.episodes_of(incident.id)
        if name == "expiry":
            over = lapsed(episodes, at, expiry)
            gone = {one.identity for one in over}
            left = [lapse_due(one.seen_at, expiry) for one in episodes if one.open and one.identity not in gone]
            soonest = max(min(left), at + timedelta(seconds=1)) if left else None
            exemplars = self.written(over)
            event = AlertsSeen(at, mode, "expired", closed=len(over), exemplars=exemplars, lapses_at=soonest)
        else:
            back = unanswered(episodes, at)
            event = AlertsSeen(at, mode, "doubt", reopened=len(back), exemplars=self.written(back))
        self.event(incident.id, event)

    def written(self, episodes: Sequence[Episode]) -> tuple[Exemplar, ...]:
        """Write these episodes; the first of them as exemplars."""
        for episode in episodes:
            self.work.observe(episode)
        return tuple(Exemplar(one.identity, one.labels, {}, one.starts_at, one.open) for one in episodes[:EXEMPLARS])

    def episodes_of(self, incident: int) -> list[Episode]:
        """The incident's live episodes as this batch has them: as read, under what is in flight and what is new."""
        by_alert = {(one.source, one.identity): one for one in self.read.of.get(incident, ())}
        for newer in (self.read.flying, self.work.episodes):
            by_alert.update(newer)
        mine = [one for one in by_alert.values() if one.incident == incident]
        return [one for one in mine if one.open or one.doubted_at is not None]

    # -- after a crash ------------------------------------------------------------------------------------------------

    def _lost(self, lost: Lost) -> None:
        """The member that carried this effect out is gone. A page is sent again; all else is for `decide` to judge."""
        holdings, n = self.shell.holdings, lost.effect.n
        incident = self.work.incident(lost.incident)
        if incident is None or n not in incident.effects:
            return  # what it came to has become known in the meantime
        holdings.under_way.pop((lost.incident, n), None)
        self.event(lost.incident, Interrupted(self.work.at, self.work.mode, n))
        if isinstance(lost.effect, Page):
            holdings.queue("page", lost.incident, n, self.shell.clock.monotonic())

    def _resumed(self, resumed: Resumed) -> None:
        """What an earlier version could not fold. If it raises again, it is kept again, and the rest behind it."""
        work = self.work
        work.batch.events_done += [(resumed.incident, seq) for seq, _ in resumed.kept]
        held = self.shell.holdings.incidents.get(resumed.incident)
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
