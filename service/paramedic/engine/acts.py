"""What people may want of the engine, and how it says no. The console and the commands make acts; turns answer them."""

from dataclasses import dataclass
from datetime import datetime

from paramedic.errors import Fault

__all__ = ["Act", "Conflict", "Forbidden", "NotFound"]


class NotFound(Fault):
    """There is no such thing."""


class Conflict(Fault):
    """It cannot be done now; the message says what stands against it, or who was first."""


class Forbidden(Fault):
    """It can be done, but not by this person."""


@dataclass(frozen=True, slots=True)
class Act:
    """What a person wants done to an incident or its run; the fields are those of `core.events.Acted`."""

    who: str
    what: str
    run: int | None = None
    text: str = ""
    until: datetime | None = None
    plan: str = ""
    other: int | None = None
    groups: tuple[str, ...] = ()
    way: str = ""
    origin: str = ""
