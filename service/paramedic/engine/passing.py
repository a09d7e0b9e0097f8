"""Alerts that are at home elsewhere: which of them, and how they get there. Called by `folds`, for each delivery.

The whole input goes: what is passed on is the alert as it came, and whoever owns the shard routes it.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from paramedic.core.events import AlertsSeen
from paramedic.core.homes import Home, home
from paramedic.core.model import Alert
from paramedic.engine.forwarding import Forwarded, PassedAlerts, pack
from paramedic.store.port import ForwardedRow

if TYPE_CHECKING:
    from paramedic.engine.folds import Folds

__all__ = ["Others", "elsewhere", "forward", "pass_on", "sort"]

Others = Mapping[tuple[int, bool], Sequence[tuple[Alert, int | None]]]
"""By shard, and whether its owner is to keep them: alerts, each with our incident that waits no longer for it."""


def sort(folds: "Folds", alerts: Sequence[Alert], *, final: bool = False) -> tuple[Sequence[Alert], Others]:
    """What is dealt with here, and what goes to other shards.

    `final`: all of it was passed on to us to keep.
    """
    if final or folds.shell.holdings.alone:
        return alerts, {}
    mine: list[Alert] = []
    others: dict[tuple[int, bool], list[tuple[Alert, int | None]]] = {}
    for alert in alerts:
        found = _home(folds, alert)
        if found.shard is None or found.shard in folds.shell.holdings.shards:
            mine.append(alert)
            continue
        others.setdefault((found.shard, found.final), []).append((alert, found.settles))
    return mine, others


def elsewhere(folds: "Folds", incident: int) -> int | None:
    """The shard of an incident that is open, and another member's."""
    place = folds.read.places.get(incident)
    if place is None or not place.open or place.shard in folds.shell.holdings.shards:
        return None
    return place.shard


def _home(folds: "Folds", alert: Alert) -> Home:
    return home(
        alert,
        folds.episode(alert.source, alert.identity),
        folds.shell.current,
        folds.work.at,
        is_open=lambda incident: folds.work.incident(incident) is not None,
        elsewhere=lambda incident: elsewhere(folds, incident),
    )


def pass_on(folds: "Folds", others: Others, delivery: int) -> None:
    """Forward each shard its alerts, in the commit that keeps the delivery."""
    at, mode = folds.work.at, folds.work.mode
    for (shard, final), passed in others.items():
        forward(folds, shard, PassedAlerts(delivery, tuple(alert for alert, _ in passed), final))
        for _, settles in passed:
            if settles is not None:
                folds.event(settles, AlertsSeen(at, mode, "delivery", delivery, settled=1))


def forward(folds: "Folds", shard: int, what: Forwarded) -> int:
    """Put something into the store for a shard's owner; the row's id."""
    number = folds.shell.ids.take()
    folds.work.batch.forwarded.append(ForwardedRow(number, shard, folds.work.at, pack(what)))
    folds.work.batch.tell = True
    return number
