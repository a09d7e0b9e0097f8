"""Situations of the lab in which Alertmanager says the same thing again, in other bodies, in bigger ones, or by a twin.

Promise 2: one episode opens once, however often it is delivered. The letters are the lab's, and so are the times.
"""

import msgspec
import pytest

from paramedic.engine.inputs import Delivery
from paramedic.intake.alertmanager import parse_body
from tests.engine.stage import Stage, play
from tests.engine.texts import body
from tests.scenario.telling import (
    APART,
    EXEMPT,
    TOGETHER,
    Came,
    Post,
    came,
    firing,
    keys,
    pages,
    post,
    resolved,
    tell,
    until,
)

ONCE = Came(opened=1, open=1, incidents=1, active=1, keys=keys(1), pages=pages(1))

SAID_AGAIN: list[tuple[str, list[Post]]] = [
    ("k: healthy twins send one", [post(4.68, firing(1, 3.768))]),
    ("m: killed and started again", [post(1.26, firing(1, 0.179)), post(4.36, firing(1, 0.179))]),
    ("n: stopped and started again", [post(1.13, firing(1, 0.580))]),
    ("s: the repeat interval", [post(at, firing(1, 0.301)) for at in (1.22, 7.22, 13.22, 19.24)]),
]


@pytest.mark.parametrize("posts", [pytest.param(posts, id=name) for name, posts in SAID_AGAIN])
def test_k_m_n_s_said_again_and_nothing_happens(posts: list[Post]) -> None:
    async def story(stage: Stage) -> None:
        await tell(stage, *posts)
        await until(stage, 60.0)
        assert came(stage) == ONCE
        assert len(stage.disk.deliveries) == len(posts)

    play(story, APART)


def test_m_after_a_restart_everything_that_fires_is_notified_again() -> None:
    """A storm of repetitions, 16 groups at once: no run, no page, not even a row but the delivery's."""
    groups = [post(1.0, *(firing(f"{group}-{n}", 0.0) for n in range(5))) for group in range(16)]

    async def story(stage: Stage) -> None:
        await tell(stage, *groups)
        await until(stage, 30.0)
        before, taken = came(stage), len(stage.batches)
        assert len(before.keys) == 80
        await tell(stage, *(Post(40.0, one.alerts) for one in groups))
        await until(stage, 60.0)
        assert came(stage) == before
        assert all(not batch.incidents and not batch.episodes for batch in stage.batches[taken:])

    play(story, EXEMPT)


def test_i_members_of_a_group_end_join_and_are_named_again() -> None:
    """The resolved one is listed once, then absent, then listed again: it ends once and opens never again."""
    one, three, four = firing(1, 0.328), firing(3, 0.328), firing(4, 8.338)
    posts = [
        post(1.23, one, firing(2, 0.328), three),
        post(4.22, one, resolved(2, 0.328, 3.334), three),
        post(10.23, one, three, four),
        post(16.23, one, resolved(2, 13.358, 13.358), three, four, firing(5, 13.36)),
    ]

    async def story(stage: Stage) -> None:
        opened = []
        for each in posts:
            await tell(stage, each)
            firing_now = stage.incident(1).firing
            opened.append((firing_now.open, firing_now.total))
        assert opened == [(3, 3), (2, 3), (3, 4), (4, 5)]
        await until(stage, 60.0)
        assert came(stage) == Came(5, 4, 1, 1, keys=keys(1, runs=5), pages=pages(1))
        assert [call.path for call in stage.world.to("hook")] == [f"/act?i={n}" for n in range(1, 6)]

    play(story, TOGETHER)


def test_r_the_other_webhook_fails_and_so_ours_hears_the_same_end_again() -> None:
    """The resolved alert is in every later body of the group: closed once, and never taken for a new one."""
    one, over = firing(1, 0.691), resolved(2, 0.691, 3.695)
    posts = [
        post(1.12, one, firing(2, 0.691)),
        post(4.12, one, over),
        post(10.12, one, over, firing(3, 8.697)),
        post(16.12, one, over, firing(3, 8.697), firing(4, 13.704)),
    ]

    async def story(stage: Stage) -> None:
        await tell(stage, *posts)
        await until(stage, 60.0)
        assert came(stage) == Came(4, 3, 4, 3, keys=keys(1, 2, 3, 4), pages=pages(1, 2, 3, 4))
        assert stage.told(2, "alert").count("X resolved") == 1

    play(story, APART)


def test_r_the_repeated_end_does_not_close_what_has_fired_anew() -> None:
    """Alert 2 fires again while the failed webhook still makes Alertmanager repeat its old end."""

    async def story(stage: Stage) -> None:
        await tell(
            stage,
            post(1.12, firing(2, 0.691)),
            post(4.12, resolved(2, 0.691, 3.695)),
            post(10.12, firing(2, 8.0)),
            post(16.12, resolved(2, 0.691, 3.695), firing(3, 13.0)),
        )
        await until(stage, 60.0)
        assert came(stage).opened == 3
        assert came(stage).open == 2
        assert stage.incident(1).recurrence == 1
        assert [call.key for call in stage.world.to("hook")][:2] == ["INC-1/1/1/1", "INC-1/2/1/1"]

    play(story, APART)


def test_t_a_reload_flushes_the_group_at_once() -> None:
    """Another alert has joined by then, with the same start: it is new, the other one is not."""
    posts = [post(0.11, firing(1, -120.0)), post(5.11, firing(1, -120.0), firing(2, -120.0))]

    async def story(stage: Stage) -> None:
        await tell(stage, *posts)
        await until(stage, 60.0)
        assert came(stage) == Came(2, 2, 2, 2, keys=keys(1, 2), pages=pages(1, 2))

    play(story, APART)


@pytest.mark.parametrize("count", [1000, 5000])
def test_p_one_group_of_thousands_is_one_incident_of_bounded_size(count: int) -> None:
    """One POST of 1.6 MB: counts and 20 exemplars are kept; treatments are bounded, and what is left out is told."""
    labels = {
        "instance": "host-01.example.internal:9100",
        "job": "node",
        "cluster": "prod-eu-1",
        "severity": "critical",
    }
    alerts = [firing(i, 0.0, **labels) for i in range(count)]

    async def story(stage: Stage) -> None:
        await tell(stage, Post(1.0, tuple(alerts)))
        await until(stage, 60.0)
        now = stage.incident(1)
        assert len(stage.disk.incidents) == 1
        assert (now.firing.open, now.firing.total) == (count, count)
        assert len(now.firing.exemplars) == 20
        assert len(msgspec.json.encode(now)) < 64 * 1024
        assert came(stage).opened == count
        assert came(stage).keys == keys(1, runs=19)
        assert [text.partition(":")[0] for text in stage.told(1, "refused")] == [
            "act on svc/19",
            "alerts beyond the first 20 treatments of a delivery ask for none of their own",
        ]
        assert came(stage).pages == pages(1)
        assert sum(len(batch.events) for batch in stage.batches) < 150

    play(story, TOGETHER)


def test_p_five_thousand_about_one_target_are_one_run() -> None:
    alerts = [firing(1, 0.0, instance=f"host-{n}") for n in range(5000)]

    async def story(stage: Stage) -> None:
        await tell(stage, Post(1.0, tuple(alerts)))
        await until(stage, 60.0)
        assert came(stage) == Came(5000, 5000, 1, 1, keys=keys(1), pages=pages(1))

        ended = tuple(resolved(1, 0.0, 50.0, instance=f"host-{n}") for n in range(5000))
        await tell(stage, Post(61.0, ended))
        assert came(stage) == Came(5000, 0, 1, 0, keys=keys(1), pages=pages(1))

    play(story, TOGETHER)


def test_q_the_shape_of_a_body_does_not_depend_on_its_receivers_name() -> None:
    """The receiver is quoted as a regular expression and the key of the group is Go's: neither is looked at."""
    text = body(firing(1, 0.0)).replace(b'"receiver": "paramedic"', rb'"receiver": "team\\.web-hook\\(eu\\)"')
    text = text.replace(b'"groupKey": "{}"', b'"groupKey": "{}:{alertname=\\"X\\"}", "truncatedAlerts": 0')
    parsed = parse_body("default", text)
    assert (parsed.receiver, parsed.group) == (r"team\.web-hook\(eu\)", '{}:{alertname="X"}')
    assert [alert.ends_at for alert in parsed.alerts] == [None]

    async def story(stage: Stage) -> None:
        await stage.engine.deliver(Delivery("default", text, parsed.alerts, parsed.rejected))
        await until(stage, 30.0)
        assert came(stage) == ONCE

    play(story, APART)
