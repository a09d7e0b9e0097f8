"""When treating stops: fixed often enough, or taken over by a person."""

from datetime import timedelta
from typing import Any

from paramedic.core.words import Severity
from tests.core.builders import (
    HOUR,
    MINUTE,
    after,
    book,
    bundle,
    firing,
    resolved,
    rule,
    verified,
)
from tests.core.story import Story

TWO_RULES = (
    rule("slow", "Slow", playbook="scale", severity=Severity.P2),
    rule("down", "Down", playbook="restart", severity=Severity.P0),
)


def two_books(**second: Any) -> Story:
    """`Slow` asks for `scale`, the more urgent `Down` of the same job for `restart`."""
    return Story(bundle(book("scale"), verified("restart", **second), rules=TWO_RULES))


def fix_once(story: Story, starts: float) -> None:
    """It fires, is treated, clears, and is fixed, within half a minute."""
    story.now = after(starts)
    story.deliver(firing(starts=starts))
    story.judge()
    story.plan()
    story.apply()
    story.now = after(starts + 30)
    story.deliver(resolved(ends=starts + 25, starts=starts))
    story.check()


def test_fixed_three_times_within_four_hours_it_is_not_treated_again_but_paged() -> None:
    story = Story(bundle(verified()))
    for number in range(3):
        fix_once(story, number * 5 * MINUTE)
    assert len(story.incident.fixes) == 3
    pages = len(story.paged())

    story.now = after(16 * MINUTE)
    story.deliver(firing(starts=16 * MINUTE))

    assert story.incident.run is None
    assert story.texts("refused") == ["restart: fixed 3 times within 4h: treating it again would not help"]
    assert story.paged()[pages:] == [(1, "alice")]


def test_fixes_of_long_ago_do_not_count() -> None:
    story = Story(bundle(verified()))
    for number in range(3):
        fix_once(story, number * 10 * MINUTE)
    while story.now < after(4 * HOUR + 25 * MINUTE):
        story.now += timedelta(minutes=14)
        start = (story.now - after(0)).total_seconds()
        story.deliver(firing(starts=start))
        if story.incident.run is not None:
            break
        story.deliver(resolved(ends=start + 1, starts=start))

    assert story.run.recurrence > 3
    assert story.now > after(4 * HOUR)


def test_what_clears_after_an_unverified_write_counts_as_fixed_too() -> None:
    """Otherwise a playbook without checks would treat a flapping alert for ever."""
    story = Story()
    for number in range(3):
        start = number * 5 * MINUTE
        story.now = after(start)
        story.deliver(firing(starts=start))
        story.judge()
        story.plan()
        story.apply()
        story.deliver(resolved(ends=start + 1, starts=start))

    story.now = after(16 * MINUTE)
    story.deliver(firing(starts=16 * MINUTE))

    assert story.incident.run is None
    assert story.said("fixed 3 times within 4h")


def test_what_clears_by_itself_is_no_fix() -> None:
    story = Story()
    for number in range(5):
        story.deliver(firing(starts=number * 10))
        story.deliver(resolved(ends=number * 10 + 5, starts=number * 10))

    story.deliver(firing(starts=60))

    assert (story.run.recurrence, story.incident.fixes) == (5, ())


def test_an_incident_a_person_has_taken_is_not_treated() -> None:
    story = two_books()
    story.deliver(firing(name="Slow"))
    story.act("alice", "take")

    story.deliver(firing(name="Down"))

    assert story.incident.run is None
    assert story.texts("refused") == ["restart: alice has taken the incident over"]
