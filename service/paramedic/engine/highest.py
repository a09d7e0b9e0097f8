"""The highest commit position that this process saw, kept outside the database: whether to start in freeze.

`engine` calls `joined` when it has recovered and before anything acts, and `note` with its vital signs and at its end.
Once frozen, what is remembered stays as it is until a person has opened the switch: whoever goes back to the right
database meanwhile finds it known.
"""

import asyncio
import logging
from typing import Protocol

from paramedic.clock import Clock, new_secret
from paramedic.core.positions import Found, Position, against, decided_since
from paramedic.core.text import one_line
from paramedic.core.words import Mode
from paramedic.errors import Fault, ParamedicError
from paramedic.store.port import Batch, Store, Switch

__all__ = ["Highest", "Kept", "Positions"]

_log = logging.getLogger(__name__)

_US = "paramedic"
_PATIENCE = 2.0
"""Seconds for remembering: who asks for it has better things to do, above all while it stops."""

_ADVICE = "Nothing is written until a person has looked at what is missing and opens the switch"


class Positions(Protocol):
    """How far the database is."""

    async def find(self, who: str) -> Found:
        """How it is now, and what it holds of ours."""
        ...

    async def mark(self, who: str, mark: int) -> Position:
        """Write our next mark; what is to be remembered."""
        ...

    async def froze(self, who: str) -> None:
        """Note that it was frozen here."""
        ...


class Kept(Protocol):
    """What outlives the database and the process."""

    async def read(self) -> Position | None:
        """What was remembered; None if nothing was. Raises `Fault` when nobody can say."""
        ...

    async def write(self, position: Position) -> None:
        """Remember it from now on. Raises `OSError`."""
        ...


class Highest:
    """One for each process."""

    def __init__(self, positions: Positions, kept: Kept, clock: Clock) -> None:
        self._positions, self._kept, self._clock = positions, kept, clock
        self._who = ""
        self._mark = 0
        self._doubt = False

    async def joined(self, store: Store, switch: Switch) -> Switch:
        """Look whether this is the database we knew, and freeze it if not. The switch as it stands then.

        Raises what the store raises.
        """
        remembered: Position | None = None
        why = ""
        try:
            remembered = await self._kept.read()
        except Fault as fault:
            why = str(fault)
        self._who = remembered.who if remembered is not None else self._who or new_secret(8)
        found = await self._positions.find(self._who)
        if remembered is not None:
            why = against(remembered, found)
        self._mark = max(found.mark, remembered.mark if remembered is not None else 0)
        self._doubt = bool(why)
        if not why or (remembered is not None and decided_since(remembered, found)):
            return switch
        _log.error("starting in freeze: %s", why)
        if not _ours(switch):
            reason = one_line(f"{why}. {_ADVICE}", 400)
            frozen = Switch(Mode.FREEZE, None, _US, reason, self._clock.now(), switch.version + 1)
            switch = (await store.commit(Batch(switch=frozen))).switch
        await self._positions.froze(self._who)
        return switch

    async def note(self, switch: Switch) -> None:
        """Remember how far the database is now, unless it is in doubt whether it is ours. Never raises."""
        if self._doubt and _ours(switch):
            return
        try:
            async with asyncio.timeout(_PATIENCE):
                position = await self._positions.mark(self._who, self._mark + 1)
                await self._kept.write(position)
        except TimeoutError:
            _log.warning("how far the database is was not kept within %g s", _PATIENCE)
        except (ParamedicError, OSError) as error:
            _log.warning("how far the database is was not kept: %s", error)
        else:
            self._mark, self._doubt = position.mark, False


def _ours(switch: Switch) -> bool:
    """Whether it is at freeze because a process put it there."""
    return switch.mode is Mode.FREEZE and switch.who == _US
