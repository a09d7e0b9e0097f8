"""Who is paged and who is told: people, rotas, escalation policies, communication plans. Durations are seconds.

The catalog builds them; `bundle` hands them on under one roof: import them from there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from paramedic.core.conditions import Condition

__all__ = ["AckTerms", "Communication", "Level", "Person", "Policy", "Rota", "Tell"]


@dataclass(frozen=True, slots=True)
class Person:
    """A person, a pager service or a rota. `contacts` maps a contact's kind (email, webhook…) to its value."""

    name: str
    notifier: str = "log"
    contacts: Mapping[str, str] = field(default_factory=dict)
    roles: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    rota: "Rota | None" = None


class Rota(Protocol):
    """Who has the watch when."""

    def on_call(self, at: datetime) -> str:
        """The name of the person on call at this moment."""
        ...


@dataclass(frozen=True, slots=True)
class Level:
    """One level of an escalation policy: whom to page, how long after the incident opened (s)."""

    after: float
    page: tuple[str, ...]
    second: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AckTerms:
    """An acknowledgement holds the climb for this long (s), with a reminder this often (s, 0: none)."""

    hold: float = 3600.0
    remind: float = 0.0


@dataclass(frozen=True, slots=True)
class Policy:
    """An escalation policy. `climbs`: who climbs the levels, us or PagerDuty."""

    name: str
    levels: tuple[Level, ...]
    respond: float = 0.0
    climbs: Literal["paramedic", "pagerduty"] = "paramedic"
    ack: AckTerms = AckTerms()
    at: str = ""


@dataclass(frozen=True, slots=True)
class Tell:
    """One audience of a communication plan: by which notifier, where to, how often (s; 0: whenever something changes).

    `when` says whether it begins to be told; once it has, it is told until the end.
    """

    audience: str
    by: str
    to: str = ""
    every: float = 0.0
    when: Condition | None = None


@dataclass(frozen=True, slots=True)
class Communication:
    """A communication plan: who is told what happens, beside those who are paged."""

    name: str
    tell: tuple[Tell, ...]
    at: str = ""
