"""Deliveries out of order, repeated, or without what belongs before them: the end is as if all had come in order."""

from itertools import permutations

import pytest

from tests.engine.stage import Stage, play
from tests.scenario.telling import APART, Came, Element, Post, came, firing, keys, pages, post, resolved, tell, until

FIRST = (firing(1, 0.0), resolved(1, 0.0, 10.0))
SECOND = (firing(1, 20.0), resolved(1, 20.0, 30.0))


def at_steps(*elements: Element, step: float = 5.0) -> list[Post]:
    """One POST for each element, a few seconds apart."""
    return [Post(100.0 + place * step, (element,)) for place, element in enumerate(elements)]


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_two_episodes_in_every_order_end_closed(order: tuple[int, ...]) -> None:
    """However their four bodies arrive: nothing is open at the end, no key is sent twice, no page is left open."""
    elements = [*FIRST, *SECOND]

    async def story(stage: Stage) -> None:
        await tell(stage, *at_steps(*(elements[place] for place in order)))
        await until(stage, 130.0)
        assert came(stage).open == 0
        assert came(stage).opened <= 2
        assert came(stage).incidents <= 1
        sent = [call.key for call in stage.world.to("hook")]
        assert len(sent) == len(set(sent)) <= 2
        triggered = {call.body["dedup_key"] for call in stage.world.pages()}
        assert triggered == {call.body["dedup_key"] for call in stage.world.pages("resolve")}

    play(story, APART)


def test_resolved_before_firing_is_a_doubt_from_its_first_moment() -> None:
    """The end overtook the beginning. The firing that follows may be real: after two minutes a person is told."""

    async def story(stage: Stage) -> None:
        await tell(stage, post(11.0, resolved(1, 0.0, 10.0)))
        assert came(stage) == Came()
        await tell(stage, post(14.0, firing(1, 0.0)))
        await until(stage, 14.0 + 119.0)
        assert came(stage) == Came(incidents=1, active=1)
        await until(stage, 14.0 + 180.0)
        assert came(stage) == Came(open=1, incidents=1, active=1, pages=pages(1))
        assert stage.incident(1).past == ()

    play(story, APART)


def test_resolved_before_firing_and_the_other_twin_answers() -> None:
    """The other twin's end comes within two minutes: nobody is disturbed, and nothing is left."""

    async def story(stage: Stage) -> None:
        await tell(
            stage, post(11.0, resolved(1, 0.0, 10.0)), post(14.0, firing(1, 0.0)), post(28.0, resolved(1, 0.0, 10.0))
        )
        await until(stage, 3600.0)
        assert came(stage) == Came(incidents=1)
        assert not stage.disk.open

    play(story, APART)


def test_resolved_before_firing_and_then_a_real_one() -> None:
    async def story(stage: Stage) -> None:
        await tell(stage, post(11.0, resolved(1, 0.0, 10.0)), post(14.0, firing(1, 0.0)), post(40.0, firing(1, 30.0)))
        await until(stage, 90.0)
        assert came(stage) == Came(1, 1, 1, 1, keys=keys(1), pages=pages(1))

    play(story, APART)


def test_an_end_repeated_in_later_notifications_of_the_group_closes_once() -> None:
    over = resolved(1, 0.0, 20.0)

    async def story(stage: Stage) -> None:
        await tell(stage, post(5.0, firing(1, 0.0)), *(post(25.0 + n, over, firing(f"other-{n}", n)) for n in range(9)))
        await until(stage, 120.0)
        assert stage.told(1, "alert") == ["X is firing", "X resolved"]
        assert stage.told(1, "resolved") == ["fixed by paramedic in 20s"]
        assert came(stage).opened == 10

    play(story, APART)


def test_both_states_of_an_alert_in_one_body() -> None:
    """The element that comes later in the body counts as later; nothing is left open."""

    async def story(stage: Stage) -> None:
        await tell(
            stage,
            post(30.0, firing(1, 0.0), resolved(1, 0.0, 20.0)),
            post(60.0, resolved(2, 0.0, 20.0), firing(2, 40.0)),
        )
        await until(stage, 90.0)
        assert came(stage).open == 1
        assert [episode.labels["i"] for episode in stage.disk.episodes.values() if episode.open] == ["2"]

    play(story, APART)


def test_an_alert_that_ends_before_anything_is_written_is_not_treated() -> None:
    """Fired and ended within one body: told and resolved, and nothing is done about it."""

    async def story(stage: Stage) -> None:
        await tell(stage, post(30.0, firing(1, 0.0), resolved(1, 0.0, 20.0)))
        await until(stage, 90.0)
        assert stage.world.to("hook") == []
        assert stage.incident(1).phase == "resolved"

    play(story, APART)


def test_a_body_of_an_hour_ago_closes_nothing_that_began_since() -> None:
    """Retried for an hour behind a broken proxy: its end lies before the start that we know."""

    async def story(stage: Stage) -> None:
        await tell(stage, post(3600.0, firing(1, 3590.0)), post(3660.0, resolved(1, 0.0, 60.0)))
        await until(stage, 3700.0)
        assert came(stage) == Came(1, 1, 1, 1, keys=keys(1), pages=pages(1))

    play(story, APART)


def test_a_firing_from_the_future_and_one_from_long_ago() -> None:
    """Clocks differ: a start tomorrow opens as any other, and its end closes it; a start last year too."""

    async def story(stage: Stage) -> None:
        await tell(stage, post(10.0, firing(1, 86400.0), firing(2, -31_536_000.0)))
        await tell(stage, post(60.0, resolved(1, 86400.0, 86450.0), resolved(2, -31_536_000.0, 55.0)))
        await until(stage, 3600.0)
        assert came(stage) == Came(2, 0, 2, 0, keys=keys(1, 2), pages=pages(1, 2))

    play(story, APART)
