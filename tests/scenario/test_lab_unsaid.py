"""Situations of the lab in which Alertmanager never says that an alert is over, or that it came back.

Absence from a body is not an end. What nobody confirms expires, twice the longest silence after it was last seen.
The letters are the lab's. The times are what it measured.
"""

import pytest

from tests.engine.stage import Stage, play
from tests.scenario.telling import (
    APART,
    TOGETHER,
    Came,
    Post,
    came,
    firing,
    keys,
    left_behind,
    pages,
    post,
    resolved,
    tell,
    until,
)

SHORT = "sources: [{name: default, repeat: 20m, group_interval: 1m}]\n"
EXPIRY = 2 * 21 * 60.0
"""What SHORT comes to, in seconds; written sightings may be a quarter of it old, so it lapses by 1.25 times that."""

LAPSED = EXPIRY * 1.25

CLOSED = LAPSED + 15 * 60.0
"""When the incident's quiet time is over too."""

ENDED = Came(opened=1, incidents=1, keys=keys(1), pages=pages(1, levels=2))


@pytest.mark.parametrize(
    "last_seen",
    [
        pytest.param(1.12, id="f: resolved while silenced"),
        pytest.param(1.11, id="u: resolved while inhibited"),
        pytest.param(1.13, id="o: resolved while Alertmanager was down"),
    ],
)
def test_f_o_u_an_end_that_is_never_sent(last_seen: float) -> None:
    """One firing and then nothing, ever: it stays open until it expires, and only then is it over."""

    async def story(stage: Stage) -> None:
        await tell(stage, post(last_seen, firing(1, 0.0)))
        await until(stage, last_seen + LAPSED - 1.0)
        assert came(stage) == Came(1, 1, 1, 1, keys=keys(1), pages=pages(1, levels=2))

        await until(stage, last_seen + CLOSED + 1.0)
        assert came(stage) == ENDED
        assert stage.told(1, "alert")[-1] == "X not confirmed in time and taken as over"
        assert not stage.disk.open
        assert left_behind(stage) == []

    play(story, SHORT + APART)


def test_u_the_source_that_inhibits_ends_and_its_target_does_not() -> None:
    """The target's resolved is never sent; the source's is. Only the source's incident is over."""

    async def story(stage: Stage) -> None:
        await tell(
            stage,
            post(1.11, firing("tgt", 0.11)),
            post(4.11, firing("src", 3.11)),
            post(16.11, resolved("src", 3.11, 13.11)),
        )
        await until(stage, 60.0)
        assert came(stage) == Came(2, 1, 2, 1, keys=keys(1, 2), pages=pages(1, 2))
        assert stage.incident(1).phase != "resolved"
        assert stage.incident(2).phase == "resolved"

    play(story, SHORT + APART)


def test_f_a_silenced_alert_that_still_fires_is_seen_again_when_the_silence_ends() -> None:
    """It expired meanwhile: a repeat with the old start reopens the episode, pages again, and starts no run."""

    async def story(stage: Stage) -> None:
        await tell(stage, post(1.12, firing(1, 0.12)))
        await until(stage, LAPSED + 60.0)
        assert came(stage) == ENDED

        await tell(stage, post(LAPSED + 100.0, firing(1, 0.12)))
        await until(stage, LAPSED + 160.0)
        assert came(stage) == Came(
            opened=1, open=1, incidents=1, active=1, keys=keys(1), pages=(*pages(1, levels=2), "INC-1/2/1")
        )
        assert stage.told(1, "alert")[-1] == "X is firing again; it never ended for us"

    play(story, SHORT + APART)


def test_f_a_repeat_after_the_quiet_time_is_a_new_incident_without_a_run() -> None:
    """The first one is closed: the alert, which never ended for us, opens another that links it and only pages."""

    async def story(stage: Stage) -> None:
        await tell(stage, post(1.12, firing(1, 0.12)))
        await until(stage, CLOSED + 60.0)
        assert not stage.disk.open
        await tell(stage, post(CLOSED + 100.0, firing(1, 0.12)))
        await until(stage, CLOSED + 160.0)
        assert came(stage) == Came(1, 1, 2, 1, keys=keys(1), pages=(*pages(1, levels=2), *pages(2)))
        assert stage.incident(2).previous == 1

    play(story, SHORT + APART)


def test_f_a_real_refire_after_expiry_is_a_new_episode_and_is_treated() -> None:
    async def story(stage: Stage) -> None:
        await tell(stage, post(1.12, firing(1, 0.12)))
        await until(stage, CLOSED + 60.0)
        await tell(stage, post(CLOSED + 100.0, firing(1, CLOSED + 90.0)))
        await until(stage, CLOSED + 160.0)
        assert came(stage) == Came(2, 1, 2, 1, keys=keys(1, 2), pages=(*pages(1, levels=2), *pages(2)))

    play(story, SHORT + APART)


def test_repeats_keep_it_from_expiring() -> None:
    """Seen every 20 minutes for two days; it expires only after the last time."""
    repeats = [post(1.0 + n * 1200.0, firing(1, 0.0)) for n in range(2 * 72)]

    async def story(stage: Stage) -> None:
        await tell(stage, *repeats)
        assert came(stage).open == 1
        await until(stage, repeats[-1].at + EXPIRY - 1.0)
        assert came(stage).open == 1
        await until(stage, repeats[-1].at + LAPSED + 1.0)
        assert came(stage) == ENDED

    play(story, SHORT + APART)


def test_a_group_expires_alert_by_alert() -> None:
    """One alert is repeated and the other is not: only the other one is taken as over, and the incident goes on."""

    async def story(stage: Stage) -> None:
        both = post(1.0, firing(1, 0.0), firing(2, 0.0))
        await tell(stage, both, *(post(n * 1200.0, firing(1, 0.0)) for n in range(1, 8)))
        assert came(stage) == Came(2, 1, 1, 1, keys=keys(1, runs=2), pages=pages(1, levels=2))
        assert stage.incident(1).firing.open == 1
        assert stage.told(1, "alert").count("X not confirmed in time and taken as over") == 1

    play(story, SHORT + TOGETHER)


@pytest.mark.parametrize(
    "told", [pytest.param(False, id="g: nothing is sent"), pytest.param(True, id="a later repeat")]
)
def test_g_an_end_and_a_refire_between_two_flushes(told: bool) -> None:
    """A flap nobody tells us of moves startsAt by 3.5 s: the same episode goes on, and nothing is done twice."""
    flap: list[Post] = [post(1.22, firing(1, 0.0))]
    if told:
        flap.append(post(17.22, firing(1, 3.503)))

    async def story(stage: Stage) -> None:
        await tell(stage, *flap)
        await until(stage, 60.0)
        assert came(stage) == Came(1, 1, 1, 1, keys=keys(1), pages=pages(1))
        assert sum("its start moved" in text for text in stage.told(1, "alert")) == int(told)

    play(story, APART)


def test_g_after_a_flap_only_an_end_of_the_later_start_closes() -> None:
    """The end that belongs to the start before the flap is late: it closes nothing."""

    async def story(stage: Stage) -> None:
        await tell(stage, post(1.22, firing(1, 0.0)), post(9.22, firing(1, 3.5)), post(12.0, resolved(1, 0.0, 2.5)))
        assert came(stage).open == 1
        await tell(stage, post(30.0, resolved(1, 3.5, 25.0)))
        assert came(stage) == Came(1, 0, 1, 0, keys=keys(1), pages=pages(1))

    play(story, APART)


def test_h_what_max_alerts_cuts_off_is_never_heard_of() -> None:
    """Two alerts, one in each body: the second is neither known nor missed, and the first one's end closes all."""

    async def story(stage: Stage) -> None:
        await tell(
            stage,
            post(1.23, firing(1, 0.206)),
            post(4.23, firing(1, 0.206)),
            post(10.24, resolved(1, 0.206, 8.213)),
        )
        await until(stage, 7200.0)
        assert came(stage) == Came(opened=1, incidents=1, keys=keys(1), pages=pages(1))
        assert [episode.labels["i"] for episode in stage.disk.episodes.values()] == ["1"]

    play(story, TOGETHER)
