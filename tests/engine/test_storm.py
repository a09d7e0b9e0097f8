"""A storm of incidents: one parent pages, its children wait, and go on in the end.

Held here: children neither page nor write, the parent pages once, nobody is forgotten.
"""

import asyncio

import pytest

from paramedic.core.storm import storm_key
from paramedic.core.words import Phase
from tests.engine.stage import Stage, play
from tests.engine.test_parked import Defect
from tests.engine.texts import catalog, element

SMALL = "sources: [{name: default, storm: 5}]\n"
TEXT = SMALL + catalog()
KEY = storm_key("default")
COOL = 11 * 60.0


async def burst(stage: Stage, first: int, count: int, *, at_once: bool = False) -> None:
    """So many incidents, in one delivery or in one each."""
    elements = [element(f"job{n}", starts=stage.clock.now()) for n in range(first, first + count)]
    for some in [elements] if at_once else [[one] for one in elements]:
        await stage.deliver(*some)


def parents(stage: Stage) -> list[int]:
    return [number for number, row in stage.disk.incidents.items() if row.key == KEY]


def children(stage: Stage) -> list[int]:
    """All that a storm holds back."""
    return [number for number in stage.disk.incidents if stage.incident(number).storm is not None]


def paged(stage: Stage) -> list[int]:
    """The incidents whose pages went out, in order."""
    return [int(call.body["dedup_key"].split("/")[0].removeprefix("INC-")) for call in stage.world.pages()]


def jobs(stage: Stage) -> list[str]:
    """What was written, in order."""
    return [call.path.split("=")[1] for call in stage.world.to("hook")]


def test_above_the_threshold_one_pages_for_all() -> None:
    async def story(stage: Stage) -> None:
        await burst(stage, 0, 5)
        await stage.pass_(5.0)
        assert parents(stage) == []
        await burst(stage, 5, 50)
        await stage.pass_(60.0)

        (parent,) = parents(stage)
        assert jobs(stage) == [f"job{n}" for n in range(5)], "the first ones are treated as ever"
        assert paged(stage).count(parent) == 1
        assert len(set(paged(stage)) - {parent}) == 5
        assert len(children(stage)) == 50
        assert stage.told(children(stage)[0], "held back") == [f"storm INC-{parent} (6 new incidents in a minute)"]
        storming = stage.incident(parent).storming
        assert storming is not None
        assert (storming.children, len(storming.exemplars)) == (50, 20)

    play(story, TEXT)


def test_one_delivery_may_be_a_storm_by_itself() -> None:
    async def story(stage: Stage) -> None:
        await burst(stage, 0, 150, at_once=True)
        await stage.pass_(30.0)

        assert (len(children(stage)), len(parents(stage)), len(jobs(stage))) == (145, 1, 5)

    play(story, TEXT)


def test_a_rule_that_is_exempt_is_never_part_of_one() -> None:
    async def story(stage: Stage) -> None:
        await burst(stage, 0, 50)
        await stage.pass_(10.0)

        assert (children(stage), parents(stage), len(jobs(stage))) == ([], [], 50)

    play(story, SMALL + catalog(rule="storm: off"))


def test_a_source_without_a_threshold_has_none() -> None:
    async def story(stage: Stage) -> None:
        await burst(stage, 0, 200)
        assert (children(stage), parents(stage)) == ([], [])

    play(story, TEXT.replace("storm: 5", "storm: 0"))


def test_slowly_is_no_storm() -> None:
    async def story(stage: Stage) -> None:
        for n in range(20):
            await burst(stage, n, 1)
            await stage.pass_(13.0)
        assert (children(stage), parents(stage)) == ([], [])

    play(story, TEXT)


def test_when_it_is_over_the_children_go_on_a_few_a_minute_and_the_resolved_ones_close_silently() -> None:
    async def story(stage: Stage) -> None:
        await burst(stage, 0, 25)
        await stage.pass_(5.0)
        held, (parent,) = children(stage), parents(stage)
        for n in range(15, 20):
            await stage.resolve(f"job{n}")
        await stage.pass_(COOL)
        assert stage.incident(parent).phase is Phase.RESOLVED
        before, pages = len(jobs(stage)), len(stage.world.pages())
        assert before == 5
        for _ in range(20):
            already = len(jobs(stage))
            await stage.pass_(60.0)
            assert len(jobs(stage)) - already <= 3, "half of the threshold in a minute, and one that had begun"

        assert sorted(jobs(stage)[5:]) == sorted(f"job{n}" for n in range(5, 25) if n not in range(15, 20))
        assert len(stage.world.pages()) - pages >= 15
        assert children(stage) == [number for number in held if not stage.incident(number).open]
        assert len(children(stage)) == 5
        assert not set(children(stage)) & set(paged(stage))
        assert stage.engine._shell is not None
        assert stage.engine._shell.holdings.storms.held == {}

    play(story, TEXT)


def test_it_outlives_the_process() -> None:
    """Who is held back stays so, and a new process still knows how many have just begun."""

    async def story(stage: Stage) -> None:
        await burst(stage, 0, 4)
        await stage.restart()
        await burst(stage, 4, 6)
        await stage.pass_(5.0)
        assert len(children(stage)) == 5
        await stage.restart()
        await burst(stage, 10, 1)
        await stage.pass_(20.0)
        assert len(children(stage)) == 6
        assert len(jobs(stage)) == 5

        await stage.pass_(COOL)
        await stage.restart()
        await stage.pass_(300.0)
        assert children(stage) == []
        assert len(jobs(stage)) == 11

    play(story, TEXT)


def test_a_person_closes_the_parent_and_what_comes_next_is_counted_anew() -> None:
    async def story(stage: Stage) -> None:
        await burst(stage, 0, 20)
        (parent,) = parents(stage)
        await stage.pass_(5.0)
        await stage.act(parent, "close")
        await burst(stage, 20, 5)
        await stage.pass_(40.0)
        assert len(children(stage)) < 15, "they go on"
        assert {f"job{n}" for n in range(20, 25)} <= set(jobs(stage)), "these are nobody's children"

        await burst(stage, 25, 1)
        await stage.pass_(5.0)
        assert (parents(stage), stage.incident(parent).phase) == ([parent], Phase.DETECTED)
        assert paged(stage).count(parent) == 2

    play(story, TEXT)


def test_a_storm_that_is_closed_in_the_moment_of_a_birth_does_not_begin_again() -> None:
    async def story(stage: Stage) -> None:
        await burst(stage, 0, 20)
        (parent,) = parents(stage)
        await stage.pass_(5.0)
        stage.store.gate = asyncio.Event()
        first = stage.loop.create_task(stage.deliver(element("other", starts=stage.clock.now())))
        await stage.loop.rest()  # under way; what follows makes one batch
        more = [
            stage.loop.create_task(burst(stage, 30, 1)),
            stage.loop.create_task(stage.act(parent, "close")),
        ]
        await stage.loop.rest()
        stage.store.gate.set()
        stage.store.gate = None
        await asyncio.gather(first, *more)
        await stage.pass_(5.0)

        assert stage.incident(parent).phase is Phase.RESOLVED
        assert paged(stage).count(parent) == 1
        await stage.pass_(COOL + 600.0)
        assert children(stage) == []
        assert len(jobs(stage)) == 22

    play(story, TEXT)


WORSE = TEXT.replace(
    "    escalation: sre\n",
    "    escalation: sre\n"
    "  - name: worse\n"
    "    match: ['alertname=\"Dead\"']\n"
    "    incident: [job]\n"
    "    severity: P0\n"
    "    playbook: act\n"
    '    with: {job: "${labels.job}", target: "${labels.job}"}\n'
    "    escalation: sre\n",
)


def test_a_child_that_becomes_worse_is_paged_for_by_its_parent() -> None:
    async def story(stage: Stage) -> None:
        await burst(stage, 0, 10)
        (parent,) = parents(stage)
        await stage.pass_(5.0)
        await stage.deliver(element("job9", alertname="Dead", starts=stage.clock.now()))
        await stage.pass_(5.0)

        assert stage.incident(parent).severity == "P0"
        to = [call.body["to"] for call in stage.world.pages() if call.body["incident"] == f"INC-{parent}"]
        assert to == ["alice", "alice"], "by the policy of the child, as it would page itself"
        assert len(stage.disk.incidents) == 11

    play(story, WORSE)


def test_a_child_is_as_bad_as_the_worst_alert_that_it_begins_with() -> None:
    async def story(stage: Stage) -> None:
        await burst(stage, 0, 5)
        now = stage.clock.now()
        await stage.deliver(element("job9", starts=now), element("job9", alertname="Dead", starts=now))
        await stage.pass_(5.0)

        (parent,) = parents(stage)
        assert stage.incident(parent).severity == "P0"
        assert paged(stage).count(parent) == 1

    play(story, WORSE)


def test_a_parent_that_cannot_be_decided_any_more_holds_nobody_back(monkeypatch: pytest.MonkeyPatch) -> None:
    Defect(monkeypatch)

    async def story(stage: Stage) -> None:
        await burst(stage, 0, 10)
        (parent,) = parents(stage)
        await stage.act(parent, "note", text="boom")
        await stage.pass_(300.0)

        assert stage.incident(parent).parked
        assert await stage.store.storms([KEY]) == {}
        assert children(stage) == []
        assert len(jobs(stage)) == 10

    play(story, TEXT, verified=False)


def test_a_person_takes_one_out_of_it() -> None:
    async def story(stage: Stage) -> None:
        await burst(stage, 0, 20)
        one, *_ = children(stage)
        await stage.act(one, "escalate")
        await stage.pass_(5.0)

        assert one in paged(stage)
        assert len(jobs(stage)) == 6
        await stage.pass_(COOL + 600.0)
        assert len(jobs(stage)) == 20

    play(story, TEXT)


def test_the_gauge_counts_what_lasts() -> None:
    async def story(stage: Stage) -> None:
        stage.options = stage.options.__class__(jitter=float, signs=1.0, look=3600.0)
        await stage.restart()
        await burst(stage, 0, 20)
        await stage.pass_(2.0)
        assert stage.report.of("storms")[-1] == (1,)
        await stage.pass_(COOL)
        assert stage.report.of("storms")[-1] == (0,)

    play(story, TEXT)
