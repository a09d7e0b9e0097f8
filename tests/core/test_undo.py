"""Taking our own change back: once, under a key of its own, and never where nothing was changed."""

import pytest

from paramedic.core.effects import Apply, Observe
from paramedic.core.words import Answer, Kind, Mode, Once, Outcome, Purpose, Stage
from tests.core.builders import book, bundle, check, firing, step
from tests.core.story import Story, failure

KEY = "INC-1/1/1/1"


def undoing(once: Once = Once.KEY) -> Story:
    """The write did not help, and is being taken back."""
    world = bundle(book(steps=(step(once=once, on_failure="undo", verify=(check(within=0),)),)))
    story = Story(world)
    story.deliver(firing())
    story.judge()
    story.plan(undo={"replicas": 3})
    story.apply()
    story.check(Answer.FAIL, "still firing")
    return story


def test_what_did_not_help_is_taken_back_under_a_key_of_its_own() -> None:
    story = undoing()

    undo = story.one(Apply)

    assert (undo.key, undo.purpose, story.run.stage) == (f"{KEY}/undo", Purpose.UNDO, Stage.UNDOING)
    story.apply(summary="api scaled back to 3")
    assert story.ended.outcome is Outcome.INEFFECTIVE
    assert story.ended.reason == "alert_cleared: still firing; our change was taken back"
    assert story.texts("undo") == ["taking our change back: alert_cleared: still firing", "api scaled back to 3"]


def test_taking_back_does_not_wait_for_guards() -> None:
    """In `off`, undo goes on; guards are about remedies."""
    story = undoing()
    story.mode = Mode.OFF
    story.apply(failure(delay=60.0))

    story.wait(60)

    assert story.one(Apply).purpose is Purpose.UNDO


def test_an_undo_that_fails_for_now_is_tried_three_times_and_no_more() -> None:
    story = undoing()
    for _ in range(3):
        story.apply(failure())
        story.wait(10)

    assert (story.ended.outcome, story.ended.reason) == (
        Outcome.FAILED,
        "our change could not be taken back: connection refused",
    )
    assert [write.purpose for write in story.all_of(Apply)].count(Purpose.UNDO) == 3


@pytest.mark.parametrize("kind", [Kind.PERMANENT, Kind.REFUSED])
def test_an_undo_that_cannot_be_made_is_told(kind: Kind) -> None:
    story = undoing()

    story.apply(failure(kind, "the switch is at freeze"))

    assert story.ended.reason == "our change could not be taken back: the switch is at freeze"
    assert story.paged() == [(1, "alice"), (2, "bob")]


def test_an_undo_whose_answer_got_lost_is_looked_at_under_its_own_key() -> None:
    """It asks about what takes the change back, not about the change."""
    story = undoing(Once.CAS)

    story.lose()

    assert story.one(Observe).key == f"{KEY}/undo"
    story.observe(True)
    assert story.ended.outcome is Outcome.INEFFECTIVE


def test_an_undo_that_is_not_in_effect_is_made_again() -> None:
    story = undoing(Once.CAS)
    story.lose()

    story.observe(False)

    assert [write.key for write in story.all_of(Apply)] == [KEY, f"{KEY}/undo", f"{KEY}/undo"]


def test_an_undo_that_nothing_protects_is_never_repeated() -> None:
    story = undoing(Once.NONE)

    story.lose()

    assert (story.ended.outcome, len(story.all_of(Apply))) == (Outcome.UNKNOWN, 2)


def test_what_was_taken_back_has_been_tried() -> None:
    """Promise 2: it was a treatment, and the same one is not begun anew while it fires."""
    story = undoing()
    story.deliver(firing(1.0, pod="b"))
    assert story.incident.candidates == ()
    story.apply()

    story.deliver(firing(2.0, pod="c"))

    assert (story.incident.run, story.incident.runs) == (None, 1)


def test_a_step_that_never_wrote_is_not_taken_back() -> None:
    """Only the step before it has changed anything."""
    story = Story(bundle(book(steps=(step("drain"), step("restart", on_failure="undo")))))
    story.until_write()
    story.apply()
    story.plan(undo={"replicas": 3})

    story.apply(failure(Kind.PERMANENT, "422"))

    assert story.ended.outcome is Outcome.FAILED
    assert [write.purpose for write in story.all_of(Apply)] == [Purpose.REMEDY, Purpose.REMEDY]


def test_a_change_that_cannot_be_taken_back_is_left_and_handed_over() -> None:
    story = Story(bundle(book(steps=(step(on_failure="undo", verify=(check(within=0),)),))))
    story.until_write()
    story.apply()

    story.check(Answer.FAIL, "still firing")

    assert (story.ended.outcome, len(story.all_of(Apply))) == (Outcome.INEFFECTIVE, 1)
