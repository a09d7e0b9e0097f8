"""From what the store holds to what a turn works with: the memory of a new member. Called by `engine` after `join`.

Reads that waited are asked again. Writes and pages whose intent was committed may have left: once their call can no
longer be under way they become inputs (`Lost`), and `decide` says what follows. Deliveries that were only journalled
are routed.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import msgspec

from paramedic.clock import Clock, seconds_until
from paramedic.core.bundle import Bundle
from paramedic.core.effects import Effect
from paramedic.core.events import Event
from paramedic.core.model import Alert
from paramedic.core.words import Outcome, Severity
from paramedic.engine.holdings import Held, Holdings, decode
from paramedic.engine.inputs import Delivery, Inbox, Input, Lost, Resumed, Waiting
from paramedic.errors import Fault
from paramedic.store.port import EffectRow, IncidentRow, Recovered, Store

__all__ = ["LONGEST_WINDOW", "recover", "watch"]

LONGEST_WINDOW = timedelta(days=8)
"""How far back uses of budgets and cooldowns are kept in memory: a week, and a day's grace."""

_log = logging.getLogger(__name__)
_effects = msgspec.json.Decoder(Effect)
_events = msgspec.json.Decoder(Event)


async def recover(
    store: Store,
    clock: Clock,
    inbox: Inbox,
    current: Bundle,
    bundle_of: Callable[[str], Awaitable[Bundle]],
    parse: Callable[[str, bytes], Sequence[Alert]],
) -> tuple[Holdings, Recovered]:
    """Read everything and put it in place. Raises what the store raises, and `Fault` for a bundle that is gone."""
    found = await store.recover(uses_since=clock.now() - LONGEST_WINDOW)
    holdings = Holdings()
    holdings.bundles[current.hash] = current
    for row in found.incidents:
        incident = decode(row.state)
        holdings.incidents[row.id] = _held(row)
        holdings.keys[row.key] = row.id
        if incident.bundle not in holdings.bundles:
            holdings.bundles[incident.bundle] = await bundle_of(incident.bundle)
    for hold in found.holds:
        holdings.ledger.hold(hold.scope, hold.incident, hold.run)
    for use in sorted(found.uses, key=lambda use: use.at):
        holdings.ledger.use(use.scope, use.at, use.incident, use.run)
    for timer in found.timers:
        holdings.set_timer(timer.incident, timer.n, timer.due)
    for bundle in holdings.bundles.values():  # a run keeps its bundle, so its guards must see what they look out for
        await watch(holdings, store, bundle)
    _effects_back(holdings, found.effects, clock, inbox)
    _inputs_back(holdings, found, clock, inbox, parse)
    return holdings, found


def _held(row: IncidentRow) -> Held:
    incident = decode(row.state)
    return Held(
        state=row.state,
        key=row.key,
        version=row.version,
        events=row.events,
        entries=row.entries,
        head=row.head,
        severity=Severity(row.severity),
        open_episodes=incident.firing.open,
        parked=bool(incident.parked),
        unknown=bool(incident.past) and incident.past[-1].outcome is Outcome.UNKNOWN,
    )


async def watch(holdings: Holdings, store: Store, bundle: Bundle) -> None:
    """Look out for what the bundle's guards watch too, beginning with what is open."""
    if not bundle.watched:
        return
    names = [matcher.value for wanted in bundle.watched for matcher in wanted if _names(matcher.name, matcher.op)]
    named = all(any(_names(matcher.name, matcher.op) for matcher in wanted) for wanted in bundle.watched)
    holdings.watched.look_for(bundle.watched)
    holdings.watched.begin_with(await store.open_episodes(sorted(set(names)) if named else None))


def _names(name: str, op: str) -> bool:
    return name == "alertname" and op == "="


def _effects_back(holdings: Holdings, rows: Sequence[EffectRow], clock: Clock, inbox: Inbox) -> None:
    now = clock.now()
    for row in rows:
        effect = _effects.decode(row.body)
        holdings.effects[row.incident, row.n] = effect
        if not row.intended:
            holdings.queue(row.lane, row.incident, row.n, clock.monotonic())
            continue
        holdings.under_way[row.incident, row.n] = row.lane
        wait = seconds_until(row.until, now) if row.until is not None else 0.0
        inbox.put_later(wait, Lost(row.incident, effect))


def _inputs_back(
    holdings: Holdings, found: Recovered, clock: Clock, inbox: Inbox, parse: Callable[[str, bytes], Sequence[Alert]]
) -> None:
    inputs: list[Input] = []
    kept: dict[int, list[tuple[int, Event]]] = {}
    for row in sorted(found.inbox, key=lambda row: -row.seq):
        kept.setdefault(row.incident, []).append((row.seq, _events.decode(row.body)))
    inputs += [Resumed(incident, tuple(events)) for incident, events in kept.items()]
    for delivery in found.todo:
        try:
            alerts = tuple(parse(delivery.source, delivery.body))
        except Fault as fault:
            _log.error("delivery %d cannot be read again and stays in the journal: %s", delivery.id, fault)
            continue
        waiting = Waiting(Delivery(delivery.source, delivery.body, alerts), clock.monotonic(), None, delivery.id)
        inputs.append(waiting)
    inbox.put(*inputs)
