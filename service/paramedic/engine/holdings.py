"""What a member holds in memory of its open incidents, in step with the store as of the last batch built.

The turn writes it while it builds a batch; executors and the gate read it. When a commit is in doubt it is dropped.
Incidents are kept as their stored bytes, so that 100,000 open ones are cheap, and decoded when they are asked for.
"""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from paramedic.core.bundle import Bundle
from paramedic.core.claims import Ledger
from paramedic.core.effects import Effect, Page
from paramedic.core.matching import Matcher, matches
from paramedic.core.model import Episode, Incident
from paramedic.core.words import Severity
from paramedic.engine.inputs import Due

__all__ = ["Held", "Holdings", "Watched", "decode", "encode"]

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Incident)

_DECODED = 1024
"""Incidents kept decoded at most: those that have just been asked for, a few times within milliseconds."""


@dataclass(slots=True)
class Held:
    """One open incident: its state as stored, and the counters of its rows."""

    state: bytes
    key: str
    version: int
    events: int
    entries: int
    head: bytes
    severity: Severity
    open_episodes: int = 0
    parked: bool = False
    unknown: bool = False


def encode(incident: Incident) -> bytes:
    """An incident as it is stored."""
    return _encoder.encode(incident)


def decode(state: bytes) -> Incident:
    """An incident out of its stored bytes."""
    return _decoder.decode(state)


class Watched:
    """The open episodes that guards of any bundle in use look out for, with their labels; others are only counted."""

    def __init__(self) -> None:
        self._wanted: set[tuple[Matcher, ...]] = set()
        self._open: dict[tuple[str, str], Episode] = {}
        self._news: set[tuple[str, str]] | None = None

    def look_for(self, wanted: Iterable[tuple[Matcher, ...]]) -> None:
        """Watch for these matchers too, from now on; `begin_with` brings what is open already."""
        self._wanted |= set(wanted)
        self._news = set()

    def begin_with(self, episodes: Iterable[Episode]) -> None:
        """Take in what the store held open. What was written since `look_for` is newer."""
        news = self._news or ()
        for episode in episodes:
            if (episode.source, episode.identity) not in news:
                self._take(episode)
        self._news = None

    def note(self, episode: Episode) -> None:
        """Take in an episode that was written."""
        if self._news is not None:
            self._news.add((episode.source, episode.identity))
        self._take(episode)

    def _take(self, episode: Episode) -> None:
        who = (episode.source, episode.identity)
        if not episode.open:
            self._open.pop(who, None)
        elif any(matches(matchers, episode.labels) for matchers in self._wanted):
            self._open[who] = episode

    def matching(self, matchers: Sequence[Matcher]) -> Sequence[Episode]:
        """Open episodes that all matchers accept, at most 20, oldest first."""
        found = [one for one in self._open.values() if matches(matchers, one.labels)]
        return sorted(found, key=lambda one: one.starts_at)[:20]


@dataclass(slots=True)
class Holdings:
    """All of it. `waiting` holds, by lane, the effects that are committed and not yet under way, oldest first."""

    incidents: dict[int, Held] = field(default_factory=dict)
    keys: dict[str, int] = field(default_factory=dict)
    bundles: dict[str, Bundle] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=Ledger)
    watched: Watched = field(default_factory=Watched)
    effects: dict[tuple[int, int], Effect] = field(default_factory=dict)
    waiting: dict[str, dict[tuple[int, int], float]] = field(
        default_factory=lambda: {"read": {}, "write": {}, "page": {}, "message": {}}
    )
    under_way: dict[tuple[int, int], str] = field(default_factory=dict)
    blocked: dict[tuple[int, int], str] = field(default_factory=dict)
    _timers: list[tuple[datetime, int, int]] = field(default_factory=list)
    _live_timers: set[tuple[int, int]] = field(default_factory=set)
    _decoded: dict[int, tuple[bytes, Incident]] = field(default_factory=dict)

    def incident(self, number: int) -> Incident | None:
        """An open incident as of the last batch built."""
        held = self.incidents.get(number)
        if held is None:
            return None
        state, incident = self._decoded.get(number, (b"", None))
        if incident is None or state is not held.state:
            incident = decode(held.state)
            if len(self._decoded) >= _DECODED:
                self._decoded.clear()
            self._decoded[number] = held.state, incident
        return incident

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

    def next(self, lane: str, most: int) -> list[tuple[int, Effect]]:
        """The effects of a lane that could leave now, oldest first, at most `most`.

        Pages of one incident to one person keep their order: the next leaves when the one before has been answered.
        A message leaves when no page of its incident waits (promise 7).
        """
        if most <= 0 or not self.waiting[lane]:
            return []
        paging = {who[0] for who in self.waiting["page"]} if lane == "message" else set()
        busy = {self._channel(who) for who in self.under_way} if lane == "page" else set()
        found: list[tuple[int, Effect]] = []
        for who in self.waiting[lane]:
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
        return found

    def _channel(self, who: tuple[int, int]) -> tuple[int, str]:
        effect = self.effects.get(who)
        return (who[0], effect.to) if isinstance(effect, Page) else (who[0], "")

    def wants(self, incident: int, n: int) -> bool:
        """Whether this effect still waits for its answer."""
        return (incident, n) in self.effects

    def leave(self, lane: str, who: tuple[int, int]) -> None:
        """An effect leaves its queue for a slot."""
        del self.waiting[lane][who]
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
        self.under_way.pop(who, None)
        for lane in self.waiting.values():
            lane.pop(who, None)

    def release(self, incident: int, run: int) -> list[str]:
        """A run is over: let go of what it held, and let those who waited for that try again, most urgent first."""
        scopes = self.ledger.release(incident, run)
        freed = [who for who, scope in self.blocked.items() if scope in scopes]
        for who in sorted(freed, key=self._urgency):
            del self.blocked[who]
            self.waiting["write"][who] = 0.0
        return scopes

    def _urgency(self, who: tuple[int, int]) -> tuple[str, int]:
        held = self.incidents.get(who[0])
        return (str(held.severity) if held else "P9", who[0])
