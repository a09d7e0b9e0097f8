"""The turns of an incident's alerts, from firing to over and back: what the guard `flapping` counts."""

from paramedic.core.model import Turn
from tests.core.builders import after, firing, resolved
from tests.core.story import Story


def turns(story: Story) -> list[tuple[float, bool]]:
    """When each was, in seconds, and whether it was one to firing."""
    return [((turn.at - after(0)).total_seconds(), turn.firing) for turn in story.incident.firing.turns]


def test_alerts_that_begin_one_after_the_other_are_one_turn() -> None:
    story = Story()
    for pod in "abc":
        story.deliver(firing(pod=pod))
        story.wait(10)

    assert turns(story) == [(0.0, True)]


def test_what_ends_and_comes_back_has_turned_twice_more() -> None:
    story = Story()
    story.deliver(firing())
    story.wait(30)
    story.deliver(resolved(ends=30))
    story.wait(30)
    story.deliver(firing(starts=60))

    assert turns(story) == [(0.0, True), (30.0, False), (60.0, True)]


def test_one_of_several_that_is_over_is_a_turn_and_the_next_one_is_not() -> None:
    story = Story()
    story.deliver(firing(pod="a"), firing(pod="b"))
    story.wait(10)
    story.deliver(resolved(pod="a", ends=10))
    story.wait(10)
    story.deliver(resolved(pod="b", ends=20))

    assert turns(story) == [(0.0, True), (10.0, False)]


def test_a_start_that_moved_is_two_turns_as_it_ended_and_came_back_unseen() -> None:
    story = Story()
    story.deliver(firing())
    story.wait(60)
    story.deliver(firing(starts=40))

    assert turns(story) == [(0.0, True), (60.0, False), (60.0, True)]


def test_what_is_only_seen_again_is_no_turn() -> None:
    story = Story()
    story.deliver(firing())
    story.wait(3600)
    story.deliver(firing())

    assert turns(story) == [(0.0, True)]


def test_the_last_twenty_are_kept() -> None:
    story = Story()
    story.deliver(firing())
    for n in range(1, 30):
        story.wait(60)
        story.deliver(firing(starts=60 * n - 10))

    kept = story.incident.firing.turns
    assert len(kept) == 20
    assert kept[-1] == Turn(after(60 * 29), firing=True)
    assert [turn.firing for turn in kept] == [False, True] * 10
