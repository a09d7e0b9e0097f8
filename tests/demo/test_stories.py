"""The demo's stories with the demo's own rules and playbooks, in virtual time: each ends as told, and not otherwise."""

from collections.abc import Callable
from importlib.resources import files

import msgspec
import pytest

from paramedic.console.models import IncidentDetail
from paramedic.console.shapes import detail_of
from paramedic.core.decision import Entry
from paramedic.demo.gauges import Gauges
from paramedic.demo.monitor import Monitor
from paramedic.demo.shop import Shop
from paramedic.demo.stories import STORIES, Story
from paramedic.rehearse.loop import VirtualLoop, virtually
from tests.engine.stage import Stage, delivery_of
from tests.engine.texts import bundle_of

ENDED = 12.0
"""Virtual seconds within which each story ends, so that the demo is short."""


def demo_catalog() -> str:
    """All of the demo's files as one text."""
    source = files("paramedic.demo")
    texts = [file.read_text() for kind in ("rules", "playbooks") for file in sorted((source / kind).iterdir(), key=str)]
    return "\n---\n".join(texts)


class Tale:
    """The shop on a stage, with the demo's own monitor looking at it, and no HTTP in between."""

    def __init__(self, loop: VirtualLoop) -> None:
        self.stage = Stage(loop, demo_catalog())
        self.shop = Shop(self.stage.clock)
        self.gauges = Gauges(self.shop)
        self.stage.kube, self.stage.metrics = self.shop.kube, self.gauges
        self.stage.store, self.stage.port, self.stage.engine = self.stage._process()
        self._monitor = Monitor(self.gauges.symptoms, self._post, self.stage.clock)

    async def _post(self, body: bytes) -> bool:
        await self.stage.engine.deliver(delivery_of(body))
        return True

    async def begin(self, *stories: Story) -> None:
        """Let these happen."""
        await self.stage.start()
        for story in stories:
            story.begins(self.shop, self.gauges)

    async def go_on(self, *stories: Story) -> list[str]:
        """Until nothing is missing, or their time is up; what is missing then."""
        missing = [await self.missing(story) for story in stories]
        while any(missing) and self.stage.clock.monotonic() < ENDED:
            await self._monitor.look()
            await self.stage.pass_(0.2)
            missing = [await self.missing(story) for story in stories]
        return missing

    def number(self, story: Story) -> int | None:
        """The story's incident."""
        found = (one for one in self.stage.disk.incidents if story.key in self.stage.incident(one).key)
        return next(found, None)

    async def missing(self, story: Story) -> str:
        """What is not as the story has to end; people do their part on the way."""
        number = self.number(story)
        if number is None:
            return "no incident"
        detail = detail_of(self.stage.incident(number), self.stage.clock.now())
        if story.acknowledges and detail.paging.level >= story.ending.levels and not detail.acknowledged_by:
            await self.stage.act(number, "ack", who=story.acknowledges)
        return story.ending.missing(detail, self.stage.entries(number), await self.shop.stands(story.workload))


def told(*stories: Story, before: Callable[[Shop, Gauges], None] | None = None) -> list[str]:
    """What is missing at the end of each of these, told side by side in a world that `before` may have changed."""

    async def whole(loop: VirtualLoop) -> list[str]:
        tale = Tale(loop)
        if before is not None:
            before(tale.shop, tale.gauges)
        await tale.begin(*stories)
        missing = await tale.go_on(*stories)
        if not any(missing):
            tale.stage.verify()
        tale.stage.kill()
        return missing

    return virtually(whole)


def test_all_stories_end_as_told_side_by_side() -> None:
    assert told(*STORIES) == [""] * 5


@pytest.mark.parametrize(
    ("number", "otherwise", "why"),
    [
        (0, lambda shop, _: shop.migrate("api", "api:41"), "image is api:42, not api:41"),
        (1, lambda shop, _: shop.migrate("checkout", "checkout:17"), "fixed by is nobody"),
        (2, lambda _, gauges: gauges.rush(90_000.0), "phase is responding"),
        (4, lambda shop, _: shop.keep_in_git("search"), '"plan roll back" was not told'),
    ],
    ids=lambda value: str(value) if isinstance(value, int) else "",
)
def test_in_another_world_a_story_does_not_end_as_told(
    number: int, otherwise: Callable[[Shop, Gauges], None], why: str
) -> None:
    """The alerts follow from what the cluster is: where a remedy does not help, none of them goes away."""
    (missing,) = told(STORIES[number], before=otherwise)
    assert why in missing


def test_two_pods_of_one_deployment_are_treated_once() -> None:
    story = STORIES[1]

    async def whole(loop: VirtualLoop) -> None:
        tale = Tale(loop)
        await tale.begin(story)
        assert await tale.go_on(story) == [""]
        number = tale.number(story)
        assert number is not None
        incident = tale.stage.incident(number)
        assert incident.firing.total == 2
        collected, restarted = tale.stage.told(number, "apply")
        assert collected.startswith("collected pods, events, logs")
        assert restarted == "deployment/checkout.shop restarts its pods"
        assert {past.target for past in incident.past} == {"main/shop/deployment/checkout"}
        tale.stage.kill()

    virtually(whole)


def detail_now(story: Story) -> tuple[IncidentDetail, list[Entry], tuple[str, int]]:
    """How a story has ended, for comparing it with changes."""

    async def whole(loop: VirtualLoop) -> tuple[IncidentDetail, list[Entry], tuple[str, int]]:
        tale = Tale(loop)
        await tale.begin(story)
        assert await tale.go_on(story) == [""]
        number = tale.number(story)
        assert number is not None
        detail = detail_of(tale.stage.incident(number), tale.stage.clock.now())
        stands = await tale.shop.stands(story.workload)
        tale.stage.kill()
        return detail, list(tale.stage.entries(number)), stands

    return virtually(whole)


def test_an_ending_compares_incident_timeline_and_cluster() -> None:
    story = STORIES[0]
    detail, entries, stands = detail_now(story)
    ending = story.ending
    assert ending.missing(detail, entries, stands) == ""
    assert ending.missing(detail, entries, ("api:42", 3)) == "image is api:42, not api:41"
    assert ending.missing(detail, entries, ("api:41", 1)) == "replicas is 1, not 3"
    assert ending.missing(detail, entries[::-1], stands).endswith("was not told"), "the order counts"
    others = {"fixed_by": "", "phase": "assessing", "paging": detail.paging.model_copy(update={"level": 2})}
    missing = ending.missing(detail.model_copy(update=others), entries, stands)
    assert missing == "phase is assessing, not resolved; level is 2, not 1; fixed by is nobody, not paramedic"


def test_the_stories_show_what_they_are_for() -> None:
    assert [story.ending.phase for story in STORIES] == ["resolved"] * 3 + ["assessing", "responding"]
    assert len({story.key for story in STORIES}) == len({story.workload for story in STORIES}) == len(STORIES) == 5


def test_its_people_may_do_what_they_do() -> None:
    people = bundle_of(demo_catalog()).people
    assert all("operator" in people[story.acknowledges].roles for story in STORIES if story.acknowledges)


def test_nothing_outside_this_machine_is_named() -> None:
    bundle = bundle_of(demo_catalog())
    assert not bundle.endpoints
    assert not bundle.communication
    assert {person.notifier for person in bundle.people.values()} == {"pagerduty", "log"}
    assert not [contact for person in bundle.people.values() for contact in person.contacts]
    assert "://" not in demo_catalog()


def test_the_record_of_a_story_can_be_read_again() -> None:
    """What is printed is what is stored: entries come back from their bytes as they are."""
    _, entries, _ = detail_now(STORIES[3])
    assert [msgspec.json.decode(msgspec.json.encode(entry), type=Entry) for entry in entries] == entries
