"""What an incident makes of its alerts: when it treats, when it reopens, when it is over."""

import msgspec
import pytest

from paramedic.core.lifecycle import QUIET
from paramedic.core.routing import EXEMPLARS
from paramedic.core.words import Mode, Outcome, Phase, Severity
from tests.core.builders import (
    EXPIRY,
    HOUR,
    MINUTE,
    Given,
    after,
    book,
    bundle,
    firing,
    resolved,
    rule,
    verified,
)
from tests.core.story import Story, yes

EACH_POD = rule(with_={"workload": Given("${labels.pod}")})


# -- counting ---------------------------------------------------------------------------------------------------------


def test_an_incident_counts_what_fires() -> None:
    story = Story()
    story.deliver(firing(pod="a"), firing(pod="b"), firing(pod="c"))
    story.now = after(30)
    story.deliver(resolved(ends=20, pod="a"))

    firing_now = story.incident.firing

    assert (firing_now.open, firing_now.total, firing_now.cleared_at) == (2, 3, None)
    assert (firing_now.since, firing_now.seen_at) == (after(0), after(30))


def test_repeats_leave_no_trace() -> None:
    story = Story()
    story.deliver(firing())
    state, entries = story.incident, len(story.entries)

    story.now = after(60)
    story.deliver(firing(), firing())

    assert (story.incident, len(story.entries)) == (state, entries)


def test_a_fold_that_sees_firing_and_end_at_once_treats_nothing() -> None:
    story = Story()

    story.deliver(firing(), resolved(ends=5))

    assert (story.incident.phase, story.incident.runs, story.paged()) == (Phase.RESOLVED, 0, [])


def test_the_timeline_names_the_first_alerts_and_counts_the_rest() -> None:
    story = Story()
    story.deliver(*[firing(pod=str(n), severity="info") for n in range(30)])
    story.deliver(firing(namespace="shop"), resolved(ends=9, pod="3", severity="info"))

    one = "HighErrorRate api (info)"
    assert story.texts("alert") == [
        f"{one}, {one}, {one} and 27 more are firing",
        "HighErrorRate shop/api is firing",
        f"{one} resolved",
    ]


def test_what_an_alert_says_cannot_break_a_line() -> None:
    story = Story()

    story.deliver(firing(severity="x\ny\x1b[31m", job="a\nresolved: everything"))

    assert all(text.isprintable() for text in story.texts())
    assert story.incident.title.isprintable()


def test_severity_only_rises() -> None:
    story = Story()
    story.deliver(firing(pod="a", severity="warning"))
    story.deliver(firing(pod="b", severity="critical"))
    story.deliver(firing(pod="c", severity="info"))

    assert story.incident.severity is Severity.P1
    assert story.texts("severity") == ["raised from P2 to P1"]


# -- bounds -----------------------------------------------------------------------------------------------------------


def test_five_thousand_alerts_leave_a_bounded_state() -> None:
    """State holds counts and at most 20 exemplars, and says so on the timeline in a line or two."""
    story = Story()
    for start in range(0, 5000, 500):
        story.deliver(*[firing(pod=f"pod-{n}", node=f"node-{n}") for n in range(start, start + 500)])

    assert (story.incident.firing.open, len(story.incident.firing.exemplars)) == (5000, EXEMPLARS)
    assert len(msgspec.json.encode(story.incident)) < 16_000

    story.deliver(*[resolved(ends=60, pod=f"pod-{n}", node=f"node-{n}") for n in range(5000)])
    assert story.incident.phase is Phase.RESOLVED


def test_alerts_that_still_fire_are_kept_before_those_that_do_not() -> None:
    story = Story()
    story.deliver(*[firing(pod=f"old-{n}") for n in range(20)])
    story.deliver(*[resolved(ends=5, pod=f"old-{n}") for n in range(20)], firing(pod="new"))
    story.deliver(*[firing(pod=f"more-{n}") for n in range(10)])

    kept = story.incident.firing.exemplars

    assert sum(one.open for one in kept) == 11
    assert len(kept) == EXEMPLARS


def test_treatments_wait_in_a_bounded_queue_and_the_rest_is_told() -> None:
    """Promise 8: what is left out is on the timeline."""
    story = Story(bundle(rules=(EACH_POD,)))
    story.deliver(*[firing(pod=f"a{n}") for n in range(10)])
    story.deliver(*[firing(pod=f"b{n}") for n in range(30)])

    assert len(story.incident.candidates) == EXEMPLARS - 1
    kept = {one.identity for one in story.incident.firing.exemplars}
    assert {one.identity for one in story.incident.candidates} <= kept
    assert story.run.identity in kept
    assert story.said("restart on main/b19: 19 treatments wait already")
    assert story.said("alerts beyond the first 20 treatments of a delivery ask for none of their own")


def test_an_incident_starts_a_bounded_number_of_treatments() -> None:
    """It remembers 20 runs; a 21st could be one that it has forgotten."""
    story = Story(bundle(book(guards=()), rules=(EACH_POD,)))
    for n in range(22):
        story.deliver(firing(pod=str(n)))
        if story.incident.run is None:
            break
        story.judge()
        story.plan(needed=False)

    assert story.incident.runs == 20
    assert story.said("20 treatments were tried already")
    story.deliver(resolved(ends=5, pod="0"), firing(starts=6, pod="0"))
    assert story.incident.run is None


# -- the end, and coming back -----------------------------------------------------------------------------------------


def test_when_nothing_fires_the_incident_is_resolved_and_closed_after_its_quiet_time() -> None:
    story = Story()
    story.deliver(firing(pod="a"), firing(pod="b"))
    story.deliver(resolved(ends=30, pod="a"))
    assert story.incident.phase is Phase.ASSESSING
    story.now = after(60)

    story.deliver(resolved(ends=40, pod="b"))

    assert (story.incident.phase, story.incident.resolved_at, story.incident.open) == (Phase.RESOLVED, after(60), True)
    assert story.texts("resolved") == ["the alert cleared by itself after 1m"]
    story.wait(QUIET.total_seconds() - 1)
    assert story.open_incidents() == [1]
    story.wait(1)
    assert story.open_incidents() == []
    assert (story.incident.timers, story.texts("closed")) == ({}, ["quiet for 15m"])


def test_back_within_the_quiet_time_it_is_the_same_incident_treated_anew() -> None:
    story = Story(bundle(verified())).until_verifying()
    story.deliver(resolved(ends=20))
    story.check()
    story.wait(10 * MINUTE)

    story.deliver(firing(starts=10 * MINUTE))

    assert (list(story.incidents), story.incident.recurrence) == ([1], 1)
    assert (story.run.n, story.run.recurrence, story.incident.phase) == (2, 1, Phase.ASSESSING)
    assert (story.incident.resolved_at, story.incident.fixed_by) == (None, "")
    assert "quiet" not in story.incident.timers


def test_back_after_the_quiet_time_it_is_a_new_incident() -> None:
    story = Story()
    story.deliver(firing(starts=0))
    story.deliver(resolved(ends=20))
    story.wait(20 * MINUTE)

    story.deliver(firing(starts=20 * MINUTE))

    assert list(story.incidents) == [1, 2]
    assert (story.incident.previous, story.incident.recurrence) == (1, 0)


def test_it_does_not_close_while_a_page_is_still_to_be_resolved() -> None:
    story = Story().until_write()
    story.apply()
    story.deliver(resolved(ends=20))

    story.wait(16 * MINUTE)
    assert story.open_incidents() == [1]
    story.send_all()
    story.wait(2 * MINUTE)

    assert story.open_incidents() == []


def test_it_closes_in_the_end_even_if_nothing_answers() -> None:
    story = Story().until_write()
    story.apply()
    story.deliver(resolved(ends=20))

    story.wait(2 * HOUR)

    assert (story.incident.open, story.incident.effects, story.incident.timers) == (False, {}, {})


# -- doubt ------------------------------------------------------------------------------------------------------------


def doubtful(story: Story) -> Story:
    """Over, and then a firing that may be an echo."""
    story.deliver(firing(starts=0))
    story.deliver(resolved(ends=20))
    story.now = after(60)
    story.deliver(firing(starts=0))
    return story


def test_a_doubt_reopens_nothing_at_first() -> None:
    story = doubtful(Story())

    assert (story.incident.phase, story.incident.firing.doubted, story.incident.firing.open) == (Phase.RESOLVED, 1, 0)
    assert story.due_in("doubt") == 2 * MINUTE
    assert story.said("an echo or a refire; known in 2m")


def test_a_doubt_nobody_answers_reopens_pages_and_treats_nothing() -> None:
    story = doubtful(Story())
    runs = story.incident.runs

    story.wait(2 * MINUTE + 5)

    assert (story.incident.firing.open, story.incident.firing.doubted) == (1, 0)
    assert story.incident.phase is Phase.DETECTED
    assert story.paged() == [(1, "alice")]
    assert (story.incident.run, story.incident.runs, story.incident.recurrence) == (None, runs, 0)


def test_a_resolved_clears_the_doubt_and_the_incident_stays_resolved() -> None:
    story = doubtful(Story())

    story.deliver(resolved(ends=30))

    assert (story.incident.firing.doubted, story.incident.phase) == (0, Phase.RESOLVED)
    assert "doubt" not in story.incident.timers
    assert story.texts("alert")[-1] == "HighErrorRate api was an echo: it is over"
    assert story.paged() == []


def test_a_real_refire_settles_the_doubt_and_is_treated() -> None:
    story = doubtful(Story())

    story.deliver(firing(starts=50))

    assert (story.incident.firing.open, story.incident.firing.doubted) == (1, 0)
    assert (story.run.recurrence, "doubt" in story.incident.timers) == (1, False)
    story.deliver(resolved(ends=70))
    assert story.incident.phase is Phase.RESOLVED


def test_it_does_not_close_while_a_doubt_is_open() -> None:
    story = doubtful(Story())
    story.deliver(resolved(ends=30))
    story.wait(QUIET.total_seconds() - 2 * MINUTE)
    story.deliver(firing(starts=0))

    story.wait(MINUTE + 30)
    assert story.incident.open
    story.wait(MINUTE)

    assert (story.incident.open, story.incident.firing.open) == (True, 1)


# -- expiry -----------------------------------------------------------------------------------------------------------


def test_an_alert_nobody_confirms_expires_and_ends_its_incident() -> None:
    story = Story()
    story.deliver(firing())

    story.wait(EXPIRY * 1.25 - 1)
    assert story.incident.firing.open == 1
    story.wait(1)

    assert story.incident.phase is Phase.RESOLVED
    assert story.said("HighErrorRate api not confirmed in time and taken as over")


def test_a_confirmed_alert_lasts_as_long_as_it_is_confirmed() -> None:
    story = Story()
    story.deliver(firing(pod="a"), firing(pod="b"))
    for _ in range(4):
        story.wait(EXPIRY / 2)
        story.deliver(firing(pod="a"))

    assert (story.incident.firing.open, story.incident.phase) == (1, Phase.ASSESSING)
    story.wait(EXPIRY * 1.25)
    assert story.incident.phase is Phase.RESOLVED


def test_a_repeat_after_expiry_reopens_pages_and_treats_nothing() -> None:
    story = Story()
    story.deliver(firing(starts=0))
    story.wait(EXPIRY * 1.25)
    runs, pages = story.incident.runs, len(story.paged())

    story.deliver(firing(starts=0))
    story.wait(5)

    assert (story.incident.firing.open, story.incident.runs, story.incident.run) == (1, runs, None)
    assert len(story.paged()) == pages + 1
    assert story.incident.recurrence == 0


# -- who fixed it -----------------------------------------------------------------------------------------------------


def test_what_was_done_and_helped_is_said_to_be_fixed() -> None:
    story = Story().until_write()
    story.apply()
    assert story.ended.outcome is Outcome.DONE

    story.now = after(90)
    story.deliver(resolved(ends=60))

    assert (story.incident.fixed_by, story.texts("resolved")) == ("paramedic", ["fixed by paramedic in 1m30s"])


@pytest.mark.parametrize("mode", [Mode.SHADOW, Mode.OFF])
def test_what_was_only_watched_is_not(mode: Mode) -> None:
    story = Story(mode=mode)
    story.deliver(firing())
    if story.incident.run is not None:
        story.judge(yes())
        story.plan()
    story.deliver(resolved(ends=60))

    assert (story.incident.fixed_by, story.incident.fixes) == ("itself", ())
