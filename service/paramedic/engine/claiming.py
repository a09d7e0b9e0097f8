"""Claims while several members live: taken in the store before the intent, by compare-and-set. Called by the turn.

The rule is `core.claims.grant`, as everywhere; here it looks at the scopes as they stand for all, and the store takes a
claim only if none of its scopes has moved since. What a crash leaves behind is the run's own, and goes with it.
"""

from collections.abc import Sequence
from datetime import datetime

from paramedic.core.claims import LONGEST, Granted, Use, grant, slots
from paramedic.core.effects import Apply, Effect
from paramedic.engine.holdings import Holdings
from paramedic.engine.shell import Shell
from paramedic.store.port import ClaimRow, HoldRow, UseRow

__all__ = ["claim_first"]

_VERSIONS = 10_000
"""Scopes whose version is remembered, at most."""


async def claim_first(shell: Shell, waiting: Sequence[tuple[int, Effect]]) -> None:
    """Claim what these writes need and do not have; the ledger says afterwards who has what.

    Raises what the store raises.
    """
    writes = [(number, one) for number, one in waiting if isinstance(one, Apply) and one.claims]
    if not writes:
        return
    await _look(shell, sorted({scope for _, one in writes for claim in one.claims for scope in slots(claim)}))
    now, holdings = shell.clock.now(), shell.holdings
    asked = [
        claim
        for n, (number, one) in enumerate(writes)
        if holdings.shard(number) not in holdings.leaving
        and (claim := _claim(holdings, n, number, one, now)) is not None
    ]
    if not asked:
        return
    taken = set(await shell.store.claim(asked))
    for claim in asked:
        number, one = writes[claim.n]
        for scope, seen in claim.seen.items():
            if claim.n in taken:
                holdings.versions[scope] = seen + 1
            else:
                holdings.moved.add(scope)
                holdings.ledger.give_back(scope, number, one.run)
    if len(holdings.versions) > _VERSIONS:
        holdings.versions.clear()  # who has no version is told so by the store, and looks


async def _look(shell: Shell, names: Sequence[str]) -> None:
    """Read the scopes that are known to have moved, or that others hold: they may have let go.

    All others are as the ledger has them, which was read when our shards became ours: whoever has claimed one since has
    moved its version, so that a claim by an old one is refused, and tried again after a look.
    """
    holdings, ledger = shell.holdings, shell.holdings.ledger
    held = {scope for scope in names if scope in ledger.held and ledger.held[scope][0] not in holdings.incidents}
    wanted = sorted(held | holdings.moved.intersection(names))
    if not wanted:
        return
    for scope in await shell.store.scopes(wanted, shell.clock.now() - LONGEST):
        holder = next(((hold.incident, hold.run) for hold in scope.holds), None)
        ledger.learn(scope.name, holder, (Use(use.at, use.incident, use.run) for use in scope.uses))
        holdings.versions[scope.name] = scope.version
        holdings.moved.discard(scope.name)


def _claim(holdings: Holdings, n: int, number: int, one: Apply, now: datetime) -> ClaimRow | None:
    """What this write still needs, if it may have it; in the ledger already, so that the next one sees it."""
    ledger = holdings.ledger
    granted = grant(ledger, one.claims, number, one.run, now)
    if not isinstance(granted, Granted) or not (granted.holds or granted.uses):
        return None
    for scope in granted.holds:
        ledger.hold(scope, number, one.run)
    for scope in granted.uses:
        ledger.use(scope, now, number, one.run)
    return ClaimRow(
        n,
        {scope: holdings.versions.get(scope, 0) for scope in (*granted.holds, *granted.uses)},
        [HoldRow(scope, number, one.run, now) for scope in granted.holds],
        [UseRow(scope, now, number, one.run) for scope in granted.uses],
    )
