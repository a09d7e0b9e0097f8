"""What a member holds in memory of its open incidents, in step with the store as of the last batch built.

The turn writes it while it builds a batch; executors and the gate read it. When a commit is in doubt it is dropped.
Incidents are kept as their stored bytes, so that 100,000 open ones are cheap, and decoded when they are asked for.
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from paramedic.core.bundle import Bundle
from paramedic.core.claims import Ledger, claimed, slots
from paramedic.core.effects import Apply, Effect, Page, is_first
from paramedic.core.matching import Matcher, matches
from paramedic.core.model import Episode, Incident
from paramedic.core.sharing import SHARDS
from paramedic.core.words import Severity
from paramedic.engine.inputs import Due
from paramedic.engine.storms import Storms

__all__ = ["Held", "Holdings", "Watched", "decode", "encode", "timer_name"]

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Incident)

_DECODED = 1024
"""Incidents kept decoded at most: those that have just been asked for, a few times within milliseconds."""


@dataclass(slots=True)
class Held:
    """One open incident: its state as stored, and the counters of its rows."""

    state: bytes
    key: str
    shard: int
    version: int
    events: int
    entries: int
    head: bytes
    severity: Severity
    open_episodes: int = 0
    parked: bool = False
    unknown: bool = False
    storm: bool = False


def encode(incident: Incident) -> bytes:
    """An incident as it is stored."""
    return _encoder.encode(incident)


def decode(state: bytes) -> Incident:
    """An incident out of its stored bytes."""
    return _decoder.decode(state)


def timer_name(incident: Incident | None, n: int) -> str:
    """The name of an incident's timer; empty if it has been replaced or cancelled."""
    if incident is None:
        return ""
    return next((name for name, timer in incident.timers.items() if timer.n == n), "")


class Watched:
    """The open episodes that guards of any bundle in use look out for, with their labels; others are only counted."""

    def __init__(self) -> None:
        self._found: dict[tuple[Matcher, ...], dict[tuple[str, str], Episode]] = {}  # by what is watched for
        self._readings: list[set[tuple[str, str]]] = []

    @property
    def wanted(self) -> frozenset[tuple[Matcher, ...]]:
        """What is watched for."""
        return frozenset(self._found)

    def look_for(self, wanted: Iterable[tuple[Matcher, ...]]) -> None:
        """Watch for these matchers too, from now on; `look_again` and `begin_with` bring what is open already."""
        for matchers in wanted:
            self._found.setdefault(matchers, {})

    def look_again(self) -> set[tuple[str, str]]:
        """What is open is about to be read: in this set will be what is written meanwhile, and newer than that."""
        news: set[tuple[str, str]] = set()
        self._readings.append(news)
        return news

    def begin_with(self, episodes: Iterable[Episode], news: set[tuple[str, str]]) -> None:
        """Take in what the store was read to hold open, in place of what was known but is no news."""
        self._readings = [one for one in self._readings if one is not news]
        for matchers, found in self._found.items():
            self._found[matchers] = {who: episode for who, episode in found.items() if who in news}
        for episode in episodes:
            if (episode.source, episode.identity) not in news:
                self._take(episode)

    def note(self, episode: Episode) -> None:
        """Take in an episode that was written."""
        for news in self._readings:
            news.add((episode.source, episode.identity))
        self._take(episode)

    def _take(self, episode: Episode) -> None:
        who = (episode.source, episode.identity)
        for matchers, found in self._found.items():
            if not episode.open:
                found.pop(who, None)
            elif matches(matchers, episode.labels):
                found[who] = episode

    def matching(self, matchers: Sequence[Matcher]) -> Sequence[Episode]:
        """Open episodes that all matchers accept, at most 20, oldest first.

        Those that are watched for are known already; matchers may begin as what is watched for does, and go on.
        """
        asked = tuple(matchers)
        for length in range(len(asked), 0, -1):
            known = self._found.get(asked[:length])
            if known is not None:
                rest = asked[length:]
                found = [one for one in known.values() if matches(rest, one.labels)] if rest else list(known.values())
                break
        else:
            every = {who: one for of in self._found.values() for who, one in of.items()}
            found = [one for one in every.values() if matches(asked, one.labels)]
        return heapq.nsmallest(20, found, key=lambda one: one.starts_at)


@dataclass(slots=True)
class Holdings:
    """All of it. `waiting` holds, by lane, the effects that are committed and not yet under way, oldest first.

    `shards` are ours and in memory; `leaving` says to which member one is to go, `given` are on their way there.
    `reading` are the forwarded rows in memory; `refused` the scopes for which an effect is known to wait.
    `versions` are those of scopes as we know them, `moved` the scopes that others have claimed since.
    """

    shards: set[int] = field(default_factory=set)
    leaving: dict[int, int] = field(default_factory=dict)
    given: set[int] = field(default_factory=set)
    reading: set[int] = field(default_factory=set)
    refused: dict[tuple[int, int], str] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    moved: set[str] = field(default_factory=set)

    incidents: dict[int, Held] = field(default_factory=dict)
    keys: dict[str, int] = field(default_factory=dict)
    bundles: dict[str, Bundle] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=Ledger)
    watched: Watched = field(default_factory=Watched)
    storms: Storms = field(default_factory=Storms)
    effects: dict[tuple[int, int], Effect] = field(default_factory=dict)
    waiting: dict[str, dict[tuple[int, int], float]] = field(
        default_factory=lambda: {"read": {}, "write": {}, "page": {}, "message": {}}
    )
    under_way: dict[tuple[int, int], str] = field(default_factory=dict)
    blocked: dict[tuple[int, int], str] = field(default_factory=dict)
    _first: dict[tuple[int, int], None] = field(default_factory=dict)
    _timers: list[tuple[datetime, int, int]] = field(default_factory=list)
    _live_timers: set[tuple[int, int]] = field(default_factory=set)
    _decoded: dict[int, tuple[bytes, Incident]] = field(default_factory=dict)

    @property
    def alone(self) -> bool:
        """Whether every incident is ours: then nobody else can claim anything, or know of anything we do not."""
        return len(self.shards) == SHARDS

    def incident(self, number: int) -> Incident | None:
        """An open incident as of the last batch built."""
        held = self.incidents.get(number)
        if held is None:
            return None
        state, incident = self._decoded.get(number, (b"", None))
        if incident is None or state is not held.state:
            incident = decode(held.state)
            self._remember(number, held.state, incident)
        return incident

    def now_is(self, incident: Incident) -> None:
        """An incident as this batch leaves it. The next look at it need not read the state that has just been made."""
        held = self.incidents[incident.id]
        held.state = encode(incident)
        self._remember(incident.id, held.state, incident)

    def _remember(self, number: int, state: bytes, incident: Incident) -> None:
        if len(self._decoded) >= _DECODED:
            self._decoded.clear()
        self._decoded[number] = state, incident

    # -- timers -------------------------------------------------------------------------------------------------------

    def set_timer(self, incident: int, n: int, due: datetime) -> None:
        """Remember a timer."""
        self._live_timers.add((incident, n))
        heapq.heappush(self._timers, (due, incident, n))

    def drop_timer(self, incident: int, n: int) -> None:
        """Forget a timer; its entry in the heap is skipped when it comes up."""
        self._live_timers.discard((incident, n))

    def next_due(self) -> datetime | None:
        """The earliest timer's moment."""
        while self._timers and self._timers[0][1:] not in self._live_timers:
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    def due(self, now: datetime, most: int) -> list[Due]:
        """Timers that are due, oldest first, at most `most`; each is given out once."""
        found: list[Due] = []
        while len(found) < most:
            first = self.next_due()
            if first is None or first > now:
                break
            due, incident, n = heapq.heappop(self._timers)
            self._live_timers.discard((incident, n))
            found.append(Due(incident, n, due))
        return found

    # -- effects ------------------------------------------------------------------------------------------------------

    def queue(self, lane: str, incident: int, n: int, since: float) -> None:
        """An effect is committed and waits for a slot (monotonic seconds since when)."""
        self.waiting[lane][incident, n] = since
        effect = self.effects.get((incident, n))
        if isinstance(effect, Page) and is_first(effect):
            self._first[incident, n] = None

    def next(self, lane: str, most: int) -> list[tuple[int, Effect]]:
        """The effects of a lane that could leave now, the oldest, at most `most`; of writes the most urgent first.

        Pages of one incident to one person keep their order: the next leaves when the one before has been answered.
        Those of incidents that nobody knows of yet come first, however many next levels are due. A message leaves when
        no page of its incident waits (promise 7).
        """
        if most <= 0 or not self.waiting[lane]:
            return []
        paging = {who[0] for who in self.waiting["page"]} if lane == "message" else set()
        busy = {self._channel(who) for who in self.under_way} if lane == "page" else set()
        found: list[tuple[int, Effect]] = []
        for who in self._pages() if lane == "page" else self.waiting[lane]:
            if lane == "page":
                channel = self._channel(who)
                if channel in busy:
                    continue
                busy.add(channel)
            elif who[0] in paging:
                continue
            found.append((who[0], self.effects[who]))
            if len(found) >= most:
                break
        return found if lane != "write" else sorted(found, key=lambda one: self._severity(one[0]))

    def _pages(self) -> Iterator[tuple[int, int]]:
        """Those that wait, the first ones of their incidents before all others; these are named twice."""
        waiting = self.waiting["page"]
        self._first = {who: None for who in self._first if who in waiting}
        yield from self._first
        yield from waiting

    def _channel(self, who: tuple[int, int]) -> tuple[int, str]:
        effect = self.effects.get(who)
        return (who[0], effect.to) if isinstance(effect, Page) else (who[0], "")

    def wants(self, incident: int, n: int) -> bool:
        """Whether this effect still waits for its answer."""
        return (incident, n) in self.effects

    def leave(self, lane: str, who: tuple[int, int]) -> None:
        """An effect leaves for a slot; one that was born in this batch has never waited."""
        self.waiting[lane].pop(who, None)
        self.under_way[who] = lane

    def block(self, who: tuple[int, int], scope: str) -> None:
        """A write waits for a scope that somebody else holds."""
        self.waiting["write"].pop(who, None)
        self.blocked[who] = scope

    def forget_effect(self, incident: int, n: int) -> None:
        """An effect has been answered or is not wanted any more."""
        who = (incident, n)
        self.effects.pop(who, None)
        self.blocked.pop(who, None)
        self.refused.pop(who, None)
        self.under_way.pop(who, None)
        for lane in self.waiting.values():
            lane.pop(who, None)

    def release(self, incident: int, run: int) -> list[str]:
        """A run is over: let go of what it held, and let those who waited for that try again, most urgent first."""
        scopes = self.ledger.release(incident, run)
        free = {claimed(scope) for scope in scopes}
        freed = [who for who, scope in self.blocked.items() if scope in free]
        for who in sorted(freed, key=self._urgency):
            del self.blocked[who]
            self.waiting["write"][who] = 0.0
        return scopes

    def try_foreign(self) -> bool:
        """Let those try again who wait for what somebody else's run holds; whether there are any."""
        freed = [who for who, scope in self.blocked.items() if self._may_be_free(who, scope)]
        for who in sorted(freed, key=self._urgency):
            del self.blocked[who]
            self.waiting["write"][who] = 0.0
        return bool(freed)

    def _may_be_free(self, who: tuple[int, int], scope: str) -> bool:
        """Whether something of a scope that this effect waits for is free, or held by another member's run."""
        effect = self.effects.get(who)
        claims = effect.claims if isinstance(effect, Apply) else ()
        names = [name for claim in claims if claim.scope == scope for name in slots(claim)]
        return any(self.ledger.held.get(name, (0, 0))[0] not in self.incidents for name in names)

    # -- shards -------------------------------------------------------------------------------------------------------

    def shard(self, incident: int) -> int | None:
        """The shard of an open incident of ours."""
        held = self.incidents.get(incident)
        return held.shard if held else None

    def parting(self) -> list[tuple[int, int]]:
        """Shards that can go now, and to whom: nothing of them is under way that changes or tells anything."""
        busy = {self.shard(who[0]) for who, lane in self.under_way.items() if lane != "read"}
        return [(shard, to) for shard, to in sorted(self.leaving.items()) if shard in self.shards - busy]

    def part(self, shards: Iterable[int]) -> None:
        """Forget these shards, and everything that hangs on them."""
        gone = set(shards)
        self.shards -= gone
        self.given |= gone
        numbers = {number for number, held in self.incidents.items() if held.shard in gone}
        storms = [one for number in numbers if self.incidents[number].storm and (one := self.incident(number))]
        for number in numbers:
            self.keys.pop(self.incidents.pop(number).key, None)
            self._decoded.pop(number, None)
        for who in [who for who in self.effects if who[0] in numbers]:
            self.forget_effect(*who)
        self._live_timers = {timer for timer in self._live_timers if timer[0] not in numbers}
        self.storms.part(gone, numbers, {one.source: one.id for one in storms})

    def _urgency(self, who: tuple[int, int]) -> tuple[str, int]:
        return self._severity(who[0]), who[0]

    def _severity(self, incident: int) -> str:
        held = self.incidents.get(incident)
        return str(held.severity) if held else "P9"
