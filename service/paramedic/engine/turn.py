"""The turn: what happens to an alert, from being taken until it is decided and durable. Read it top to bottom.

    take     all that waits: deliveries, results of effects, due timers, acts of people; at most 256
    read     the episodes of the alerts in it, and fresh incident numbers, beside the commit in flight
    claim    what its writes need, where other members may need it too                    core.claims
    fold     route alerts into episodes and incidents, decide over each incident      core.routing, core.decide
             (effects that touch nothing are carried out here, in the same batch)
    grant    an intent, with its claims, for every free slot                          core.claims
    part     with shards that another member is to have, and of which nothing is under way
    commit   all of it in one statement, fenced: journal, state, timeline, effects, timers
    settle   answer the webhooks and the people, hand the effects to the executors

Where many deliveries come at once, a turn only keeps and answers them, for a second at most (ADR 28).

One turn runs at a time in a process, and one commit is in flight while the next batch is built. A commit that fails, or
whose answer never comes, ends the turn: memory is ahead of the store, so the engine drops it and starts over.
"""

import asyncio
from collections.abc import Sequence

from paramedic.clock import seconds_until
from paramedic.core.effects import Effect, lane_of
from paramedic.core.model import Episode, Incident
from paramedic.engine import granting, storming
from paramedic.engine.claiming import claim_first
from paramedic.engine.folds import Folds, Read
from paramedic.engine.forwarding import Question
from paramedic.engine.holdings import timer_name
from paramedic.engine.inputs import Asked, Due, Input, Passed, Result, alerts_of
from paramedic.engine.perform import Job
from paramedic.engine.shell import Shell
from paramedic.engine.work import Work

__all__ = ["Turn"]

_JOURNAL = 2000
"""Deliveries that one commit journals alone, at most."""

_LONGEST = 0.1
"""Seconds that folding one batch should take at most: what waits longer is journalled and answered with that batch.

What turns out to take twice as long is cut there."""

_RUSH = 1.0
"""Seconds for which deliveries are only kept while many come: then what waits is decided until nothing does."""

_QUIET = 0.02
"""Seconds after which nobody is expected to send another delivery at once, having been answered."""


class Turn:
    """One membership's loop. It ends only by an exception: a doubtful commit, a fence, or cancellation."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._flight: asyncio.Task[None] | None = None
        self._flying: Work | None = None
        self._built: Work | None = None
        self.unsettled: list[Result] = []  # taken, and not yet committed
        self.settled: float | None = None  # when the last commit succeeded (monotonic)
        self.sound = False  # ended, with nothing in memory that the store does not hold
        self._alarm: asyncio.TimerHandle | None = None
        self._pace = shell.options.batch  # inputs that can be folded in `_LONGEST` seconds, as the last batch showed
        self._behind: float | None = None  # since when something is kept that is not decided (monotonic)
        self._crowd = 0.0  # deliveries that come within one commit, on average of the last few in a rush

    async def run(self) -> None:
        """The pipeline, for as long as this member lives."""
        inbox = self._shell.inbox
        try:
            while True:
                await inbox.awake()
                if self._in_a_rush():
                    await self._keep()
                    continue
                inputs = self._take()
                read = await self._read(inputs)
                await self._claim_first()
                work = self._fold(inputs, read)
                granting.leave(self._shell, work)
                self._part(work)
                await self._commit(work)
                self._set_alarm()
        except asyncio.CancelledError:
            await self._land()
            if self._built is not None:
                await self._send(self._built)
            self.sound = True
            raise
        finally:
            if self._alarm is not None:
                self._alarm.cancel()
            await self._land()

    async def last(self, results: Sequence[Result]) -> None:
        """After a sound end: commit what effects came to that were still under way, or that was taken and not folded.

        No slot is free any more.
        """
        left: list[Input] = [*self.unsettled, *results]
        if left:
            await self._send(self._fold(left, await self._read(left), whole=True))

    # -- in a rush ----------------------------------------------------------------------------------------------------

    def _in_a_rush(self) -> bool:
        """Whether so many deliveries come that they are kept and answered first, and decided a little later."""
        shell, now = self._shell, self._shell.clock.monotonic()
        inbox, rush = shell.inbox, shell.options.rush
        if inbox.asked or (self._behind is not None and now - self._behind > _RUSH):
            return False
        quiet = now - max(inbox.newest, self.settled or 0.0) > _QUIET
        if inbox.fresh < rush and (2 * self._crowd < rush or quiet):  # it takes many to begin it, and few to go on
            self._crowd = 0.0
            return False
        return 4 * inbox.deliveries < 3 * shell.options.backlog

    async def _keep(self) -> None:
        """Journal all deliveries that have come by the end of the commit in flight, and nothing else.

        The next ones come while it is under way: one commit at a time takes more of them than two would.
        """
        shell = self._shell
        if self._behind is None:
            self._behind = shell.clock.monotonic()
        await self._land()
        fresh = shell.inbox.late(shell.clock.monotonic(), _JOURNAL)
        if fresh:
            work = Work(shell.holdings, shell.bundle_of, shell.report, shell.clock.now(), shell.mode)
            folds = Folds(shell, work, Read())
            for waiting in fresh:
                folds.journal(waiting)
            self._crowd = (self._crowd + min(len(fresh), 2 * shell.options.rush)) / 2
            await self._commit(work)
            await self._land()
        asyncio.get_running_loop().call_later(_QUIET, shell.inbox.wake)

    # -- take ---------------------------------------------------------------------------------------------------------

    def _take(self) -> list[Input]:
        """Due timers first, then whatever waits, oldest first; no more than can be folded in good time."""
        shell, most = self._shell, min(self._pace, self._shell.options.batch)
        due: list[Input] = list(shell.holdings.due(shell.clock.now(), max(1, most // 2)))
        taken = due + shell.inbox.take(most - len(due))
        self.unsettled += [one for one in taken if isinstance(one, Result)]
        return taken

    def _set_alarm(self) -> None:
        """Wake up when the next timer is due."""
        if self._alarm is not None:
            self._alarm.cancel()
        due = self._shell.holdings.next_due()
        if due is not None:
            # A day at most: the clock may be set, and very long waits overflow some loops.
            wait = min(86400.0, seconds_until(due, self._shell.clock.now()))
            self._alarm = asyncio.get_running_loop().call_later(wait, self._shell.inbox.wake)

    # -- read ---------------------------------------------------------------------------------------------------------

    async def _read(self, inputs: list[Input]) -> Read:
        """What routing must know. The batch in flight is remembered first: the read may come before or after it."""
        shell, holdings = self._shell, self._shell.holdings
        flying: dict[tuple[str, str], Episode] = dict(self._flying.episodes) if self._flying else {}
        alerts = [alert for one in inputs for alert in alerts_of(one)]
        wanted = {(alert.source, alert.identity) for alert in alerts} - flying.keys()
        known = await shell.store.episodes(wanted) if wanted else {}
        parents = {alert.source for alert in alerts} | holdings.storms.others.keys()  # each may begin a storm
        short = len(alerts) + len(parents) - len(shell.numbers)
        if short > 0:
            for block in await shell.store.incident_numbers(1 + short // 100):
                shell.numbers[:0] = reversed(block)
        incidents = {number for one in inputs if (number := self._needs_episodes(one)) is not None}
        of = {number: await shell.store.episodes_of(number) for number in sorted(incidents)}
        if holdings.alone:
            return Read(known, of, flying)
        if any(isinstance(one, Asked) and one.switch is not None for one in inputs):
            asked = shell.clock.monotonic()
            shell.reading.take(await shell.store.switch(), asked)
        about = {one.incident for one in inputs if isinstance(one, Asked | Result)}
        about |= {episode.incident for episode in (*known.values(), *flying.values())}
        strange = {number for number in about if number is not None and number not in holdings.incidents}
        return Read(known, of, flying, await shell.store.places(strange) if strange else {})

    def _needs_episodes(self, one: Input) -> int | None:
        """The incident whose episodes this input will change, if it does."""
        if isinstance(one, Asked) and one.act is not None and one.act.what == "close":
            return one.incident
        if isinstance(one, Passed) and isinstance(one.what, Question) and one.what.act.what == "close":
            return one.what.incident
        if isinstance(one, Due):
            name = timer_name(self._shell.holdings.incident(one.incident), one.n)
            return one.incident if name in ("expiry", "doubt") else None
        return None

    # -- claim --------------------------------------------------------------------------------------------------------

    async def _claim_first(self) -> None:
        """While others live: take what the next writes need, before their intents are committed."""
        shell, flying = self._shell, self._flying
        if shell.holdings.alone:
            return
        if flying is not None and (flying.batch.holds or flying.batch.uses or flying.batch.holds_gone):
            await self._land()  # else the scopes would be read as they were before it
        await claim_first(shell, shell.holdings.next("write", shell.executors.free("write")))

    # -- fold ---------------------------------------------------------------------------------------------------------

    def _fold(self, inputs: list[Input], read: Read, *, whole: bool = False) -> Work:
        """Everything that was taken, into one batch; and what has waited too long, into the journal.

        What turns out to take far too long is left for the next turn, unless it has to be the `whole` of it.
        """
        shell = self._shell
        work = Work(shell.holdings, shell.bundle_of, shell.report, shell.clock.now(), shell.mode, switch=shell.switch)
        folds = Folds(shell, work, read)
        began = shell.clock.monotonic()
        done, took = 0, 0.0
        while done < len(inputs) and (took < 2 * _LONGEST or whole):
            folds.fold(inputs[done])
            done, took = done + 1, shell.clock.monotonic() - began
        self._put_back(inputs[done:])
        if took > 0 and (done >= 16 or done < len(inputs)):
            self._pace = max(16, round(done * _LONGEST / took))
        if shell.inbox.empty:
            self._behind = None
        for late in shell.inbox.late(shell.clock.monotonic() - shell.options.late, _JOURNAL):
            folds.journal(late)
        storming.settle(folds)
        granting.pick(shell, folds, work)
        work.close()
        return work

    def _put_back(self, inputs: Sequence[Input]) -> None:
        """These were taken and not folded."""
        results = sum(1 for one in inputs if isinstance(one, Result))
        del self.unsettled[len(self.unsettled) - results :]
        self._shell.inbox.put_first(inputs)

    # -- part ---------------------------------------------------------------------------------------------------------

    def _part(self, work: Work) -> None:
        """Give shards away whose time has come: all that was folded of them is in this batch, and nothing goes on."""
        holdings = self._shell.holdings
        parting = holdings.parting() if holdings.leaving else []
        if parting:
            work.batch.given += parting
            work.batch.tell = True
            holdings.part(shard for shard, _ in parting)
        elif work.batch.holds_gone and not holdings.alone:
            work.batch.tell = True  # somebody may wait for them

    # -- commit -------------------------------------------------------------------------------------------------------

    async def _commit(self, work: Work) -> None:
        """Wait for the commit in flight, then send this one and go on building the next batch meanwhile."""
        self._built = work
        await self._land()
        self._built = None
        if work.empty and not work.leaving:
            return
        self._flying = work
        self._flight = asyncio.get_running_loop().create_task(self._send(work))
        self._flight.add_done_callback(_heard)

    async def _send(self, work: Work) -> None:
        shell = self._shell
        started = shell.clock.monotonic()
        try:
            committed = await shell.store.commit(work.batch)
        except (Exception, asyncio.CancelledError) as error:
            work.refuse(error)
            shell.inbox.fail(error)
            raise
        shell.reading.take(committed.switch, started)
        self._settle(work)
        shell.report.committed(tuple(work.touched), shell.clock.monotonic() - started)

    async def _land(self) -> None:
        """Wait until no commit is in flight; raises what the last one raised. Cancelling the wait leaves it alone."""
        flight = self._flight
        if flight is None:
            return
        await asyncio.wait([flight])
        self._flight = self._flying = None
        if flight.cancelled() or flight.exception() is not None:
            self._built = None
        await flight

    # -- settle -------------------------------------------------------------------------------------------------------

    def _settle(self, work: Work) -> None:
        """It is durable: answer whoever waits, and let the effects go."""
        shell = self._shell
        del self.unsettled[: work.results]
        self.settled = shell.clock.monotonic()
        shell.holdings.given.difference_update(shard for shard, _ in work.batch.given)
        shell.holdings.reading.difference_update(work.batch.forwarded_gone)
        for answer, value in work.answers:
            if not answer.done():
                answer.set_result(value)
        for number, effect in work.leaving:
            self._start(number, effect)
        now = shell.clock.monotonic()
        for number, n in work.fresh:
            fresh = shell.holdings.effects.get((number, n))
            if fresh is not None:
                shell.holdings.queue(lane_of(fresh), number, n, now)
        if work.fresh or work.batch.holds_gone or (work.batch.effects_gone and shell.holdings.waiting["message"]):
            shell.inbox.wake()  # there is something that may leave

    def _start(self, number: int, effect: Effect) -> None:
        shell = self._shell
        incident: Incident | None = shell.holdings.incident(number)
        if incident is None or effect.n not in incident.effects:
            shell.executors.give_back(lane_of(effect))
        else:
            shell.executors.start(Job(incident, effect, shell.bundle_of(incident.bundle), shell.mode))


def _heard(flight: "asyncio.Task[None]") -> None:
    """What a commit raised is told by the inbox, also where the turn is ended before it lands."""
    if not flight.cancelled():
        flight.exception()
