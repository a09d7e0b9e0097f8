"""Which kills are tried, and what is wrong with what came of them. Both follow from the points and the stories.

`few` kills at the first passing of each point, in the shortest story that has it; in one story at each commit, and at
each write, of which nothing protects the second (before, on arrival, after); and, where a point is passed only by a
process that comes up after a kill, that one too. `many` kills in every story, at the first two passings of each point
and at the last.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from unittest import mock

from paramedic.core.words import Once
from paramedic.plugin import Tools
from tests.crash.came import Came
from tests.crash.compare import differences, handed_over
from tests.crash.lives import Kill, tell
from tests.crash.points import SIDES, points
from tests.crash.stage import lived
from tests.crash.stories import Story, stories
from tests.crash.woven import woven

__all__ = ["UNREACHED", "Tried", "few", "many", "set_up", "wanted"]

UNREACHED: Mapping[str, str] = {
    "engine.gated:GatedKube.create:self._kube.create": "no action creates objects",
    "engine.gated:GatedKube.evict:self._kube.evict": "no action evicts pods",
}
"""Points that no story passes, and why."""

SETTINGS = dict.fromkeys(("SLACK_BOT_TOKEN", "PAGERDUTY_SRE_KEY", "PAGERDUTY_ROUTING_KEY"), "set")
COMMIT = "engine.turn:Turn._send:shell.store.commit"
WRITE = "engine.gated:GatedHttp.request:self._http.request"
ARRIVED = "world:"
BARE = "Two writes, of which nothing protects the second"


def wanted() -> set[str]:
    """Each point, before and after."""
    return {f"{point}:{side}" for point in points() for side in SIDES}


@contextmanager
def set_up() -> Iterator[None]:
    """The points are woven in, and the rehearsal's notifiers have what they need to reach somebody."""
    equipped = partial(Tools, setting=lambda name: SETTINGS.get(name, ""))
    with woven(tell), mock.patch("paramedic.rehearse.stage.Tools", equipped):
        yield


@dataclass
class Tried:
    """What was tried: how many kills, by how many in one story; the points that were passed; what was wrong."""

    calm: dict[str, Came] = field(default_factory=dict)
    passed: set[str] = field(default_factory=set)
    kills: Counter[int] = field(default_factory=Counter)
    handed: int = 0
    wrong: list[str] = field(default_factory=list)

    def tell_calmly(self) -> None:
        """Play each story without a kill."""
        for story in stories().values():
            self.calm[story.name] = lived(story)
            self.passed |= _passed(self.calm[story.name])

    def kill(self, story: Story, *kills: Kill) -> Came:
        """Play it with these kills, and judge."""
        came = lived(story, kills)
        self.kills[len(kills)] += 1
        calm = self.calm[story.name]
        found = list(differences(calm, came))
        if Once.NONE in came.flying or (found and came.flying and story.beside.hand is not None):
            found = list(handed_over(calm, came))
            self.handed += 1
        if came.killed < len(kills):
            found.append(f"only {came.killed} kills")
        self.wrong += [f"{story.name}; killed at {', '.join(map(str, kills))}: {one}" for one in found]
        return came


def few() -> Tried:
    """See the module."""
    tried = Tried()
    tried.tell_calmly()
    shortest = sorted(stories().values(), key=lambda story: len(tried.calm[story.name].lives[0]))
    first = {point: story for story in reversed(shortest) for point in tried.calm[story.name].lives[0]}
    second: dict[str, tuple[Story, Kill]] = {}
    for point, story in sorted(first.items()):
        kill = Kill(point)
        for later in _passed(tried.kill(story, kill)) - tried.passed:
            second.setdefault(later, (story, kill))
    for point, (story, kill) in sorted(second.items()):
        tried.kill(story, kill, Kill(point))
    tried.passed |= second.keys()
    for kill in _passings(tried.calm[BARE], (COMMIT, WRITE, ARRIVED)):
        tried.kill(stories()[BARE], kill)
    return tried


def many() -> Tried:
    """See the module."""
    tried = Tried()
    tried.tell_calmly()
    for story in stories().values():
        calm = tried.calm[story.name]
        last = Counter(calm.lives[0])
        for kill in _passings(calm):
            if kill.time in (1, 2, last[kill.at]):
                tried.kill(story, kill)
    return tried


def _passed(came: Came) -> set[str]:
    return {point for life in came.lives for point in life}


def _passings(came: Came, only: Sequence[str] = ("",)) -> Iterator[Kill]:
    """A kill for each time that the first life passes a point."""
    seen: Counter[str] = Counter()
    for point in came.lives[0]:
        seen[point] += 1
        if point.startswith(tuple(only)):
            yield Kill(point, seen[point])
