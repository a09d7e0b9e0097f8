"""What an incident makes of its alerts: it counts them, stays bounded, resolves, closes, and comes back."""

import msgspec
import pytest

from paramedic.core.lifecycle import QUIET
from paramedic.core.routing import EXEMPLARS
from paramedic.core.words import Mode, Outcome, Phase, Severity
from tests.core.builders import (
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
