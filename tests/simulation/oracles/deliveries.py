"""Promise 1: a delivery answered 2xx is never lost."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from paramedic.core.model import Alert
from tests.simulation.oracles.scene import Oracle

__all__ = ["Deliveries"]


class Deliveries(Oracle):
    """At the moment of the answer it is in the journal; at rest each of its alerts belongs to an incident."""

    promise = 1

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self.kept: dict[tuple[str, str], Alert] = {}

    def accepted(self, number: int, source: str, body: bytes, alerts: Sequence[Alert]) -> None:
        row = self.scene.disk.deliveries.get(number)
        if row is None or (row.source, row.body) != (source, body):
            self.broken(f"delivery {number} was answered, and the journal holds {row}")
        self.kept |= {(one.source, one.identity): one for one in alerts if one.firing}

    def at_rest(self) -> None:
        disk = self.scene.disk
        long_ago = self.scene.clock.now() - timedelta(seconds=10)
        waiting: list[Any] = [*disk.todo.values(), *disk.inbox.values(), *disk.forwarded.values()]
        left = [row for row in waiting if row.at <= long_ago]
        if left:
            self.broken(f"left over: {left}")
        for who, alert in self.kept.items():
            episode = disk.episodes.get(who)
            if episode is None or episode.incident not in disk.incidents:
                self.broken(f"{alert.labels} was accepted, and is {episode}")
