"""What a look at one thing came to. Every probe answers with these; the command prints them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from paramedic.core.text import span

__all__ = ["LARGEST_SKEW", "Finding", "State", "fine", "open_", "skewed", "wrong"]

State = Literal["fine", "wrong", "open"]

LARGEST_SKEW = 5.0
"""Seconds that another clock may differ from ours: waits and ages of that order are decided by it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`system` is its kind, `about` which one. `open`: it cannot be told, or is not in use. `right`: what to do."""

    system: str
    about: str
    state: State
    said: str
    right: str = ""

    def without(self, secrets: Sequence[str]) -> "Finding":
        """The same with every one of `secrets` struck out, wherever it came from."""
        said, right = self.said, self.right
        for secret in secrets:
            said, right = said.replace(secret, "***"), right.replace(secret, "***")
        return Finding(self.system, self.about, self.state, said, right)


def fine(system: str, about: str, said: str) -> Finding:
    """It is as it should be."""
    return Finding(system, about, "fine", said)


def wrong(system: str, about: str, said: str, right: str) -> Finding:
    """It is not, and `right` says what to do about it."""
    return Finding(system, about, "wrong", said, right)


def open_(system: str, about: str, said: str, right: str = "") -> Finding:
    """Nobody can tell from here, or it is not in use."""
    return Finding(system, about, "open", said, right)


def skewed(system: str, about: str, theirs: datetime, ours: datetime) -> Finding:
    """How far two clocks are apart."""
    apart = theirs - ours
    seconds = abs(apart.total_seconds())
    if seconds <= LARGEST_SKEW:
        return fine(system, about, f"its clock is within {max(1, round(seconds))}s of ours")
    ahead = "ahead of" if apart > timedelta() else "behind"
    return wrong(system, about, f"its clock is {span(seconds)} {ahead} ours", "keep both machines on NTP")
