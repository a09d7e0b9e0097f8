"""What is durable in a rehearsal: tables as dictionaries. It outlives its stores, as a database outlives processes.

`MemoryStore` writes batches here; whoever tells what happened reads `timeline` and `events`, ordered in each incident.
"""

from collections.abc import Container, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from paramedic.core.model import Episode
from paramedic.store.memory.members import Members
from paramedic.store.port import (
    AnswerRow,
    Batch,
    BundleRow,
    ClaimRow,
    DeliveryRow,
    Doubtful,
    EffectRow,
    EventRow,
    EvidenceRow,
    ForwardedRow,
    HoldRow,
    IncidentRow,
    RejectedRow,
    Switch,
    TimelineRow,
    TimerRow,
    UseRow,
)

__all__ = ["MemoryDisk", "Reached"]


@dataclass(frozen=True)
class Reached:
    """What a process wrote last of its marks, and when it found that this disk is not the one it knew."""

    mark: int = 0
    frozen: datetime | None = None
    frozen_in: str = ""


class MemoryDisk:
    """The tables. Who may write them is in `members`."""

    def __init__(self) -> None:
        self.members = Members()
        self.numbers = 1  # the first incident number of the next block
        self.deliveries: dict[int, DeliveryRow] = {}
        self.rejected: dict[int, RejectedRow] = {}
        self.episodes: dict[tuple[str, str], Episode] = {}  # by source and identity
        self.live: dict[tuple[str, str], Episode] = {}  # those that are open or doubted
        self.incidents: dict[int, IncidentRow] = {}
        self.open: dict[str, int] = {}  # key of an open incident → its number
        self.events: dict[int, dict[int, EventRow]] = {}  # incident → sequence number → event
        self.timeline: dict[int, list[TimelineRow]] = {}  # incident → its decisions
        self.effects: dict[tuple[int, int], EffectRow] = {}
        self.timers: dict[tuple[int, int], TimerRow] = {}
        self.holds: dict[str, HoldRow] = {}
        self.uses: dict[UseRow, None] = {}
        self.evidence: dict[str, EvidenceRow] = {}
        self.forwarded: dict[int, ForwardedRow] = {}
        self.answers: dict[int, AnswerRow] = {}
        self.scopes: dict[str, int] = {}  # name → version
        self.switch = Switch()
        self.bundles: dict[str, BundleRow] = {}
        self.pointer: str | None = None
        self.todo: dict[int, DeliveryRow] = {}  # deliveries that are not routed
        self.inbox: dict[tuple[int, int], EventRow] = {}  # events that are not done
        self.system = "memory"  # another one stands for another database system
        self.written = 0  # how far it has come
        self.reached: dict[str, Reached] = {}
        self._entries: set[tuple[int, int]] = set()  # incident and sequence number of what `timeline` holds

    def write(self, batch: Batch, member: int) -> None:
        """Write all of the batch for a member, or raise `Doubtful` and write nothing."""
        self._check_incidents(batch)
        self._check_keys(batch)
        self._check_versions(batch)
        self.members.give(batch.given, member)
        self._write_deliveries(batch)
        self._write_incidents(batch)
        self._write_work(batch)
        self._write_sharing(batch)
        self.written += 1
        if batch.switch is not None:
            self.switch = batch.switch

    def _check_incidents(self, batch: Batch) -> None:
        """Changed ones follow the version we have; new ones have a number and a key that nobody has."""
        opened, closed = [], set()
        for row in batch.incidents:
            before = self.incidents.get(row.id)
            if not row.new and (before is None or before.version != row.version - 1):
                raise Doubtful(f"incident {row.id} is not at version {row.version - 1}")
            was_open = before is not None and before.open
            if row.open and not was_open:
                opened.append(row.key)
            if was_open and not row.open:
                closed.add(row.key)
        _require_new("incident", (row.id for row in batch.incidents if row.new), self.incidents)
        _require_new("row of incident", (row.id for row in batch.incidents))
        _require_new("open incident with the key", opened, self.open, but=closed)

    def _check_keys(self, batch: Batch) -> None:
        _require_new("delivery", (row.id for row in batch.deliveries), self.deliveries)
        _require_new("rejected body", (row.id for row in batch.rejected), self.rejected)
        _require_new("episode of", ((one.source, one.identity) for one in batch.episodes))
        for event in batch.events:
            _require_new("event", [event.seq], self.events.get(event.incident, ()))
        _require_new("event", ((row.incident, row.seq) for row in batch.events))
        _require_new("timeline entry", ((row.incident, row.seq) for row in batch.timeline), self._entries)
        _require_new("effect", ((row.incident, row.n) for row in batch.effects), self.effects)
        _require_new("timer", ((row.incident, row.n) for row in batch.timers), self.timers)
        _require_new("hold on", (row.scope for row in batch.holds), self.holds, but=batch.holds_gone)
        for incident, n, _ in batch.intents:
            if (incident, n) not in self.effects or (incident, n) in batch.effects_gone:
                raise Doubtful(f"effect {n} of incident {incident} is not there to be carried out")
        _require_new("intent of", ((incident, n) for incident, n, _ in batch.intents))
        _require_new("forwarded row", (row.id for row in batch.forwarded), self.forwarded)
        _require_new("answer", (row.id for row in batch.answers), self.answers)

    def _check_versions(self, batch: Batch) -> None:
        for episode in batch.episodes:
            before = self.episodes.get((episode.source, episode.identity))
            if before is not None and before.version != episode.version - 1:
                raise Doubtful(f"the episode of {episode.identity} is not at version {episode.version - 1}")
        if batch.switch is not None and batch.switch.version != self.switch.version + 1:
            raise Doubtful(f"the switch is at version {self.switch.version}, not {batch.switch.version - 1}")

    def _write_deliveries(self, batch: Batch) -> None:
        for number in batch.routed:
            if waiting := self.todo.pop(number, None):
                self.deliveries[number] = replace(waiting, routed=True)
        for delivery in batch.deliveries:
            self.deliveries[delivery.id] = delivery
            if not delivery.routed:
                self.todo[delivery.id] = delivery
        for rejected in batch.rejected:
            self.rejected[rejected.id] = rejected
        for episode in batch.episodes:
            key = (episode.source, episode.identity)
            self.episodes[key] = episode
            self.live.pop(key, None)
            if episode.open or episode.doubted_at is not None:
                self.live[key] = episode

    def _write_incidents(self, batch: Batch) -> None:
        for incident in sorted(batch.incidents, key=lambda row: row.open):  # those that free a key first
            self.incidents[incident.id] = incident
            if incident.open:
                self.open[incident.key] = incident.id
            elif self.open.get(incident.key) == incident.id:
                del self.open[incident.key]
        for key in batch.events_done:
            if waiting := self.inbox.pop(key, None):
                self.events[waiting.incident][waiting.seq] = replace(waiting, done=True)
        for event in batch.events:
            self.events.setdefault(event.incident, {})[event.seq] = event
            if not event.done:
                self.inbox[event.incident, event.seq] = event
        for entry in batch.timeline:
            self.timeline.setdefault(entry.incident, []).append(entry)
            self._entries.add((entry.incident, entry.seq))

    def _write_work(self, batch: Batch) -> None:
        for incident, n, until in batch.intents:
            self.effects[incident, n] = replace(self.effects[incident, n], intended=True, until=until)
        for key in batch.effects_gone:
            self.effects.pop(key, None)
        for key in batch.timers_gone:
            self.timers.pop(key, None)
        for scope in batch.holds_gone:
            self.holds.pop(scope, None)
        self.effects.update(((row.incident, row.n), row) for row in batch.effects)
        self.timers.update(((row.incident, row.n), row) for row in batch.timers)
        self.holds.update((row.scope, row) for row in batch.holds)
        self.uses.update((row, None) for row in batch.uses)
        for evidence in batch.evidence:
            self.evidence.setdefault(evidence.digest, evidence)

    def _write_sharing(self, batch: Batch) -> None:
        for number in batch.forwarded_gone:
            self.forwarded.pop(number, None)
        self.forwarded.update((row.id, row) for row in batch.forwarded)
        self.answers.update((row.id, row) for row in batch.answers)

    def take(self, claims: Sequence[ClaimRow]) -> list[int]:
        """Take each claim whole, if the versions that it has seen are those of before: the `n` of those taken.

        Raises `Doubtful`, and takes nothing, when one of them is held although its version has not moved.
        """
        wanted = {scope: seen for claim in claims for scope, seen in claim.seen.items()}
        moved = {scope for scope, seen in wanted.items() if self.scopes.get(scope, 0) == seen}
        taken = [claim for claim in claims if moved.issuperset(claim.seen)]
        _require_new("hold on", (hold.scope for claim in taken for hold in claim.holds), self.holds)
        self.scopes.update((scope, wanted[scope] + 1) for scope in moved)
        for claim in taken:
            self.holds.update((hold.scope, hold) for hold in claim.holds)
            self.uses.update((use, None) for use in claim.uses)
        return [claim.n for claim in taken]


def _require_new(
    what: str, keys: Iterable[Hashable], there: Container[Hashable] = (), *, but: Container[Hashable] = ()
) -> None:
    """What a primary key demands: none of the keys is there, `but` for those that are about to go, and none twice."""
    seen = set()
    for key in keys:
        if (key in there and key not in but) or key in seen:
            raise Doubtful(f"{what} {key} is there already")
        seen.add(key)
