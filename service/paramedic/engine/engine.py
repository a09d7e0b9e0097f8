"""The engine: one process's membership, from joining to starting over, and the door through which inputs come.

`app` and the rehearsal build one and run it; intake, the API and the catalog call its methods. `turn` is what it runs.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, TypeVar

from paramedic.catalog.explain import Explained, Heard
from paramedic.clock import Clock, Numbers
from paramedic.core.bundle import Bundle
from paramedic.core.model import Alert
from paramedic.core.words import Mode
from paramedic.engine.acts import Act, NotFound
from paramedic.engine.executors import Executors
from paramedic.engine.explaining import hear
from paramedic.engine.gate import Gate, SwitchReading
from paramedic.engine.highest import Highest
from paramedic.engine.holdings import Holdings
from paramedic.engine.inputs import Asked, Delivery, Inbox, Rejected, Result, Turned, Waiting
from paramedic.engine.late import about, leaves_traces
from paramedic.engine.perform import Performer
from paramedic.engine.recovery import absorb, recover, watch
from paramedic.engine.report import Report
from paramedic.engine.sharing import Sharing
from paramedic.engine.shell import Options, Shell
from paramedic.engine.turn import Turn
from paramedic.errors import ParamedicError, Temporary
from paramedic.plugin import Plugins, Tools
from paramedic.store.port import BundleRow, Doubtful, Fenced, Store, Switch

__all__ = ["Engine"]

T = TypeVar("T")

_log = logging.getLogger(__name__)

_PATIENCE = 30.0
_BACKOFF = 0.2
_LONGEST_BACKOFF = 5.0


class Engine:
    """See the module. `tools` are for actions, guards, checks; `pages`, `messages` for notifiers: each with connections
    of its own.

    `parse` reads the alerts of a journalled body again, `load` builds a bundle from its stored row. `highest` knows an
    older copy of the database; without it any one is taken for ours.
    """

    def __init__(
        self,
        store: Store,
        plugins: Plugins,
        tools: Tools,
        pages: Tools,
        clock: Clock,
        options: Options,
        report: Report,
        *,
        parse: Callable[[str, bytes], Sequence[Alert]],
        load: Callable[[BundleRow], Bundle],
        messages: Tools | None = None,
        highest: Highest | None = None,
    ) -> None:
        self._store, self._clock, self._options, self._report = store, clock, options, report
        told = (report, options.public_url, options.jitter, messages)
        self._performer = Performer(plugins, tools, pages, clock, *told, heard=self._heard)
        self._parse, self._load, self._highest = parse, load, highest
        self._bundle: Bundle | None = None
        self._adopted = asyncio.Event()
        self._shell: Shell | None = None
        self._owed: set[asyncio.Future[Any]] = set()
        self._came_back: list[Result] = []
        self._committed = False  # by the membership that is, or was the last
        self._draining: float | None = None

    # -- running ------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Join, recover, run turns; start over after a commit in doubt, or a defect. Until cancelled."""
        await self._adopted.wait()
        try:
            await self._memberships()
        finally:
            for one in self._came_back:  # no membership came any more that could have recorded it
                _log.error("learned too late, and not recorded: %s", about(one))

    async def _memberships(self) -> None:
        """One after the other. The waits between them grow while no commit succeeds, or the same defect comes back."""
        failures = 0
        while True:
            began, self._committed = self._clock.monotonic(), False
            try:
                await self._member()
            except (Fenced, Doubtful, ParamedicError) as error:
                _log.warning("starting over: %s", error)
            except Exception:  # what is stored is whole: reading it again is better than serving nobody
                _log.exception("starting over after a defect")
                self._report.failed("turn")
                self._committed = False
            served = self._committed or self._clock.monotonic() - began > _LONGEST_BACKOFF
            failures = 1 if served else failures + 1
            await self._clock.sleep(self._options.jitter(min(_LONGEST_BACKOFF, _BACKOFF * 2 ** min(failures, 6))))

    async def _member(self) -> None:
        """One membership, from joining to its end; always ends by an exception."""
        member = await self._store.join()
        inbox = Inbox()
        shell: Shell | None = None
        turn: Turn | None = None
        try:
            shell = await self._recovered(member, inbox)
            turn = Turn(shell)
            self._shell = shell
            _log.info("serving as member %d with %d open incidents", member, len(shell.holdings.incidents))
            sharing = Sharing(shell, member, self._bundle_by_hash, self._parse)
            await _until_one_ends(turn.run(), self._vital_signs(shell), sharing.run())
        finally:
            self._shell = None
            await self._end(inbox, shell, turn)

    async def _recovered(self, member: int, inbox: Inbox) -> Shell:
        bundle = self.bundle
        if bundle is None:
            raise Temporary("no bundle yet")
        holdings = Holdings(bundles={bundle.hash: bundle})
        holdings.watched.look_for(bundle.watched)
        asked = self._clock.monotonic()
        found = await recover(self._store, self._clock, holdings, self._bundle_by_hash)
        absorb(holdings, found, self._clock, inbox, self._parse)
        while bundle is not self.bundle and self.bundle is not None:  # adopted in the meantime
            bundle = holdings.bundles[self.bundle.hash] = self.bundle
            holdings.watched.look_for(bundle.watched)
            await watch(holdings, self._store)
        switch = await self._highest.joined(self._store, found.switch) if self._highest else found.switch
        inbox.put_first(
            one for one in self._came_back if leaves_traces(one.effect) or holdings.wants(one.incident, one.effect.n)
        )
        self._came_back = []
        reading = SwitchReading(switch, asked)
        gate = Gate(holdings, reading, self._store, self._clock, self._options.mode)
        executors = Executors(self._performer, gate, holdings, inbox, self._clock, self._options.slots)
        inbox.wake()
        return Shell(
            store=self._store,
            holdings=holdings,
            inbox=inbox,
            executors=executors,
            performer=self._performer,
            reading=reading,
            clock=self._clock,
            report=self._report,
            options=self._options,
            ids=Numbers(member),
            current=bundle,
        )

    def _heard(self) -> float | None:
        """How long ago (s) the database answered, as far as the switch was read with it; None between memberships."""
        return self._clock.monotonic() - self._shell.reading.at if self._shell is not None else None

    async def _end(self, inbox: Inbox, shell: Shell | None, turn: Turn | None) -> None:
        """Nothing of this member may act or be waited for any more.

        What its last effects came to is not forgotten: a turn that was ended and has not failed commits it; else it
        waits for the next membership, which finds the effects as they were left.
        """
        for answer in self._owed:
            if not answer.done():
                answer.set_exception(Temporary("this process is starting over"))
        if shell is not None:
            await shell.executors.stop(self._patience())
        left = [one for one in inbox.drain() if isinstance(one, Result)]
        with suppress(ParamedicError, Doubtful, Fenced):
            if shell is not None and turn is not None and turn.sound:
                await turn.last(left)
                left = []
                await self._note(shell)
        if turn is not None:
            self._committed = turn.settled is not None
            self._came_back = turn.unsettled + left
        with suppress(ParamedicError, Doubtful, Fenced):
            await self._store.leave()

    def _patience(self) -> float:
        """Seconds for what is under way to come to its end. A process that goes on can wait longer than one that ends.

        What is cut off then leaves its intent behind: whoever comes next takes it for interrupted.
        """
        if self._draining is None:
            return _PATIENCE
        return max(0.0, self._options.grace - (self._clock.monotonic() - self._draining))

    async def _bundle_by_hash(self, hash_: str) -> Bundle:
        row = await self._store.bundle(hash_)
        if row is None:
            raise NotFound(f"bundle {hash_[:6]}", "is not in the store, and open incidents need it")
        return self._load(row)

    async def _vital_signs(self, shell: Shell) -> None:
        """Measurements that no single event carries, every few seconds; and whether an idle member still is one."""
        while True:
            if not await self._store.alive():
                raise Fenced("the lease could not be kept")
            await self._note(shell)
            now, holdings = self._clock.monotonic(), shell.holdings
            for lane, waiting in holdings.waiting.items():
                oldest = min((since for since in waiting.values() if since), default=now)
                self._report.waiting(lane, len(waiting), now - oldest)
            held = holdings.incidents.values()
            self._report.open_incidents(Counter(one.severity for one in held))
            self._report.open_episodes(sum(one.open_episodes for one in held))
            self._report.unknown_outcomes(sum(1 for one in held if one.unknown))
            self._report.storms(sum(1 for one in held if one.storm))
            self._report.mode(shell.mode)
            holdings.ledger.forget(self._clock.now())
            await self._clock.sleep(self._options.signs)

    async def _note(self, shell: Shell) -> None:
        """Remember, outside the database, how far it is."""
        if self._highest is not None:
            await self._highest.note(shell.reading.switch)

    # -- the door -----------------------------------------------------------------------------------------------------

    @property
    def live(self) -> bool:
        """Whether this process has joined, recovered, its commits succeed, and it is not about to stop."""
        return self._shell is not None and self._draining is None

    def drain(self) -> None:
        """The process is about to stop: take nothing more from now on. Whoever cancels `run` then has it wait for what
        is under way, within the grace.
        """
        self._draining = self._clock.monotonic()

    @property
    def bundle(self) -> Bundle | None:
        """The bundle that new incidents are opened under."""
        return self._bundle

    @property
    def backlog(self) -> int:
        """Deliveries that wait for a turn."""
        return self._shell.inbox.deliveries if self._shell else 0

    async def deliver(self, delivery: Delivery) -> int:
        """Take a delivery; its id, once it is durable.

        Raises `Temporary` when this process cannot take it now, or when the commit takes longer than two seconds: it
        may have been kept all the same, and a repetition does no harm.
        """
        shell = self._live()
        if shell.inbox.deliveries >= self._options.backlog:
            raise Temporary(f"{shell.inbox.deliveries} deliveries wait already", delay=2.0)
        if shell.crowd >= self._options.crowd:
            raise Temporary(f"{shell.crowd} inputs wait already that are other members'", delay=2.0)
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        shell.inbox.put(Waiting(delivery, self._clock.monotonic(), answer))
        return await self._answer(answer)

    async def reject(self, source: str, reason: str, body: bytes) -> None:
        """Keep a body that is no delivery. Raises `Temporary` when it cannot be kept now."""
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._live().inbox.put(Turned(source, Rejected(reason, body), answer))
        await self._answer(answer)

    async def act(self, incident: int, act: Act) -> str:
        """Carry out a person's act; what was done, in words, once it is durable.

        Raises `NotFound`, `Conflict` (says what stands against it) or `Temporary`.
        """
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._live().inbox.put(Asked(incident, act, answer))
        return await self._answer(answer)

    async def hear(self, explained: Explained, bundle: Bundle) -> Heard | None:
        """What the guards would say about an alert now; nothing is written. Raises `Temporary`."""
        return await hear(self._live(), explained, bundle)

    async def set_switch(self, mode: Mode, *, who: str, reason: str, until: datetime | None) -> Switch:
        """Move the global switch; its new position once it is durable."""
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        shell = self._live()
        shell.inbox.put(Asked(None, None, answer, Switch(mode, until, who, reason)))
        await self._answer(answer)
        return shell.reading.switch

    async def adopt(self, bundle: Bundle) -> None:
        """Open new incidents under this bundle from the next turn on; open ones keep theirs."""
        shell = self._shell
        if shell is not None:
            shell.holdings.watched.look_for(bundle.watched)
            await watch(shell.holdings, self._store)
            shell.adopt(bundle)
        self._bundle = bundle
        self._adopted.set()

    def _live(self) -> Shell:
        if self._draining is not None:
            raise Temporary("this process is about to stop", delay=1.0)
        if self._shell is None:
            raise Temporary("this process does not serve yet, or is starting over", delay=1.0)
        return self._shell

    async def _answer(self, answer: "asyncio.Future[T]") -> T:
        self._owed.add(answer)
        late = asyncio.get_running_loop().call_later(self._options.patience, _give_up, answer)
        try:
            return await answer
        finally:
            late.cancel()
            self._owed.discard(answer)


def _give_up(answer: "asyncio.Future[Any]") -> None:
    """Whoever waits for it has waited long enough."""
    if not answer.done():
        answer.set_exception(Temporary("the store is slow", delay=2.0))


async def _until_one_ends(*parts: Coroutine[Any, Any, None]) -> None:
    """Run the parts until one of them fails, then end the others; raises what it raised, and only when all have ended.

    No TaskGroup: an error that comes while this is cancelled must not take the cancellation's place.
    """
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in tasks:
        if not task.cancelled():
            task.result()
