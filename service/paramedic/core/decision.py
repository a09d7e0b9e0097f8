"""What `decide` answers, and the entries of the timeline that it writes. The engine makes both durable."""

from typing import Any

import msgspec

from paramedic.core.effects import Effect
from paramedic.core.model import Evidence, Incident

__all__ = ["Decision", "Entry"]


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of the timeline. `kind` is the word in front (alert, guards, page, plan, apply, check, resolved…).

    `text` is for people and already safe to print; `note` is what stands at the right edge; `seen` is the evidence that
    fits in a line, `evidence` what was stored by digest.
    """

    kind: str
    text: str
    note: str = ""
    who: str = ""
    seen: dict[str, Any] = {}
    evidence: tuple[Evidence, ...] = ()


class Decision(msgspec.Struct, frozen=True):
    """The incident as it is now, what is to be done, and what to write down.

    Timers and outstanding effects are part of the incident: the engine compares it with what it was before.
    """

    incident: Incident
    effects: tuple[Effect, ...] = ()
    entries: tuple[Entry, ...] = ()
