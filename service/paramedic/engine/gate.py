"""The last look before a write leaves: may this process, in this mode, for this run, still act? (Promise 5.)

`gated` puts it in front of every port that writes, so an action cannot forget it; it is asked before each write.
"""

from dataclasses import dataclass

from paramedic.clock import Clock
from paramedic.core.bundle import Bundle
from paramedic.core.claims import slots
from paramedic.core.effects import Apply
from paramedic.core.model import Incident
from paramedic.core.text import one_line
from paramedic.core.treatment import mode_of_run
from paramedic.core.words import Mode, Purpose
from paramedic.core.writing import stale
from paramedic.engine.holdings import Holdings
from paramedic.errors import ParamedicError, Refused, Temporary
from paramedic.store.port import Store, Switch

__all__ = ["Gate", "SwitchReading", "in_force", "is_set", "said"]

_SAID = 120

FRESH = 0.5
"""Seconds for which a reading of the switch counts as now.

No write starts more than a second after the switch was thrown: the other half is for its way from here to the target.
"""

_LONGEST = 1.0
"""Seconds that a reading may have taken: one that took longer says nothing about now."""


@dataclass(slots=True)
class SwitchReading:
    """The switch as the last commit (or the last look) saw it, and when that was asked for (monotonic seconds).

    Not when it was answered: it may have been thrown while the answer was on its way.
    """

    switch: Switch
    at: float

    def take(self, switch: Switch, at: float) -> None:
        """Take over a newer reading; an older one, overtaken by our own change, only proves that we still can read."""
        if switch.version >= self.switch.version:
            self.switch = switch
        self.at = max(self.at, at)


def in_force(switch: Switch, clock: Clock, most: Mode) -> Mode:
    """The global mode: the process's own limit and the switch, which lapses at its end."""
    over = switch.until is not None and switch.until <= clock.now()
    return most if over else Mode.lowest(most, switch.mode)


def is_set(switch: Switch, clock: Clock) -> bool:
    """Whether somebody has set it below auto, and that has not lapsed."""
    return in_force(switch, clock, Mode.AUTO) is not Mode.AUTO


def said(switch: Switch) -> str:
    """Who has set it, and why: `alice: looking into it`."""
    return one_line(f"{switch.who}: {switch.reason}" if switch.reason else switch.who, _SAID)


class Gate:
    """Asked before each write of one effect."""

    def __init__(
        self,
        holdings: Holdings,
        reading: SwitchReading,
        store: Store,
        clock: Clock,
        most: Mode,
    ) -> None:
        self._holdings, self._reading, self._store, self._clock, self._most = holdings, reading, store, clock, most

    async def ask(self, number: int, effect: Apply, bundle: Bundle, *, first: bool = True) -> None:
        """Return if the write may leave now; raises `Refused` with the reason if it may not.

        `first`: nothing of this effect has been written yet. Where its guards answered too long ago, because it or this
        process was held up on the way, or this process may not write any more, raises `Temporary`: it is tried again,
        by whoever may, and they are asked again before that.
        """
        await self._look(number, effect, bundle, first=first)
        await self._fence(first=first)
        if self._clock.monotonic() - self._reading.at > FRESH:  # the lease was renewed, which took its time
            await self._look(number, effect, bundle, first=first)

    async def _look(self, number: int, effect: Apply, bundle: Bundle, *, first: bool) -> None:
        """Whether switch, mode, run and reservation are as they must be."""
        switch = await self._switch(first=first)
        incident = self._holdings.incident(number)
        if incident is None or incident.run is None or incident.run.n != effect.run or incident.run.effect != effect.n:
            raise Refused("its run is over")
        self._mode(incident, effect, bundle, in_force(switch, self._clock, self._most))
        self._still_ours(incident, effect)
        if first and effect.purpose is Purpose.REMEDY and stale(incident.run, self._clock.now()):
            raise Temporary("it was held up on its way; the guards are asked again")

    async def _switch(self, *, first: bool) -> Switch:
        """The switch of half a second ago at most. While it cannot be read nothing is written; a run is tried again."""
        asked = self._clock.monotonic()
        if asked - self._reading.at > FRESH:
            try:
                switch = await self._store.switch()
            except ParamedicError as error:
                why = f"the switch cannot be read, which counts as freeze: {error}"
                raise (Temporary(why) if first else Refused(why)) from error
            self._reading.take(switch, asked)
            if self._clock.monotonic() - self._reading.at > _LONGEST:
                why = "the switch could not be read in time, which counts as freeze"
                raise Temporary(why) if first else Refused(why)
        return self._reading.switch

    def _mode(self, incident: Incident, effect: Apply, bundle: Bundle, mode: Mode) -> None:
        switch = self._reading.switch
        who = f" ({said(switch)})" if switch.who and mode is switch.mode and is_set(switch, self._clock) else ""
        if mode is Mode.FREEZE:
            raise Refused(f"the switch is at freeze: nothing writes{who}")
        if effect.purpose is not Purpose.REMEDY:
            return  # taking our own change back goes on in every mode but freeze
        run = incident.run
        effective = mode_of_run(bundle, mode, run) if run else Mode.OFF
        if effective is Mode.APPROVE and run is not None and run.approved_by:
            return
        if effective is not Mode.AUTO:
            raise Refused(f"the mode is {effective} by now{who if effective is mode else ''}")

    def _still_ours(self, incident: Incident, effect: Apply) -> None:
        run = incident.run
        if run is None or (effect.purpose is not Purpose.UNDO and run.stop):
            raise Refused(f"the run was stopped: {run.stop if run else 'over'}")
        if effect.purpose is Purpose.REMEDY and incident.firing.open == 0:
            raise Refused("the alert no longer fires, by the newest delivery")
        if effect.purpose is Purpose.EXPIRE and incident.firing.open:
            raise Refused("the alert fires again")
        ledger = self._holdings.ledger
        for claim in effect.claims:
            held = [ledger.held.get(scope) for scope in slots(claim)]
            if claim.per == 0 and (incident.id, effect.run) not in held:
                raise Refused(f"{claim.scope} is not reserved for this run")

    async def _fence(self, *, first: bool) -> None:
        """A member whose lease runs out must not write: renew, or stop. That says nothing against the run."""
        if not await self._store.alive():
            why = "this process is no longer the one that may write"
            raise Temporary(why) if first else Refused(why)
