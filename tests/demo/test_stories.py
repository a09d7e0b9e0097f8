"""The demo's stories with the demo's own rules and playbooks, on the stage in virtual time: each ends as told."""

from importlib.resources import files
from typing import Any, cast

import pytest

from paramedic.core.words import Outcome
from paramedic.demo.monitor import Monitor
from paramedic.demo.stories import HOPELESS, STORIES, Ending, Story
from paramedic.plugin import Reply
from tests.engine.stage import Call, Stage, play
from tests.engine.texts import bundle_of, element


def demo_catalog() -> str:
    """All of the demo's files as one text."""
    source = files("paramedic.demo")
    texts = [file.read_text() for kind in ("rules", "playbooks") for file in sorted((source / kind).iterdir(), key=str)]
    return "\n---\n".join(texts).replace('"SHOP"', '"http://127.0.0.1:9"')


class Shop:
    """The shop without its port: what is restarted answers a second later, and its alert resolves."""

    def __init__(self, stage: Stage, monitor: "Sender", hopeless: frozenset[str]) -> None:
        self._stage, self._monitor, self._hopeless = stage, monitor, hopeless
        self._up_at: dict[str, float] = {}
        stage.world.answer = self.answer

    async def answer(self, call: Call) -> Reply:
        service = call.path.split("=")[1]
        if call.method == "POST" and service not in self._hopeless:
            self._up_at[service] = call.at + 1.0
        up = call.at >= self._up_at.get(service, float("inf"))
        return Reply(200 if up or call.method == "POST" else 503, {}, b"")

    async def heal(self) -> None:
        """Tell the monitor what answers by now."""
        for service in [one for one, at in self._up_at.items() if at <= self._stage.clock.monotonic()]:
            del self._up_at[service]
            self._up_at[service] = 0.0
            await self._monitor.resolve(service)


class Sender:
    """The demo's monitor, without HTTP in between."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._fires: dict[str, dict[str, Any]] = {}

    async def fire(self, alertname: str, job: str, severity: str, summary: str) -> None:
        labels = {"alertname": alertname, "namespace": "shop", "severity": severity}
        self._fires[job] = {**labels, "starts": self._stage.clock.now()}
        await self._stage.deliver(element(job, **self._fires[job]))

    async def resolve(self, job: str) -> None:
        if job in self._fires:
            await self._stage.deliver(element(job, **self._fires.pop(job), ends=self._stage.clock.now()))


async def ending(stage: Stage, story: Story, hopeless: frozenset[str] = HOPELESS) -> Ending:
    """Tell one story, for at most a minute; how it ended."""
    monitor = Sender(stage)
    shop = Shop(stage, monitor, hopeless)
    await story.breaks(cast(Monitor, monitor))
    for _ in range(240):
        await stage.pass_(0.25)
        await shop.heal()
        (number,) = stage.disk.incidents
        incident = stage.incident(number)
        run = incident.run
        if story.approves and run is not None and run.stage == "approval":
            await stage.act(number, "approve", who=story.approves, run=run.n)
        if story.acknowledges and incident.paging.level >= story.ending.levels and not incident.paging.acked_by:
            await stage.act(number, "ack", who=story.acknowledges)
        now = Ending(incident.phase, stage.outcome(number), incident.paging.level, incident.fixed_by)
        if now == story.ending and (not story.acknowledges or stage.incident(number).paging.acked_by):
            return now
    return Ending("over time", "-", 0)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.job)
def test_each_story_ends_as_told_within_ten_seconds(story: Story) -> None:
    async def told(stage: Stage) -> None:
        assert await ending(stage, story) == story.ending
        assert stage.clock.monotonic() < 10.0

    play(told, demo_catalog())


@pytest.mark.parametrize(
    ("job", "hopeless"), [("api", frozenset({"api"})), ("worker", frozenset({"worker"})), ("search", frozenset[str]())]
)
def test_in_another_world_a_story_does_not_end_as_told(job: str, hopeless: frozenset[str]) -> None:
    async def told(stage: Stage) -> None:
        story = next(one for one in STORIES if one.job == job)
        assert await ending(stage, story, hopeless) != story.ending

    play(told, demo_catalog())


def test_the_four_stories_show_four_outcomes() -> None:
    assert [story.ending.outcome for story in STORIES] == [
        Outcome.FIXED,
        Outcome.REFUSED,
        Outcome.FIXED,
        Outcome.INEFFECTIVE,
    ]
    assert [bool(story.approves) for story in STORIES] == [False, False, True, False]


def test_its_people_may_do_what_they_do() -> None:
    people = bundle_of(demo_catalog()).people
    for story in STORIES:
        if story.approves:
            assert "approver" in people[story.approves].roles
        if story.acknowledges:
            assert "operator" in people[story.acknowledges].roles


@pytest.mark.parametrize(
    ("ending_", "words"),
    [
        (Ending("resolved", "fixed", 1, fixed_by="paramedic"), "resolved, run fixed, 1 paged, by paramedic"),
        (Ending("assessing", "refused", 2), "assessing, run refused, 2 paged"),
    ],
)
def test_an_ending_in_words(ending_: Ending, words: str) -> None:
    assert ending_.words() == words


def test_nothing_outside_this_machine_is_named() -> None:
    bundle = bundle_of(demo_catalog())
    assert {endpoint.url for endpoint in bundle.endpoints.values()} == {"http://127.0.0.1:9"}
    assert {person.notifier for person in bundle.people.values()} == {"log"}
    assert "https://" not in demo_catalog()
