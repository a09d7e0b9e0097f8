"""Which entries of a timeline ask for attention: red needs a person, yellow waits, green is done. Nothing else has one.

The pages and the terminal colour the word by it; the word itself always stands, so colour is never alone.
"""

from collections.abc import Mapping

__all__ = ["tone_of"]

_TONES: Mapping[str, frozenset[str]] = {
    "red": frozenset(("approval", "escalated", "overdue", "page", "parked", "refused", "unknown")),
    "yellow": frozenset(("late", "shadow", "snoozed", "waits")),
    "green": frozenset(("acknowledged", "approved", "closed", "resolved", "taken")),
}


def tone_of(kind: str) -> str:
    """`red`, `yellow`, `green` or "" for the kind of an entry."""
    return next((tone for tone, kinds in _TONES.items() if kind in kinds), "")
