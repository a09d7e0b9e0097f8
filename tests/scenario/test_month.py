"""A month of a busy service: repeats every four hours, incidents daily, and nothing that grows without end.

Promise 8: every chain verifies. Promise 9: folding the recorded events gives the stored state (`play` checks both).
"""

from datetime import timedelta

from paramedic.core.claims import LONGEST
from paramedic.engine.holdings import Holdings
from tests.engine.stage import Stage, play
from tests.scenario.telling import APART, Post, came, firing, left_behind, post, resolved, tell, until

DAY, HOUR = 86_400.0, 3600.0
DAYS = 30

BUDGETED = APART.replace("defaults: none", "defaults: none\nguards: [budget: {max: 20, per: 1d}, cooldown: {for: 10m}]")


def month() -> list[Post]:
    """Each day one incident that ends; one that lasts all month and is repeated; one silenced that never ends."""
    posts = [post(60.0 + n * 4 * HOUR, firing("always", 0.0)) for n in range(DAYS * 6)]
    for day in range(DAYS):
        began = day * DAY + 9 * HOUR
        daily = f"daily-{day % 7}"
        posts += [
            post(began + 30.0, firing(daily, began)),
            post(began + 330.0, firing(daily, began), firing(f"once-{day}", began + 300.0)),
            post(began + 900.0, resolved(daily, began, began + 890.0), firing(f"once-{day}", began + 300.0)),
            post(
                began + 1300.0,
                resolved(daily, began, began + 890.0),
                resolved(f"once-{day}", began + 300.0, began + 1290.0),
            ),
        ]
        if day % 10 == 0:
            posts.append(post(began + 7200.0, firing(f"silenced-{day}", began + 7000.0)))
    return sorted(posts, key=lambda one: one.at)


def holdings(stage: Stage) -> Holdings:
    """What the process holds in memory."""
    shell = stage.engine._shell
    assert shell is not None
    return shell.holdings


def test_a_month_of_a_busy_service() -> None:
    async def story(stage: Stage) -> None:
        await tell(stage, *month())
        await until(stage, DAYS * DAY)

        now = came(stage)
        assert now.opened == 1 + 2 * DAYS + 3
        assert now.incidents == 1 + 2 * DAYS + 3
        assert now.open == 1
        assert [row.title for row in stage.disk.incidents.values() if row.open] == ["X"]
        assert len(now.keys) == len(set(now.keys)) == now.incidents
        assert left_behind(stage) == []

        held = holdings(stage)
        assert len(held.incidents) == len(held.keys) == 1
        assert not held.effects
        assert not held.under_way
        assert not held.blocked
        assert not any(held.waiting.values())
        assert not held.ledger.held
        assert held._live_timers == set(stage.disk.timers)
        assert len(held._timers) < 100
        assert len(held.bundles) == 1

        first = stage.clock.now() - LONGEST - timedelta(hours=2)
        uses = [use for uses in held.ledger.used.values() for use in uses]
        assert uses
        assert min(use.at for use in uses) >= first

    play(story, BUDGETED)


def test_a_month_and_nothing_happens() -> None:
    """An incident that is acknowledged and repeated all month: its timeline does not grow with the repeats."""

    async def story(stage: Stage) -> None:
        await tell(stage, post(60.0, firing("always", 0.0)))
        await stage.act(1, "ack")
        entries = len(stage.entries(1))
        await tell(stage, *(post(60.0 + n * 4 * HOUR, firing("always", 0.0)) for n in range(1, DAYS * 6)))
        assert came(stage).open == 1
        assert stage.incident(1).numbered < 400
        about_alerts = stage.told(1, "alert")
        assert about_alerts == ["X is firing"]
        assert len(stage.entries(1)) - entries < 3 * 24 * DAYS

    play(story, APART)


def test_a_person_closes_what_fires_and_its_repeats_come_back_without_a_run() -> None:
    """Closed by hand while it fires: the next repeat reopens and pages; nothing is treated a second time."""

    async def story(stage: Stage) -> None:
        await tell(stage, post(60.0, firing(1, 0.0)))
        await until(stage, 120.0)
        await stage.act(1, "close")
        await until(stage, 2 * HOUR)
        assert not stage.disk.open
        await tell(stage, post(4 * HOUR, firing(1, 0.0)))
        await until(stage, 4 * HOUR + 60.0)
        assert came(stage).incidents == 2
        assert len(came(stage).keys) == 1
        assert stage.incident(2).previous == 1
        assert came(stage).pages[-1] == "INC-2/1/1"

    play(story, APART)
