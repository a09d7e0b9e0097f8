"""Where an alert is dealt with while several members live: by the owner of one shard, which may be another member.

The turn asks for each alert before it routes; what is at home elsewhere is forwarded as it came. Pure.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from paramedic.core.bundle import Bundle
from paramedic.core.episodes import observe
from paramedic.core.model import Alert, Episode
from paramedic.core.routing import home_of

__all__ = ["Home", "home"]


@dataclass(frozen=True, slots=True)
class Home:
    """The shard that deals with an alert; None: this member, whose incident it belongs to.

    `final`: the owner of the shard takes it as its own, wherever it was pinned. `settles` is an incident of ours that
    waited to know whether this alert fires, and need not wait any more.
    """

    shard: int | None
    final: bool = False
    settles: int | None = None


def home(
    alert: Alert,
    episode: Episode | None,
    bundle: Bundle,
    now: datetime,
    *,
    is_open: Callable[[int], bool],
    elsewhere: Callable[[int], int | None],
) -> Home:
    """Where this alert belongs: with the incident that its episode is pinned to while that is open, else by its key.

    `is_open`: whether an incident is open and ours; `elsewhere`: the shard of one that is open and another member's.
    """
    pinned = episode.incident if episode is not None else None
    if episode is None or pinned is None:
        return Home(home_of(alert, bundle), final=True)
    if not is_open(pinned):
        shard = elsewhere(pinned)
        return Home(home_of(alert, bundle), final=True) if shard is None else Home(shard)
    _, change = observe(episode, alert, now, bundle.source(alert.source).expiry)
    if change != "opened":
        return Home(None)
    return Home(home_of(alert, bundle), final=True, settles=pinned if episode.doubted_at is not None else None)
