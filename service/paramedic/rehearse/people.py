"""People in a rehearsal: what each does about pages and approvals, and after how long. The stage says what happened.

A habit is followed once for every page or approval that gives cause. Whether the service lets them is its business:
what it refuses is written down as an entry `answer` and nothing else.
"""

from collections.abc import Callable, Mapping

from paramedic.rehearse.compare import fits
from paramedic.rehearse.scenery import Habits, Reaction
from paramedic.rehearse.witness import Happened

__all__ = ["People"]

Doing = Callable[[float, str, str, Happened], None]


class People:
    """The habits of everybody. `do` is told: after how many seconds, who, what, about which page or approval."""

    def __init__(self, habits: Mapping[str, Habits], do: Doing) -> None:
        self._habits, self._do = habits, do

    def told(self, happened: Happened) -> None:
        """Something happened; whoever cares will act."""
        if happened.kind not in ("page", "approval"):
            return
        for who, habits in self._habits.items():
            for what, reaction in _reactions(habits, happened.kind):
                if _concerns(reaction, happened):
                    self._do(reaction.after, who, what, happened)


def _reactions(habits: Habits, kind: str) -> list[tuple[str, Reaction]]:
    about = {
        "page": (("ack", habits.acks), ("take", habits.takes)),
        "approval": (("approve", habits.approves), ("deny", habits.denies)),
    }
    return [(what, reaction) for what, reaction in about[kind] if reaction is not None]


def _concerns(reaction: Reaction, happened: Happened) -> bool:
    if not fits(reaction.of, happened.title):
        return False
    if happened.kind == "approval":
        return True
    return reaction.level in (None, happened.facts["level"]) and fits(reaction.to, happened.facts["to"])
