"""What members owe each other: see who lives, take over from who is gone, spread shards, fetch what was forwarded.

`engine` runs one for each membership. What it finds out becomes input of turns.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from paramedic.core.bundle import Bundle
from paramedic.core.claims import LONGEST
from paramedic.core.model import Alert
from paramedic.core.sharing import SHARDS, handover
from paramedic.core.storm import MINUTE, storm_key
from paramedic.engine.forwarding import unpack, unpack_answer
from paramedic.engine.inputs import Passed, Taken
from paramedic.engine.recovery import absorb, recover, watch
from paramedic.engine.shell import Shell
from paramedic.engine.storms import others
from paramedic.errors import ParamedicError
from paramedic.store.port import Fenced, Standing

__all__ = ["Sharing"]

_log = logging.getLogger(__name__)

_AT_ONCE = 500
"""Forwarded rows that are read at once, at most; the next ones when these have been folded."""

_SOON = 0.01
"""Seconds after which it looks again for rows that were too many."""

_TOLD = 0.1
"""The part of the time between two looks that is enough where it was told to look."""

_WATCH = 1.0
"""Seconds after which what other members know to fire is read anew."""

_FORGET = 3600.0
"""Seconds after which uses that no budget reaches any more are deleted again, where there were few of them."""

_OLD = 2000
"""So many of them at once, at most; where there were as many, the next ones with the next look."""

_SPARING = 20.0
"""Where that takes long, it is read less often: the wait is so many times what it took."""


class Sharing:
    """See the module. `bundle_of` and `parse` are what `recovery` needs."""

    def __init__(
        self,
        shell: Shell,
        member: int,
        bundle_of: Callable[[str], Awaitable[Bundle]],
        parse: Callable[[str, bytes], Sequence[Alert]],
    ) -> None:
        self._shell, self._member, self._bundle_of, self._parse = shell, member, bundle_of, parse
        self._looked = self._watch = self._forgot = self._counted = float("-inf")

    async def run(self) -> None:
        """Look around until the membership ends. Raises `Fenced` or `Doubtful`."""
        shell, more, told = self._shell, False, False
        while True:
            try:
                more = await self._round(told=told)
            except ParamedicError as error:  # the next look may succeed; what is lost with the lease, others notice
                _log.warning("looking around failed and is tried again: %s", error)
            told = await shell.store.news(_SOON if more else shell.options.look)

    async def _round(self, *, told: bool) -> bool:
        """One look around; whether there is more to fetch. `told`: somebody may have come, gone or given."""
        shell = self._shell
        now = shell.clock.monotonic()
        if now - self._looked >= shell.options.look * (_TOLD if told else 1.0):
            self._looked = now
            await self._look()
            await self._forget(now)
        more = await self._fetch()
        if shell.holdings.try_foreign():
            shell.inbox.wake()
        return more

    async def _look(self) -> None:
        shell, holdings = self._shell, self._shell.holdings
        standing = await shell.store.standing()
        if standing.gone or standing.orphans:
            await shell.store.take_over()
            standing = await shell.store.standing()
        if self._member not in standing.living:
            raise Fenced(f"member {self._member} has been fenced: another one has taken over")
        shell.crowd = standing.waiting
        await self._storms()  # before anything is taken in: what it held back must find its storm known
        if set(standing.living[self._member]) - holdings.shards - holdings.given:
            await self._take_in()
        self._spread(standing)
        if not holdings.alone and shell.clock.monotonic() >= self._watch:
            began = shell.clock.monotonic()
            await watch(holdings, shell.store)
            ended = shell.clock.monotonic()
            self._watch = ended + max(_WATCH, _SPARING * (ended - began))

    async def _forget(self, now: float) -> None:
        """Delete what the ledger has forgotten; the others do the same, and nobody waits for it."""
        if now >= self._forgot + _FORGET:
            before = self._shell.clock.now() - LONGEST
            if await self._shell.store.forget_uses(before, _OLD) < _OLD:
                self._forgot = now

    async def _storms(self) -> None:
        """The storms of sources whose parents are other members', and how many incidents those have just opened."""
        shell, holdings, storms = self._shell, self._shell.holdings, self._shell.holdings.storms
        if holdings.alone:
            storms.look(shell.current.sources, {})
            storms.others = {}
            return
        keys = {storm_key(name): name for name in shell.current.sources}
        partings = storms.partings
        parents = await shell.store.storms(sorted(keys))
        if storms.partings == partings:
            storms.look(shell.current.sources, {keys[key]: number for key, number in parents.items()})
        began = shell.clock.monotonic()
        if began >= self._counted:
            rows = await shell.store.openings(shell.clock.now() - MINUTE, sorted(set(range(SHARDS)) - holdings.shards))
            storms.others = others(rows, shell.current)
            ended = shell.clock.monotonic()
            self._counted = ended + _SPARING * (ended - began)
        if storms.held or storms.others:
            shell.inbox.wake()

    async def _take_in(self) -> None:
        """Read what has become ours, and wait until a turn has it in memory."""
        shell = self._shell
        found = await recover(shell.store, shell.clock, shell.holdings, self._bundle_of)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        shell.inbox.put(Taken(lambda: absorb(shell.holdings, found, shell.clock, shell.inbox, self._parse), done))
        await done
        _log.info("member %d took in %d shards", self._member, len(found.shards))

    def _spread(self, standing: Standing) -> None:
        """Plan what is to go to whom; the turn parts with each shard as soon as nothing of it is under way."""
        shell = self._shell
        plan = handover(standing.living, self._member)
        shell.holdings.leaving = {shard: to for shard, to in plan.items() if shard in shell.holdings.shards}
        if shell.holdings.leaving:
            shell.inbox.wake()

    async def _fetch(self) -> bool:
        """What was forwarded to us, and the answers that people wait for here; whether there may be more."""
        shell, holdings = self._shell, self._shell.holdings
        if shell.questions:
            for row in await shell.store.answers(list(shell.questions)):
                self._answer(row.id, row.body)
        if len(holdings.reading) >= _AT_ONCE:
            return True
        if (holdings.alone and not shell.crowd) or not holdings.shards:
            return False
        rows = await shell.store.forwarded(sorted(holdings.shards), sorted(holdings.reading), _AT_ONCE)
        passed = [Passed(row.id, row.shard, unpack(row.body)) for row in rows if row.id not in holdings.reading]
        holdings.reading.update(one.row for one in passed)
        if passed:
            shell.inbox.put(*passed)
        return len(rows) >= _AT_ONCE

    def _answer(self, question: int, body: bytes) -> None:
        waiting, came = self._shell.questions.get(question), unpack_answer(body)
        if waiting is None or waiting.done():
            return
        error = came.error_of()
        if error is not None:
            waiting.set_exception(error)
        else:
            waiting.set_result(came.text)
