"""Back after an hour: everything is overdue at once, and nothing stampedes.

Promise 6: every timer fires once, its lateness is recorded, an outage neither fires all levels at once nor stops the
climb. `tests/real/test_overdue.py` has three thousand of them on PostgreSQL.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence

from paramedic.engine.shell import Options
from tests.engine.stage import Call, Stage, play
from tests.engine.test_doubt import slow
from tests.engine.texts import catalog, element

INCIDENTS = 60
MINUTE = 60.0
LEVELS = """\
  - name: sre
    respond: 10m
    levels:
      - {after: 0s, page: [alice]}
      - {after: 15m, page: [bob]}
      - {after: 30m, page: [carol]}
      - {after: 45m, page: [dave]}
"""
CLIMBING = (
    catalog(rule="mode: off\n    storm: off")
    .replace("  - {name: sre, levels: [{after: 0s, page: [alice]}, {after: 5m, page: [bob]}]}\n", LEVELS)
    .replace(
        "  - {name: bob, webhook: pager}\n",
        "".join(f"  - {{name: {who}, webhook: pager}}\n" for who in ("bob", "carol", "dave")),
    )
)


async def away_for_an_hour(stage: Stage) -> None:
    """So many incidents have paged their first level when the process dies; an hour later there is another one."""
    await stage.deliver(*(element(f"job-{n}") for n in range(INCIDENTS)))
    await stage.pass_(5.0)
    assert len(stage.world.pages()) == INCIDENTS
    stage.kill()
    await stage.pass_(60 * MINUTE)
    stage.world.calls.clear()
    stage.report.told.clear()
    await stage.restart()


def levels(calls: Sequence[Call]) -> Counter[int]:
    """How many pages of each level."""
    return Counter(call.body["level"] for call in calls)


def test_each_incident_climbs_one_level_and_the_next_one_counts_from_there() -> None:
    async def story(stage: Stage) -> None:
        await away_for_an_hour(stage)
        back = stage.clock.monotonic()
        await stage.pass_(MINUTE)
        assert levels(stage.world.pages()) == {2: INCIDENTS}
        await stage.pass_(13 * MINUTE)
        assert levels(stage.world.pages()) == {2: INCIDENTS}
        await stage.pass_(3 * MINUTE)
        assert levels(stage.world.pages()) == {2: INCIDENTS, 3: INCIDENTS}
        await stage.pass_(60 * MINUTE)
        assert levels(stage.world.pages()) == {2: INCIDENTS, 3: INCIDENTS, 4: INCIDENTS}
        sent = {(call.body["dedup_key"]): call.at for call in stage.world.pages()}
        for number in stage.disk.incidents:
            second, third = sent[f"INC-{number}/1/2"] - back, sent[f"INC-{number}/1/3"] - back
            assert 15 * MINUTE <= third - second <= 16 * MINUTE

    play(story, CLIMBING, verified=False)


def test_each_timer_fires_once_and_says_how_late_it_is() -> None:
    async def story(stage: Stage) -> None:
        await away_for_an_hour(stage)
        await stage.pass_(MINUTE)
        late = [seconds for (seconds,) in stage.report.of("timer_fired")]
        assert len(late) == 2 * INCIDENTS  # the climb, and the answer that was due
        assert min(late) > 40 * MINUTE
        for number in stage.disk.incidents:
            said = stage.told(number, "timer")
            assert len(said) == 2
            assert all(" fired " in text and text.endswith("s late") for text in said)
            assert len(stage.told(number, "overdue")) == 1
        await stage.restart()
        await stage.pass_(MINUTE)
        assert len(stage.report.of("timer_fired")) == 2 * INCIDENTS

    play(story, CLIMBING, verified=False)


def test_deliveries_are_taken_between_them() -> None:
    """Half of each batch is for what comes in: nobody waits until all timers have fired."""

    async def story(stage: Stage) -> None:
        await away_for_an_hour(stage)
        began = len(stage.batches)
        await asyncio.gather(*(stage.deliver(element(f"new-{n}")) for n in range(20)))
        commits = len(stage.batches) - began
        fired = len(stage.report.of("timer_fired"))
        assert commits <= 4
        assert fired < 2 * INCIDENTS
        await stage.pass_(MINUTE)
        assert len(stage.report.of("timer_fired")) > 2 * INCIDENTS - 1
        assert levels(stage.world.pages()) == {1: 20, 2: INCIDENTS}

    play(story, CLIMBING, options=Options(jitter=float, signs=3600.0, batch=32), verified=False)


def test_who_has_not_been_paged_at_all_does_not_wait_behind_everybody_s_next_level() -> None:
    """The pager takes five seconds for a page: the queue of the levels that are due takes a while."""

    async def story(stage: Stage) -> None:
        await away_for_an_hour(stage)
        stage.world.answer = slow(stage, 5.0, "pager")
        await stage.pass_(0.1)
        number = await stage.fire("new")
        began = stage.clock.monotonic()
        await stage.pass_(5 * MINUTE)
        sent = [call for call in stage.world.pages() if call.body["dedup_key"] == f"INC-{number}/1/1"]
        assert [call.at - began <= 2 * 5.0 for call in sent] == [True]
        assert max(call.at for call in stage.world.pages()) - began > 2.5 * 5.0
        assert levels(stage.world.pages()) == {1: 1, 2: INCIDENTS}

    play(story, CLIMBING, verified=False)
