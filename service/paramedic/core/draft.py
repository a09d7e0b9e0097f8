"""A decision in the making: the incident as it changes, the effects asked for, the entries written.

`decide` opens one for each event; treatment, escalation and the rest write on it; `decision` closes it. It lives for
one fold only, so the functions that use it stay pure.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace as _replace

from paramedic.core.bundle import Bundle, Playbook, Policy, Rule
from paramedic.core.decision import Decision, Entry
from paramedic.core.effects import Effect
from paramedic.core.model import Evidence, Incident, Outstanding, Run, Timer
from paramedic.core.text import one_line
from paramedic.core.words import Mode

__all__ = ["Draft"]


class Draft:
    """What one fold changes. `at` never runs backwards within an incident; `mode` is the global mode in force.

    `way` is how the person came in whose act it is: it stands beside what they did.
    """

    def __init__(self, incident: Incident, bundle: Bundle, at: datetime, mode: Mode, switch: str = "") -> None:
        self.incident = incident
        self.bundle = bundle
        self.at = at if at > incident.updated_at else incident.updated_at
        self.mode = mode
        self._switch = switch
        self.way = ""
        self._effects: list[Effect] = []
        self._entries: list[Entry] = []

    def decision(self) -> Decision:
        """What has come together."""
        if self.incident.updated_at is not self.at:
            self.set(updated_at=self.at)
        return Decision(self.incident, tuple(self._effects), tuple(self._entries))

    @property
    def entries(self) -> Sequence[Entry]:
        """What has been written down so far."""
        return self._entries

    # -- the incident ---------------------------------------------------------------------------------------------

    def set(self, **changes: Any) -> None:
        """Change fields of the incident."""
        self.incident = _replace(self.incident, **changes)

    def set_run(self, **changes: Any) -> None:
        """Change fields of the active run."""
        self.incident = _replace(self.incident, run=_replace(self.run, **changes))

    def set_paging(self, **changes: Any) -> None:
        """Change fields of the paging state."""
        self.incident = _replace(self.incident, paging=_replace(self.incident.paging, **changes))

    @property
    def run(self) -> Run:
        """The active run; only for code that knows there is one."""
        run = self.incident.run
        if run is None:
            raise LookupError(f"{self.incident.ref} has no active run")
        return run

    @property
    def rule(self) -> Rule | None:
        """The rule that opened the incident."""
        return self.bundle.rules.named(self.incident.rule)

    @property
    def playbook(self) -> Playbook:
        """The active run's playbook."""
        return self.bundle.playbooks[self.run.playbook]

    @property
    def policy(self) -> Policy | None:
        """The incident's escalation policy."""
        return self.bundle.policies.get(self.incident.paging.policy)

    def by_switch(self, mode: Mode) -> str:
        """Who has set the switch and why, to be added to words about `mode`; empty where that is another place's."""
        return f" ({self._switch})" if self._switch and mode is self.mode else ""

    # -- what follows -----------------------------------------------------------------------------------------------

    def ask(self, effect: Callable[[int], Effect], **about: Any) -> int:
        """Ask for an effect: `effect` makes it from its number. `about` is what to remember until it answers."""
        n = self.incident.numbered + 1
        wanted = effect(n)
        self._effects.append(wanted)
        what = type(wanted).__name__.lower()
        self.set(numbered=n, effects={**self.incident.effects, n: Outstanding(what, **about)})
        return n

    def answered(self, n: int) -> Outstanding | None:
        """Take an effect off the list; None if nobody waits for it any more."""
        known = self.incident.effects.get(n)
        if known is not None:
            self.set(effects={other: one for other, one in self.incident.effects.items() if other != n})
        return known

    def timer(self, name: str, due: datetime) -> None:
        """Set the timer of this name, in place of the one it had."""
        n = self.incident.numbered + 1
        self.set(numbered=n, timers={**self.incident.timers, name: Timer(n, due)})

    def timer_in(self, name: str, seconds: float) -> None:
        """Set the timer of this name to go off in so many seconds."""
        self.timer(name, self.at + timedelta(seconds=seconds))

    def cancel(self, *names: str) -> None:
        """Cancel the timers of these names."""
        timers = self.incident.timers
        if not timers.keys().isdisjoint(names):
            self.set(timers={name: timer for name, timer in timers.items() if name not in names})

    def note(
        self,
        kind: str,
        text: str,
        note: str = "",
        *,
        who: str = "",
        seen: dict[str, Any] | None = None,
        evidence: tuple[Evidence, ...] = (),
    ) -> None:
        """Write an entry of the timeline. Texts may hold anything: they are made printable here."""
        note = note or (self.way if who else "")
        note, who = one_line(note, 120) if note else "", one_line(who, 80) if who else ""
        self._entries.append(Entry(kind, one_line(text), note, who, seen or {}, evidence))
