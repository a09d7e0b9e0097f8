"""What runs share: exclusive scopes (targets) and limited ones (budgets, cooldowns). All or nothing, decided here.

The turn calls `grant` when it commits an intent; guards look at the same ledger through `uses` to say no early.
A scope that so many runs may hold at once is so many exclusive ones, its slots: ledger and stores know no other.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from paramedic.core.model import Claim

__all__ = ["LONGEST", "MOST_HELD", "Blocked", "Granted", "Ledger", "Others", "Use", "claimed", "grant", "slots"]

LONGEST = timedelta(days=8)
"""No budget and no cooldown looks further back: a week, and a day's grace."""

MOST_HELD = 100
"""Scopes that others hold, as a guard is shown them."""

_SLOT = "slot"


def slots(claim: Claim) -> tuple[str, ...]:
    """The scopes of the ledger that stand for a claim: its own; or, where several runs may hold it, one for each.

    No other claim's scope begins as a slot does: what one begins with never comes from an alert.
    """
    if claim.limit == 0 or claim.per > 0:
        return (claim.scope,)
    return tuple(f"{_SLOT}/{n}/{claim.scope}" for n in range(1, claim.limit + 1))


def claimed(scope: str) -> str:
    """The scope that was claimed, of one that stands in the ledger."""
    first, _, rest = scope.partition("/")
    return rest.partition("/")[2] if first == _SLOT else scope


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a limited scope."""

    at: datetime
    incident: int
    run: int


@dataclass(slots=True)
class Ledger:
    """Who holds what, and who used what when. The engine keeps one in step with the store's tables."""

    held: dict[str, tuple[int, int]] = field(default_factory=dict)
    used: dict[str, list[Use]] = field(default_factory=dict)
    _by_run: dict[tuple[int, int], set[str]] = field(default_factory=dict)

    def holder(self, scope: str) -> str | None:
        """The id of the run that holds an exclusive scope."""
        who = self.held.get(scope)
        return f"INC-{who[0]}.{who[1]}" if who else None

    def since(self, scope: str, moment: datetime) -> Sequence[datetime]:
        """When a limited scope was used, at `moment` or later, oldest first."""
        return [use.at for use in self.used.get(scope, ()) if use.at >= moment]

    def seen_by(self, incident: int, run: int) -> "Others":
        """This ledger without the run's own uses: what a guard looks at."""
        return Others(self, incident, run)

    def hold(self, scope: str, incident: int, run: int) -> None:
        """Note an exclusive holder, in place of any other."""
        self._let_go(scope)
        self.held[scope] = (incident, run)
        self._by_run.setdefault((incident, run), set()).add(scope)

    def use(self, scope: str, at: datetime, incident: int, run: int) -> None:
        """Note a use."""
        self.used.setdefault(scope, []).append(Use(at, incident, run))

    def learn(self, scope: str, holder: tuple[int, int] | None, uses: Iterable[Use]) -> None:
        """Take a scope as it stands for everybody, in place of what was known of it."""
        self._let_go(scope)
        if holder is not None:
            self.hold(scope, *holder)
        self.used[scope] = sorted(uses, key=lambda use: use.at)
        if not self.used[scope]:
            del self.used[scope]

    def give_back(self, scope: str, incident: int, run: int) -> None:
        """Forget what a run was about to take of a scope, and could not."""
        if self.held.get(scope) == (incident, run):
            self._let_go(scope)
        uses = [use for use in self.used.get(scope, ()) if (use.incident, use.run) != (incident, run)]
        self.used[scope] = uses
        if not uses:
            del self.used[scope]

    def release(self, incident: int, run: int) -> list[str]:
        """Let go of everything a run holds; returns the scopes."""
        scopes = sorted(self._by_run.get((incident, run), ()))
        for scope in scopes:
            self._let_go(scope)
        return scopes

    def _let_go(self, scope: str) -> None:
        who = self.held.pop(scope, None)
        if who is not None:
            self._by_run[who].discard(scope)
            if not self._by_run[who]:
                del self._by_run[who]

    def forget(self, now: datetime) -> None:
        """Drop uses that no window reaches any more."""
        first = now - LONGEST
        for scope, uses in list(self.used.items()):
            if uses[0].at < first:
                self.used[scope] = [use for use in uses if use.at >= first]
                if not self.used[scope]:
                    del self.used[scope]


class Others(msgspec.Struct, frozen=True):
    """What everybody but one run holds and has used."""

    ledger: Ledger
    incident: int
    run: int

    def holder(self, scope: str) -> str | None:
        """Who else holds an exclusive scope."""
        return None if self.ledger.held.get(scope) == (self.incident, self.run) else self.ledger.holder(scope)

    def holding(self, prefix: str) -> Sequence[str]:
        """The exclusive scopes under a prefix that others hold, in order, at most `MOST_HELD`."""
        own = (self.incident, self.run)
        held = (scope for scope, who in self.ledger.held.items() if who != own and scope.startswith(prefix))
        return sorted(held)[:MOST_HELD]

    def since(self, scope: str, moment: datetime) -> Sequence[datetime]:
        """When somebody else used a scope, at `moment` or later, oldest first."""
        own = (self.incident, self.run)
        uses = self.ledger.used.get(scope, ())
        return [use.at for use in uses if use.at >= moment and (use.incident, use.run) != own]


class Granted(msgspec.Struct, frozen=True):
    """Everything asked for: what is newly held, what is newly used."""

    holds: tuple[str, ...]
    uses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Blocked:
    """The first claim that cannot be had: who holds it (of several the first), or until when it is used up."""

    scope: str
    by: str
    until: datetime | None = None


def grant(ledger: Ledger, claims: Iterable[Claim], incident: int, run: int, now: datetime) -> Granted | Blocked:
    """Whether a run may have all of these now. What it holds or has used itself never stands in its own way."""
    holds: list[str] = []
    uses: list[str] = []
    for claim in claims:
        if claim.per == 0:
            names = slots(claim)
            holders = [(incident, run) if name in holds else ledger.held.get(name) for name in names]
            if (incident, run) in holders:
                continue
            if None not in holders:
                return Blocked(claim.scope, _say(holders))
            holds.append(names[holders.index(None)])
            continue
        since = now - timedelta(seconds=claim.per)
        recent = [use for use in ledger.used.get(claim.scope, ()) if use.at > since]
        if any((use.incident, use.run) == (incident, run) for use in recent):
            continue
        if len(recent) >= claim.limit:
            free = recent[-claim.limit].at + timedelta(seconds=claim.per)
            return Blocked(claim.scope, f"INC-{recent[-1].incident}.{recent[-1].run}", free)
        if claim.scope not in uses:
            uses.append(claim.scope)
    return Granted(tuple(holds), tuple(uses))


def _say(holders: Sequence[tuple[int, int] | None]) -> str:
    """Who holds it, by name: the first, and how many more."""
    names = [f"INC-{who[0]}.{who[1]}" for who in holders if who is not None]
    return f"{names[0]} and {len(names) - 1} more" if len(names) > 1 else names[0]
