"""Situations of the lab in which the receiver fails: what a real Alertmanager then sends, and what becomes of it.

Promise 1: what was answered 2xx is never lost, and any doubt is answered 503. Promise 2: what is sent twice opens once.
The letters are the lab's. The times are what it measured.
"""

import asyncio

import pytest

from paramedic.engine.shell import Options
from paramedic.errors import Temporary
from tests.engine.stage import Stage, delivery_of, play
from tests.engine.texts import body
from tests.scenario.telling import (
    APART,
    TOGETHER,
    Came,
    Post,
    came,
    firing,
    give_back,
    keys,
    last,
    pages,
    post,
    refused,
    resolved,
    take_away,
    tell,
    until,
)

BRISK = Options(jitter=lambda seconds: seconds / 10, signs=3600.0, look=3600.0)
"""Comes back soon after an outage, so that the moment of the answer 200 is the lab's."""

ONCE = Came(opened=1, open=1, incidents=1, active=1, keys=keys(1), pages=pages(1))


def test_a_turned_away_at_the_door_and_then_taken() -> None:
    """400, 400, 200 at 3 s each: only the third body reaches the engine, with the first one's startsAt."""

    async def story(stage: Stage) -> None:
        await tell(stage, post(7.24, firing(1, 0.24)))
        await until(stage, 60.0)
        assert came(stage) == ONCE
        episode = next(iter(stage.disk.episodes.values()))
        assert (stage.incident(last(stage)).opened_at - episode.starts_at).total_seconds() == pytest.approx(
            7.0, abs=0.1
        )

    play(story, APART)


def test_b_what_was_refused_until_it_ended_was_never_known() -> None:
    """400 at the only attempt, then the alert ends: Alertmanager sends nothing any more."""

    async def story(stage: Stage) -> None:
        await until(stage, 3600.0)
        assert came(stage) == Came()
        assert stage.batches == []

    play(story, APART)


def test_b_had_it_been_answered_503_it_would_have_come() -> None:
    """A retry within seconds carries the old body: it fires, is treated, and the end comes with the next flush."""

    async def story(stage: Stage) -> None:
        take_away(stage)
        await tell(stage, refused(1.35, firing(1, 0.35)), refused(1.7, firing(1, 0.35)))
        give_back(stage)
        await tell(stage, post(4.0, firing(1, 0.35)), post(7.35, resolved(1, 0.35, 2.85)))
        await until(stage, 3600.0)
        assert came(stage) == Came(opened=1, incidents=1, keys=keys(1), pages=pages(1))
        assert stage.told(last(stage), "resolved")

    play(story, APART, options=BRISK)


def test_c_a_retried_body_is_frozen_and_the_alert_that_joined_comes_later() -> None:
    """503 for 12 s; what joined the group meanwhile stands only in the next flush, 30 s after the first."""
    attempts = [refused(at, firing(1, 0.34)) for at in (1.34, 1.72, 2.34, 3.40, 4.35, 7.86)]

    async def story(stage: Stage) -> None:
        take_away(stage)
        await tell(stage, *attempts)
        assert came(stage) == Came()
        await until(stage, 11.6)
        give_back(stage)
        await tell(stage, post(12.15, firing(1, 0.34)))
        await until(stage, 31.0)
        assert came(stage) == ONCE

        await tell(stage, post(31.34, firing(1, 0.34), firing(2, 3.34)))
        await until(stage, 60.0)
        assert came(stage) == Came(2, 2, 1, 1, keys=keys(1, runs=2), pages=pages(1))
        assert [call.path for call in stage.world.to("hook")] == ["/act?i=1", "/act?i=2"]

    play(story, TOGETHER, options=BRISK)


def test_c_a_slow_database_keeps_every_attempt_and_opens_once() -> None:
    """Each attempt is answered 503 after two seconds and is kept all the same when the database goes on."""

    async def story(stage: Stage) -> None:
        stage.store.gate = asyncio.Event()
        delivery = delivery_of(body(firing(1, 0.34)))
        attempts = []
        for at in (1.34, 1.72, 2.34, 3.40, 4.35, 7.86):
            await until(stage, at)
            attempts.append(asyncio.create_task(stage.engine.deliver(delivery)))
        answers = await asyncio.gather(*attempts, return_exceptions=True)
        assert [type(answer) for answer in answers] == [Temporary] * 6
        await until(stage, 12.0)
        stage.store.gate.set()
        await tell(stage, post(12.15, firing(1, 0.34)))
        await until(stage, 60.0)

        assert came(stage) == ONCE
        assert len(stage.disk.deliveries) == 7
        assert not stage.disk.todo

    play(story, APART)


def test_d_429_is_tried_again_only_at_the_next_flush() -> None:
    """`Retry-After` is ignored: 20 s are lost. Our own answer is 503, which is tried again within a second."""

    async def story(stage: Stage) -> None:
        take_away(stage)
        await tell(stage, refused(1.34, firing(1, 0.34)))
        give_back(stage)
        await tell(stage, post(1.72, firing(1, 0.34)), post(21.35, firing(1, 0.34)))
        await until(stage, 60.0)
        assert came(stage) == ONCE
        assert len(stage.world.to("hook")) == 1
        assert stage.world.to("hook")[0].at < 3.0

    play(story, APART, options=Options(jitter=lambda seconds: seconds / 100, signs=3600.0, look=3600.0))


def test_e_cut_off_and_sent_again_at_once() -> None:
    """The receiver hangs for 15 s and is cut off at 10 s: it takes the first body and the second."""
    first, again = post(1.32, firing(1, 0.32)), post(11.33, firing(1, 0.32))

    async def story(stage: Stage) -> None:
        await tell(stage, first, again)
        await until(stage, 60.0)
        assert came(stage) == ONCE
        assert len(stage.disk.deliveries) == 2

    play(story, APART)


def test_j_both_twins_deliver_when_the_outage_is_over() -> None:
    """503 for 12 s to a pair: two answers 200 for one notification, 4 s apart, with startsAt 1 ms apart."""
    one, two = firing(1, 2.776), firing(1, 2.777)
    ones = (4.88, 5.41, 5.93, 7.43, 8.33, 11.51)
    twos = (6.88, 7.31, 8.00, 8.91, 10.49)
    attempts = sorted(
        [*(refused(at, one) for at in ones), *(refused(at, two) for at in twos)], key=lambda each: each.at
    )

    async def story(stage: Stage) -> None:
        take_away(stage)
        await tell(stage, *attempts)
        await until(stage, 12.3)
        give_back(stage)
        await tell(stage, post(12.88, two), post(17.03, one))
        await until(stage, 60.0)
        assert came(stage) == ONCE

    play(story, APART, options=BRISK)


@pytest.mark.parametrize(
    ("posts", "moved"),
    [
        pytest.param([post(4.33, firing(1, 2.675)), post(6.33, firing(1, 2.677))], 1, id="the earlier start first"),
        pytest.param([post(4.33, firing(1, 2.677)), post(6.33, firing(1, 2.675))], 0, id="the later start first"),
    ],
)
def test_l_a_slow_answer_brings_the_twins_body_too(posts: list[Post], moved: int) -> None:
    """An answer after more than the peer timeout: both deliver. A start 2 ms later is written down, nothing more."""

    async def story(stage: Stage) -> None:
        await tell(stage, *posts)
        await until(stage, 60.0)
        assert came(stage) == ONCE
        assert sum("its start moved" in text for text in stage.told(last(stage), "alert")) == moved

    play(story, APART)


@pytest.mark.parametrize("outage", [0.5, 5.0, 60.0, 900.0])
def test_away_between_two_deliveries(outage: float) -> None:
    """The database goes and comes back while nobody writes: the next delivery finds it, or is sent once more."""

    async def story(stage: Stage) -> None:
        await tell(stage, post(1.0, firing(1, 0.0)))
        await until(stage, 30.0)
        take_away(stage)
        await until(stage, 30.0 + outage)
        give_back(stage)
        await tell(stage, post(40.0 + outage, resolved(1, 0.0, 25.0)))
        await until(stage, 7200.0)
        assert came(stage) == Came(opened=1, incidents=1, keys=keys(1), pages=came(stage).pages)
        assert stage.told(last(stage), "closed")

    play(story, APART)


@pytest.mark.parametrize("away", [3.0, 25.0, 200.0])
@pytest.mark.parametrize("idempotent", ["true", "false"])
def test_away_while_it_acts_and_what_it_came_to_is_not_forgotten(idempotent: str, away: float) -> None:
    """Promise 3: however long the database is away, the process knows what its own write came to.

    Also when the intent's deadline has passed by then, after which a write is taken for lost.
    """

    async def story(stage: Stage) -> None:
        await tell(stage, post(1.0, firing(1, 0.0)))
        take_away(stage)
        await tell(stage, *(refused(at, resolved(1, 0.0, 2.0)) for at in (2.0, 2.5, 3.4)))
        await until(stage, 1.0 + away)
        give_back(stage)
        await tell(stage, post(10.0 + away, resolved(1, 0.0, 2.0)))
        await until(stage, 7200.0)
        assert came(stage) == Came(opened=1, incidents=1, keys=keys(1), pages=pages(1))
        assert stage.outcome(1) == "done"
        assert stage.incident(1).fixed_by == "paramedic"
        assert not stage.told(1, "unknown")

    play(story, APART.replace("idempotent: true", f"idempotent: {idempotent}"))
