"""The closed vocabularies of the service: severities, phases, modes, answers, outcomes. Everyone uses them."""

from enum import StrEnum
from typing import Final

__all__ = ["Answer", "Kind", "Mode", "Once", "Outcome", "Phase", "Purpose", "Severity", "Stage"]


class Severity(StrEnum):
    """How bad an incident is; P0 is the worst."""

    P0 = "P0"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"


class Phase(StrEnum):
    """Where an incident stands."""

    DETECTED = "detected"
    ASSESSING = "assessing"
    RESPONDING = "responding"
    RESOLVED = "resolved"
    REVIEWED = "reviewed"


class Mode(StrEnum):
    """How much the service may do, from nothing to everything. Each place that names a mode may only lower it."""

    FREEZE = "freeze"
    OFF = "off"
    SHADOW = "shadow"
    APPROVE = "approve"
    AUTO = "auto"

    @property
    def rank(self) -> int:
        """Position from `freeze` (0) to `auto` (4)."""
        return _RANKS[self]

    @staticmethod
    def lowest(*modes: "Mode | None") -> "Mode":
        """The most restrictive of the modes that are given; `auto` where none is."""
        lowest = Mode.AUTO
        for mode in modes:
            if mode is not None and _RANKS[mode] < _RANKS[lowest]:
                lowest = mode
        return lowest


_RANKS: Final = {mode: rank for rank, mode in enumerate(Mode)}


class Purpose(StrEnum):
    """Why a step writes: to treat, to take our own change back, or to end a change that was only for a time."""

    REMEDY = "remedy"
    UNDO = "undo"
    EXPIRE = "expire"


class Once(StrEnum):
    """What keeps a write from happening twice: the target compares, the target knows our key, one object, nothing."""

    CAS = "cas"
    KEY = "key"
    UID = "uid"
    NONE = "none"


class Answer(StrEnum):
    """What a guard or a check says. Guards: allow, deny, error, unknown. Checks: pass, fail, unknown."""

    ALLOW = "allow"
    DENY = "deny"
    ERROR = "error"
    PASS = "pass"
    FAIL = "fail"
    UNKNOWN = "unknown"


class Kind(StrEnum):
    """The four kinds of failure, as a value that an event can carry (see `errors`)."""

    TEMPORARY = "temporary"
    PERMANENT = "permanent"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class Stage(StrEnum):
    """What an active run waits for."""

    RESOLVING = "resolving"
    JUDGING = "judging"
    WAITING = "waiting"
    PLANNING = "planning"
    APPROVAL = "approval"
    REJUDGING = "rejudging"
    APPLYING = "applying"
    RETRYING = "retrying"
    OBSERVING = "observing"
    VERIFYING = "verifying"
    UNDOING = "undoing"
    UNKNOWN = "unknown"


class Outcome(StrEnum):
    """How a run ended."""

    FIXED = "fixed"
    DONE = "done"
    INEFFECTIVE = "ineffective"
    REFUSED = "refused"
    SHADOWED = "shadowed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    DENIED = "denied"
    CANCELLED = "cancelled"
    CLEARED = "cleared"
