"""What an alert belongs to when rules differ, change, or are aimed at by hostile labels.

Promise 10: a run keeps the bundle it began with. Open episodes stay pinned to their incident when rules change.
"""

import pytest

from tests.engine.stage import Stage, play
from tests.engine.texts import bundle_of
from tests.scenario.telling import (
    APART,
    CATALOG,
    TOGETHER,
    Came,
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

SPLIT = CATALOG.replace("incident: [INCIDENT]", "incident: [alertname]").replace(
    "rules:\n",
    """rules:
  - name: urgent
    match: ['alertname="X"', 'severity="critical"']
    incident: [i]
    playbook: act
    with: {i: "urgent-${labels.i}"}
    escalation: sre
  - name: quiet
    match: ['alertname="X"', 'severity="info"']
    incident: [alertname, severity]
    playbook: act
    with: {i: "quiet"}
    mode: off
""",
)


def test_a_group_whose_alerts_match_different_rules() -> None:
    """One body, three rules: an incident for each alert of the first, one for all of the others; and one for nobody."""
    group = [
        firing(1, 0.0, severity="critical"),
        firing(2, 0.0, severity="critical"),
        firing(3, 0.0, severity="info"),
        firing(4, 0.0, severity="info"),
        firing(5, 0.0, severity="warning"),
        firing(6, 0.0, alertname="Other"),
    ]

    async def story(stage: Stage) -> None:
        await tell(stage, post(1.0, *group))
        await until(stage, 60.0)
        assert [row.rule for row in stage.disk.incidents.values()] == ["urgent", "urgent", "quiet", "x"]
        assert [str(row.severity) for row in stage.disk.incidents.values()] == ["P1", "P1", "P3", "P2"]
        assert [call.path for call in stage.world.to("hook")] == ["/act?i=urgent-1", "/act?i=urgent-2", "/act?i=5"]
        assert came(stage).opened == 6
        assert came(stage).pages == pages(1, 2, 4)
        assert stage.told(3, "refused") == ["act: the mode is off"]
        assert sum(episode.incident is None for episode in stage.disk.episodes.values()) == 1

    play(story, SPLIT)


def test_an_alert_whose_labels_change_is_another_alert() -> None:
    """A raised severity is a label: the old alert ends, the new one goes where its own rule says."""

    async def story(stage: Stage) -> None:
        await tell(
            stage,
            post(1.0, firing(1, 0.0, severity="warning")),
            post(31.0, resolved(1, 0.0, 30.0, severity="warning"), firing(1, 30.0, severity="critical")),
        )
        await until(stage, 90.0)
        assert came(stage) == Came(2, 1, 2, 1, keys=keys(1, 2), pages=pages(1, 2))
        assert [row.rule for row in stage.disk.incidents.values()] == ["x", "urgent"]

    play(story, SPLIT)


@pytest.mark.parametrize("changed", [APART, SPLIT, TOGETHER.replace("[alice]", "[bob]")])
def test_open_episodes_stay_where_they_are_when_rules_change(changed: str) -> None:
    """A repeat, a flap and the end of what fired before the change all go to the incident and bundle of then."""

    async def story(stage: Stage) -> None:
        await tell(stage, post(1.0, firing(1, 0.0), firing(2, 0.0)))
        await until(stage, 30.0)
        await stage.adopt(bundle_of(changed))
        await tell(stage, post(60.0, firing(1, 0.0), firing(2, 40.0)))
        assert came(stage) == Came(2, 2, 1, 1, keys=keys(1, runs=2), pages=pages(1))
        await tell(stage, post(90.0, resolved(1, 0.0, 80.0), resolved(2, 40.0, 80.0)))
        assert came(stage) == Came(2, 0, 1, 0, keys=keys(1, runs=2), pages=pages(1))
        assert stage.incident(1).bundle == stage.bundle.hash

    play(story, TOGETHER)


def test_the_second_level_is_the_one_of_the_policy_of_then() -> None:
    async def story(stage: Stage) -> None:
        await tell(stage, post(1.0, firing(1, 0.0)))
        await stage.adopt(bundle_of(APART.replace("page: [bob]", "page: [alice]")))
        await until(stage, 400.0)
        assert [call.body["to"] for call in stage.world.pages()] == ["alice", "bob"]
        await tell(stage, post(401.0, firing(2, 400.0)))
        await until(stage, 900.0)
        assert [call.body["to"] for call in stage.world.pages()] == ["alice", "bob", "alice", "alice"]

    play(story, APART)


def test_after_a_change_new_alerts_of_an_open_incident_go_by_the_rules_of_today() -> None:
    """The rule now makes an incident of each alert: what joins opens its own, what was there stays."""

    async def story(stage: Stage) -> None:
        await tell(stage, post(1.0, firing(1, 0.0)))
        await until(stage, 30.0)
        await stage.adopt(bundle_of(APART))
        await tell(stage, post(60.0, firing(1, 0.0), firing(2, 50.0)))
        await until(stage, 120.0)
        assert came(stage) == Came(2, 2, 2, 2, keys=keys(1, 2), pages=pages(1, 2))
        assert stage.incident(1).bundle != stage.incident(2).bundle

    play(story, TOGETHER)


def test_a_rule_that_is_gone_still_ends_what_it_began() -> None:
    async def story(stage: Stage) -> None:
        await tell(stage, post(1.0, firing(1, 0.0)))
        await stage.adopt(bundle_of(APART.replace('"X"', '"Z"')))
        await tell(stage, post(30.0, firing(1, 0.0), firing(2, 20.0)), post(60.0, resolved(1, 0.0, 50.0)))
        await until(stage, 7200.0)
        assert came(stage) == Came(2, 1, 1, 0, keys=keys(1), pages=pages(1))
        assert not stage.disk.open
        assert left_behind(stage) == []

    play(story, APART)


def test_a_restart_after_a_change_serves_old_incidents_by_their_old_bundle() -> None:
    async def story(stage: Stage) -> None:
        await tell(stage, post(1.0, firing(1, 0.0)))
        stage.bundle = bundle_of(TOGETHER)
        await stage.adopt(stage.bundle)
        await stage.restart()
        await until(stage, 5.0)
        await tell(stage, post(60.0, firing(1, 0.0), firing(2, 50.0)), post(90.0, resolved(1, 0.0, 80.0)))
        await until(stage, 7200.0)
        assert came(stage).incidents == 2
        assert came(stage).open == 1
        first, second = sorted(stage.disk.incidents)
        assert stage.told(first, "closed")
        assert stage.incident(second).bundle == bundle_of(TOGETHER).hash

    play(story, APART)


HOSTILE = [
    ('a",job="b', ""),
    ("a", '",job="b'),
    ("a}#", "b"),
    ("a", "}#b"),
    ("default{i=", "a"),
    ("a\\", '"b'),
    ('a\\",job=\\"', "b"),
    ("a,b", "c"),
    ("a", "b,c"),
    ("INC-1", "INC-1"),
    ("\u202ea", "a\u202e"),
    ("a\nb", "c"),
    ("a", "\nb c"),
    ("x" * 700, "a"),
    ("x" * 700, "b"),
    ("${labels.job}", "{{ i }}"),
    ("' OR 1=1 --", "$1"),
]


def test_no_labels_can_make_two_incidents_one() -> None:
    """Keys are quoted by name and value: what looks like another key's end is only a value. One incident each."""
    catalog = CATALOG.replace("[INCIDENT]", "[i, job]").replace('i: "${labels.i}"', 'i: "fixed"')
    group = [firing(one, 0.0, job=other) for one, other in HOSTILE]

    async def story(stage: Stage) -> None:
        await tell(stage, post(1.0, *group), post(2.0, *reversed(group)))
        await until(stage, 300.0)
        assert came(stage).opened == len(HOSTILE)
        assert came(stage).incidents == len(HOSTILE)
        assert len({row.key for row in stage.disk.incidents.values()}) == len(HOSTILE)
        assert all(row.title.isprintable() for row in stage.disk.incidents.values())
        assert all(
            entry.text.replace("\n", "").isprintable() for n in stage.disk.incidents for entry in stage.entries(n)
        )

    play(story, catalog)


@pytest.mark.parametrize(
    "hostile", ["../../etc", "a?b=c", "a#b", "a b", "a%2fb", "\u202e", "a\r\nHost: x", "", "a" * 600]
)
def test_no_label_can_leave_its_place_in_a_path_or_a_target(hostile: str) -> None:
    """What cannot stand where it is put is refused with a reason and told to a person; nothing else is asked for."""

    async def story(stage: Stage) -> None:
        await tell(stage, post(1.0, firing(hostile, 0.0)))
        await until(stage, 60.0)
        assert came(stage).incidents == 1
        assert len(came(stage).pages) == 1
        for call in stage.world.to("hook"):
            assert call.path.startswith("/act?i=")
            assert not set(call.path.removeprefix("/act?i=")) & set("/?#& \r\n")

    play(story, APART)
