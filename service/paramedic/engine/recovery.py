"""From what the store holds to what a turn works with: the memory of shards that have become ours.

Called by `engine` after `join`, and by `sharing` when a member has gone or gives shards away.

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
from paramedic.core.claims import Use
from paramedic.core.effects import Effect
from paramedic.core.events import Event
from paramedic.core.model import Alert
from paramedic.core.storm import KIND, MINUTE, lasts, storm_key
from paramedic.core.words import Outcome, Severity
from paramedic.engine.holdings import Held, Holdings, decode
from paramedic.engine.inputs import Delivery, Inbox, Input, Lost, Resumed, Waiting
from paramedic.errors import Fault
from paramedic.store.port import EffectRow, IncidentRow, Recovered, Store

__all__ = ["LONGEST_WINDOW", "absorb", "recover", "watch"]

LONGEST_WINDOW = timedelta(days=8)
"""How far back uses of budgets and cooldowns are kept in memory: a week, and a day's grace."""

_log = logging.getLogger(__name__)
_effects = msgspec.json.Decoder(Effect)
_events = msgspec.json.Decoder(Event)


async def recover(
    store: Store, clock: Clock, holdings: Holdings, bundle_of: Callable[[str], Awaitable[Bundle]]
) -> Recovered:
    """Read what hangs on shards that are ours and not in memory, with every bundle it needs. `absorb` takes it in.

    Raises what the store raises, and `Fault` for a bundle that is gone.
    """
    since = clock.now() - LONGEST_WINDOW
    found = await store.recover(uses_since=since, but=sorted(holdings.shards | holdings.given))
    for hash_ in {decode(row.state).bundle for row in found.incidents} - holdings.bundles.keys():
        bundle = holdings.bundles[hash_] = await bundle_of(hash_)
        holdings.watched.look_for(bundle.watched)  # a run keeps its bundle, so its guards must see what they look for
    await watch(holdings, store)
    return found


def absorb(
    holdings: Holdings,
    found: Recovered,
    clock: Clock,
    inbox: Inbox,
    parse: Callable[[str, bytes], Sequence[Alert]],
) -> None:
    """Take in what was read. From now on these shards are dealt with here."""
    _ledger(holdings, found)
    for row in found.incidents:
        holdings.incidents[row.id] = _held(row)
        holdings.keys[row.key] = row.id
    _storms_back(holdings, found)
    for timer in found.timers:
        holdings.set_timer(timer.incident, timer.n, timer.due)
    _effects_back(holdings, found.effects, clock, inbox)
    _inputs_back(holdings, found, clock, inbox, parse)
    holdings.shards.update(found.shards)


def _ledger(holdings: Holdings, found: Recovered) -> None:
    """What others hold and have used, as it was read; what is ours may have changed since, and stays as we know it."""
    ledger, ours = holdings.ledger, holdings.incidents.keys()
    for scope, who in list(ledger.held.items()):
        if who[0] not in ours:
            del ledger.held[scope]
    for hold in found.holds:
        if hold.incident not in ours:
            ledger.hold(hold.scope, hold.incident, hold.run)
    known = {(scope, use) for scope, uses in ledger.used.items() for use in uses}
    for one in found.uses:
        if (one.scope, Use(one.at, one.incident, one.run)) not in known:
            ledger.use(one.scope, one.at, one.incident, one.run)
    for uses in ledger.used.values():
        uses.sort(key=lambda use: use.at)


def _storms_back(holdings: Holdings, found: Recovered) -> None:
    """Who is held back, and how many incidents have just begun."""
    storms = holdings.storms
    for row in found.incidents:
        if b'"storm":' not in row.state:
            continue  # it is not held back; to read all of them again would take long
        incident = decode(row.state)
        if incident.storm is not None and KIND not in incident.timers:
            storms.hold_back(row.source, incident.storm, row.id)
    fresh = (row for row in found.incidents if found.now - row.opened_at < MINUTE and row.key != storm_key(row.source))
    for row in sorted(fresh, key=lambda row: row.opened_at):
        rule = holdings.bundles[decode(row.state).bundle].rules.named(row.rule)
        if rule is None or rule.storm:
            storms.count(row.source, row.opened_at, row.shard)


def _held(row: IncidentRow) -> Held:
    incident = decode(row.state)
    return Held(
        state=row.state,
        key=row.key,
        shard=row.shard,
        version=row.version,
        events=row.events,
        entries=row.entries,
        head=row.head,
        severity=Severity(row.severity),
        open_episodes=incident.firing.open,
        parked=bool(incident.parked),
        unknown=bool(incident.past) and incident.past[-1].outcome is Outcome.UNKNOWN,
        storm=incident.kind == KIND and lasts(incident),
    )


async def watch(holdings: Holdings, store: Store) -> None:
    """Read anew what is open of what guards of any bundle in use look out for."""
    wanted = holdings.watched.wanted
    if not wanted:
        return
    names = [matcher.value for matchers in wanted for matcher in matchers if _names(matcher.name, matcher.op)]
    named = all(any(_names(matcher.name, matcher.op) for matcher in matchers) for matchers in wanted)
    news = holdings.watched.look_again()
    holdings.watched.begin_with(await store.open_episodes(sorted(set(names)) if named else None), news)


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
