"""What a member holds in memory of storms: how many incidents have just begun, which storms last, whom they hold back.

Part of `holdings`. `storming` writes it in the turn, `sharing` brings in what other members know, `recovery` fills it.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from paramedic.core.bundle import Bundle
from paramedic.store.port import OpeningRow

__all__ = ["Storms", "others"]

_MOST = 10_000
"""New incidents of a source that are remembered, at most: twice what the highest threshold takes."""


@dataclass(slots=True)
class Storms:
    """See the module.

    `begun` are our own new incidents by source, as (moment, shard); `others` those of the last minute elsewhere.
    `parents` are the storms that last, by source, as of the last look; `looked` says whether there was one. What we
    part with may have begun after it: it is written down then, and `partings` are counted, because a look that was on
    its way meanwhile may have seen less.
    `held` are incidents of ours that a storm holds back, by source and parent; `queues` those whose storm is over, in
    the order in which they go on, and `gone_on` how many have been told of each.
    """

    begun: dict[str, deque[tuple[datetime, int]]] = field(default_factory=dict)
    others: Mapping[str, Sequence[OpeningRow]] = field(default_factory=dict)
    parents: dict[str, int] = field(default_factory=dict)
    looked: bool = False
    partings: int = 0
    held: dict[tuple[str, int], dict[int, None]] = field(default_factory=dict)
    queues: dict[tuple[str, int], deque[int]] = field(default_factory=dict)
    gone_on: dict[tuple[str, int], int] = field(default_factory=dict)

    def count(self, source: str, at: datetime, shard: int) -> None:
        """One more has begun."""
        self.begun.setdefault(source, deque(maxlen=_MOST)).append((at, shard))

    def openings(self, source: str, since: datetime, *, ours: bool = False) -> int:
        """How many have begun since a moment, which only moves on; `ours`: without those of other members."""
        begun = self.begun.get(source, deque())
        while begun and begun[0][0] < since:
            begun.popleft()
        return len(begun) + (0 if ours else sum(row.count for row in self.others.get(source, ())))

    def look(self, sources: Iterable[str], parents: Mapping[str, int]) -> None:
        """Take in which storms last."""
        self.parents = {name: parents[name] for name in sources if name in parents}
        self.looked = True

    def hold_back(self, source: str, parent: int, incident: int) -> None:
        """A storm holds this incident back."""
        self.held.setdefault((source, parent), {})[incident] = None

    def let_go(self, source: str, parent: int, incident: int) -> None:
        """It does not any more."""
        held = self.held.get((source, parent), {})
        held.pop(incident, None)
        if not held:
            self.held.pop((source, parent), None)
            self.queues.pop((source, parent), None)
            self.gone_on.pop((source, parent), None)

    def part(self, shards: set[int], incidents: set[int], parents: Mapping[str, int]) -> None:
        """Forget what is another member's now: that one counts it, and lets it go on.

        `parents` are the storms that last and that it gets: whom they hold back here must not take them for over.
        """
        self.partings += 1
        self.parents.update(parents)
        for source, begun in self.begun.items():
            self.begun[source] = deque((one for one in begun if one[1] not in shards), maxlen=_MOST)
        for (source, parent), held in list(self.held.items()):
            for incident in held.keys() & incidents:
                self.let_go(source, parent, incident)


def others(rows: Sequence[OpeningRow], bundle: Bundle) -> Mapping[str, Sequence[OpeningRow]]:
    """By source, without what is exempt from storms."""
    found: dict[str, list[OpeningRow]] = {}
    for row in rows:
        rule = bundle.rules.named(row.rule)
        if rule is None or rule.storm:
            found.setdefault(row.source, []).append(row)
    return found
