"""Doubts and expiry: what happens when nobody says whether an alert still fires."""

from paramedic.core.lifecycle import QUIET
from paramedic.core.words import Phase
from tests.core.builders import (
    EXPIRY,
    MINUTE,
    after,
    firing,
    resolved,
)
from tests.core.story import Story

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
