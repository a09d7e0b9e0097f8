"""Storms: a parent pages for incidents that neither page, post nor treat, until it is over and they go on."""

from dataclasses import replace
from datetime import timedelta

import pytest

from paramedic.core.acts import objection
from paramedic.core.bundle import Communication, Level, Tell
from paramedic.core.effects import Judge, Message, Page
from paramedic.core.events import Acted, Calm, Opened, Swell
from paramedic.core.model import Incident
from paramedic.core.storm import begins, begun, grown, per_minute, storm_key
from paramedic.core.words import Mode, Phase, Severity
from tests.core.builders import MINUTE, T0, bundle, firing, policy, resolved, rule
from tests.core.story import Story

PARENT = 900
COOL = 11 * MINUTE


def told_bundle() -> Story:
    """Incidents of three severities, of which `critical` has a policy of its own and `quiet` none; and an audience."""
    rules = (
        rule(severity=Severity.P2, communication="plan"),
        rule("worst", "Critical", severity=Severity.P0, escalation="critical", incident=("job",)),
        rule("quiet", "Quiet", severity=Severity.P1, escalation="", incident=("job",)),
    )
    world = bundle(rules=rules, policies=(policy(), policy("critical", levels=(Level(0.0, ("bob",)),))))
    plan = Communication("plan", (Tell("engineering", "slack"),))
    return Story(replace(world, communication={"plan": plan}))


def storm(story: Story | None = None, openings: int = 61, name: str = "errors") -> Story:
    """A storm has begun, with one child of this rule."""
    story = story or told_bundle()
    rule_ = story.bundle.rules.named(name)
    severity = rule_.severity if rule_ else None
    about = Swell(story.now, story.mode, openings, 1, severity=severity, rule=name, exemplars=("INC-1 it",))
    if PARENT not in story.incidents:
        story.fold(begun(PARENT, 5, "main", about, story.bundle), PARENT)
    story.fold(Swell(story.now, story.mode, openings, 1, True, severity, name, ("INC-1 it",)), PARENT)
    return story


def swell(story: Story, children: int = 1, severity: Severity = Severity.P2, name: str = "errors") -> None:
    story.fold(Swell(story.now, story.mode, 70, children, severity=severity, rule=name), PARENT)


def child(story: Story, job: str = "api") -> Incident:
    """One more incident, held back by the storm."""
    story.storm = (PARENT, 73)
    before = set(story.incidents)
    story.deliver(firing(job=job, starts=(story.now - T0).total_seconds()))
    (number,) = set(story.incidents) - before
    return story.incidents[number]


def parent(story: Story) -> Incident:
    return story.incidents[PARENT]


def pages(story: Story, number: int = PARENT) -> list[Page]:
    return [one for of, one in story.asked if of == number and isinstance(one, Page) and one.verb == "trigger"]


def texts(story: Story, number: int, kind: str = "") -> list[str]:
    return [entry.text for of, entry in story.entries if of == number and kind in ("", entry.kind)]


# -- how many are a storm --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("openings", "threshold", "storm"), [(60, 60, False), (61, 60, True), (2, 1, True), (10_000, 0, False)]
)
def test_more_than_the_threshold_is_a_storm_and_zero_is_never_one(openings: int, threshold: int, storm: bool) -> None:
    assert begins(openings, threshold) is storm


def test_half_as_many_go_on_in_a_minute() -> None:
    assert (per_minute(60), per_minute(1), per_minute(0)) == (30, 1, 30)


def test_the_key_of_a_parent_is_no_alerts() -> None:
    story = Story()
    story.deliver(firing(job="storm"), firing(name="HighErrorRate", job="{storm}"))

    assert storm_key("main") not in {one.key for one in story.incidents.values()}


# -- the parent ------------------------------------------------------------------------------------------------------


def test_the_parent_pages_once_by_the_policy_and_severity_of_its_child() -> None:
    story = storm()
    story.wait(5)

    assert (parent(story).severity, parent(story).kind) == (Severity.P2, "storm")
    (page,) = pages(story)
    assert (page.to, page.level) == ("alice", 1)
    assert "61 new incidents in a minute, more than 60" in page.text
    for _ in range(100):
        swell(story, 3)
    assert len(pages(story)) == 1


def test_a_worse_child_raises_it_and_its_policy_is_paged_at_once() -> None:
    story = storm()
    story.wait(5)
    swell(story, severity=Severity.P0, name="worst")
    story.wait(5)

    assert parent(story).severity is Severity.P0
    assert [page.to for page in pages(story)] == ["alice", "bob"]
    swell(story, severity=Severity.P0, name="worst")
    swell(story, severity=Severity.P2)
    story.wait(5)
    assert len(pages(story)) == 2
    assert len({page.dedup_key for page in pages(story)}) == 2


def test_a_worse_child_is_paged_also_where_somebody_has_the_storm() -> None:
    story = storm()
    story.wait(5)
    story.act("alice", "ack")
    swell(story, severity=Severity.P0, name="worst")
    story.wait(5)

    assert [page.to for page in pages(story)] == ["alice", "bob"]


def test_a_child_whose_rule_pages_nobody_does_not_silence_the_storm() -> None:
    story = storm(name="quiet")
    story.wait(5)
    assert (parent(story).severity, pages(story)) == (Severity.P1, [])

    swell(story)
    story.wait(5)

    assert (parent(story).severity, [page.to for page in pages(story)]) == (Severity.P1, ["alice"])


def test_of_several_children_the_worst_that_pages_leads() -> None:
    story = told_bundle()
    made = [
        Opened(T0, Mode.AUTO, n, f"k{n}", 0, "main", f"it {n}", "b1", name, severity, storm=PARENT, openings=60 + n)
        for n, (name, severity) in enumerate(
            [("errors", Severity.P2), ("quiet", Severity.P1), ("errors", Severity.P3)] * 10, start=1
        )
    ]

    found = grown(made, story.bundle, T0, Mode.AUTO)

    assert (found.severity, found.rule, found.children, found.openings) == (Severity.P1, "errors", 30, 90)
    assert len(found.exemplars) == 20
    assert found.exemplars[0] == "INC-1 it 1"


def test_its_state_stays_small_whatever_comes() -> None:
    story = storm()
    for _ in range(300):
        story.wait(1)
        story.fold(Swell(story.now, story.mode, 999, 50, exemplars=tuple(f"INC-{n} x" for n in range(20))), PARENT)

    state = parent(story).storming
    assert state is not None
    assert (state.children, len(state.exemplars)) == (15_001, 20)
    assert len(state.recent) <= 13
    assert len(texts(story, PARENT, "storm")) < 15, "it says how many there are when they have doubled"
    assert [timer for timer in parent(story).timers if timer == "calm"] == ["calm"]


# -- over ------------------------------------------------------------------------------------------------------------


def test_it_is_over_when_there_were_few_for_ten_minutes() -> None:
    story = storm()
    story.wait(COOL - 1)
    assert parent(story).phase is Phase.DETECTED

    story.wait(2)

    assert (parent(story).phase, parent(story).fixed_by) == (Phase.RESOLVED, "the storm passed")
    assert "fewer than 30 new incidents a minute" in texts(story, PARENT, "storm")[-1]
    assert [page.verb for page in story.all_of(Page)][-1] == "resolve"


@pytest.mark.parametrize(("a_minute", "lasts"), [(30, True), (29, False)])
def test_half_as_many_as_it_takes_keep_it_up(a_minute: int, lasts: bool) -> None:
    story = storm()
    for _ in range(20):
        story.wait(60)
        if parent(story).phase is Phase.RESOLVED:
            break
        swell(story, a_minute)

    assert (parent(story).phase is not Phase.RESOLVED) is lasts


def test_what_comes_late_does_not_begin_it_again() -> None:
    story = storm()
    story.wait(COOL + 1)
    swell(story, 5)
    story.wait(5)

    assert parent(story).phase is Phase.RESOLVED
    assert len(pages(story)) == 1


def test_within_the_quiet_time_it_begins_again_and_pages_again() -> None:
    story = storm()
    story.wait(COOL + 60)
    storm(story)
    story.wait(5)

    assert parent(story).phase is Phase.DETECTED
    assert len({page.dedup_key for page in pages(story)}) == 2
    assert "again" in texts(story, PARENT, "storm")[-1]
    story.wait(COOL + 1)
    assert parent(story).phase is Phase.RESOLVED


def test_a_person_closes_it() -> None:
    story = storm()
    story.wait(5)
    story.act("alice", "close")
    story.wait(5)

    assert parent(story).phase is Phase.RESOLVED
    assert parent(story).fixed_by == "closed by hand"
    story.send_all()
    story.wait(90 * MINUTE)
    assert not parent(story).open


# -- the children ----------------------------------------------------------------------------------------------------


def test_a_child_neither_pages_posts_nor_treats() -> None:
    story = storm()
    one = child(story)
    story.wait(20 * MINUTE)

    kept = story.incidents[one.id]
    assert (kept.storm, kept.run, len(kept.candidates)) == (PARENT, None, 1)
    assert not [effect for of, effect in story.asked if of == one.id]
    assert texts(story, one.id, "held back") == ["storm INC-900 (73 new incidents in a minute)"]
    assert set(kept.timers) == {"expiry"}


def test_without_a_storm_the_same_alert_pages_posts_and_treats() -> None:
    story = told_bundle()
    story.deliver(firing())
    story.wait(5)

    assert {type(effect) for _, effect in story.asked} >= {Judge, Page, Message}


def test_a_rule_that_is_exempt_is_never_held_back() -> None:
    story = Story(bundle(rules=(rule(storm=False),)))
    story.storm = (PARENT, 73)
    story.deliver(firing())

    assert story.incident.storm is None
    assert story.incident.run is not None


def test_when_it_is_over_a_child_that_fires_goes_on_after_its_wait() -> None:
    story = storm()
    one = child(story)
    story.fold(Calm(story.now, story.mode, 90.0), one.id)
    story.wait(89)
    assert not [effect for of, effect in story.asked if of == one.id]

    story.wait(2)

    kept = story.incidents[one.id]
    assert (kept.storm, kept.candidates) == (None, ())
    assert kept.run is not None
    assert [effect for of, effect in story.asked if of == one.id and isinstance(effect, Judge)]
    story.wait(5)
    assert [page.to for page in pages(story, one.id)] == ["alice"]
    assert any(of == one.id and isinstance(effect, Message) for of, effect in story.asked)


def test_a_child_that_has_resolved_is_closed_without_a_word() -> None:
    story = storm()
    one = child(story)
    story.wait(10)
    story.deliver(resolved(20, 0, job="api"))
    assert story.incidents[one.id].phase is Phase.RESOLVED

    story.fold(Calm(story.now, story.mode, 1.0), one.id)
    story.wait(2)

    assert not story.incidents[one.id].open
    assert not [effect for of, effect in story.asked if of == one.id]


def test_a_child_that_comes_back_during_the_storm_stays_held_back() -> None:
    story = storm()
    one = child(story)
    story.wait(10)
    story.deliver(resolved(5, 0, job="api"))
    story.wait(10)
    story.deliver(firing(12, job="api"))
    story.wait(60)

    assert story.incidents[one.id].phase is Phase.DETECTED
    assert not [effect for of, effect in story.asked if of == one.id]


@pytest.mark.parametrize("what", ["escalate", "take", "ack", "snooze"])
def test_a_person_takes_a_child_out_of_it(what: str) -> None:
    story = storm()
    one = child(story)
    asked = Acted(story.now, Mode.AUTO, "bob", what, until=story.now + timedelta(hours=1))
    assert objection(one, asked, story.bundle) == ""
    story.act("bob", what, until=asked.until)

    kept = story.incidents[one.id]
    assert kept.storm is None
    assert (kept.run is None) is (what == "take"), "who takes it over treats it"
    assert [page.to for page in pages(story, one.id)] == (["alice"] if what == "escalate" else [])
    assert texts(story, one.id, "storm") == ["taken out of storm INC-900"]
    before = story.incidents[one.id].run
    story.fold(Calm(story.now, story.mode, 0.0), one.id)
    story.wait(1)
    assert story.incidents[one.id].run == before


def test_a_note_leaves_a_child_where_it_is() -> None:
    story = storm()
    one = child(story)
    story.act("bob", "note", text="seen it")

    assert story.incidents[one.id].storm == PARENT
