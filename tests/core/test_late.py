"""Results that come when their effect was settled without them: recorded once, and contradictions wake a person."""

from typing import Any

import pytest

from paramedic.core.effects import Apply, Page
from paramedic.core.events import Late
from paramedic.core.words import Answer, Kind, Once, Outcome, Phase, Stage
from tests.core.builders import book, bundle, check, firing, resolved, step
from tests.core.story import Story, failure, late, writing


def lost(once: Once, **about: Any) -> tuple[Story, Apply]:
    """A write whose process was taken for gone, and the write."""
    story = writing(once, **about)
    story.send_all()
    return story, story.lose()


def learn(story: Story, write: Apply, came_to: str, text: str = "") -> None:
    """The process was not gone, and says what the write came to."""
    story.fold(late(story, write, came_to, text))


def settled(how: str) -> tuple[Story, Apply]:
    """What was concluded about a lost write, in each way that there is."""
    if how == "not known":
        return lost(Once.NONE)
    if how == "sent again":
        story, write = lost(Once.KEY)
        story.wait(1)
        story.apply()
        return story, write
    story, write = lost(Once.CAS)
    if how == "found":
        story.observe(True)
    elif how == "not there, made again":
        story.observe(False)
        story.apply()
    else:
        story.observe(False)
        story.apply(failure(Kind.PERMANENT, "403"))
    return story, write


WAYS = {
    "not known": ("done", "halted", "refused", "permanent", "temporary"),
    "sent again": (),
    "found": ("refused", "permanent", "temporary"),
    "not there, made again": (),
    "not there, and failed": ("done", "halted"),
}


@pytest.mark.parametrize("came_to", ["done", "halted", "refused", "permanent", "temporary", "unknown"])
@pytest.mark.parametrize("how", WAYS)
def test_it_is_recorded_and_a_person_hears_of_it_where_it_contradicts(how: str, came_to: str) -> None:
    story, write = settled(how)
    story.send_all()
    before = len(story.all_of(Page))
    state = story.incident

    learn(story, write, came_to, "said the target")

    (said,) = story.texts("late")
    assert "the write of step 1 of run INC-1.1 came back at" in said
    assert "said the target" in said
    assert story.incident.run == state.run
    assert story.incident.past == state.past
    told = story.all_of(Page)[before:]
    assert bool(told) == (came_to in WAYS[how])
    for page in told:
        assert "by then" in page.text
        assert "now its process says" in page.text


def test_both_statements_are_in_the_page() -> None:
    story, write = lost(Once.NONE)
    assert story.ended.outcome is Outcome.UNKNOWN

    learn(story, write, "done", "api restarted")

    assert story.all_of(Page)[-1].text.endswith(
        "the write of step 1 of run INC-1.1: by then nobody could say whether it took effect,"
        " and now its process says: it was done"
    )
    assert story.paged()[-1] == (3, "carol")  # level 2 has heard that nobody knows


def test_it_is_recorded_once() -> None:
    """The commit that recorded it may have been in doubt."""
    story, write = lost(Once.NONE)
    learn(story, write, "done")
    entries, pages = len(story.entries), len(story.all_of(Page))
    learn(story, write, "done")
    assert (len(story.entries), len(story.all_of(Page))) == (entries, pages)


@pytest.mark.parametrize("once", [Once.KEY, Once.CAS])
def test_while_it_is_being_found_out_nothing_is_contradicted(once: Once) -> None:
    story, write = lost(once)
    assert story.run.stage in (Stage.RETRYING, Stage.OBSERVING)
    stage = story.run

    learn(story, write, "done")

    assert "still being found out" in story.texts("late")[0]
    assert story.run == stage
    assert len(story.all_of(Page)) == 1


def test_after_it_has_cleared_somebody_is_told_and_nobody_climbs() -> None:
    story, write = lost(Once.NONE)
    story.send_all()
    story.deliver(resolved(ends=5))
    assert story.incident.phase is Phase.RESOLVED
    story.send_all()

    learn(story, write, "refused", "the mode is off by now")

    assert story.paged()[-1] == (2, "bob")
    assert "climb" not in story.incident.timers


def test_of_two_steps_each_is_held_against_its_own_conclusion() -> None:
    """The first took effect, the second did not: what is learned about the second contradicts."""
    steps = (step("drain", once=Once.KEY), step("restart", once=Once.CAS))
    story = Story(bundle(book(steps=steps))).until_write()
    story.apply()
    story.plan()
    second = story.lose()
    story.observe(False)
    story.apply(failure(Kind.PERMANENT, "403"))
    assert (story.ended.outcome, story.ended.acted, story.ended.wrote) == (Outcome.FAILED, True, (0,))
    story.send_all()
    before = len(story.all_of(Page))

    learn(story, second, "done")

    assert "by then it had been taken for not in effect" in story.texts("late")[0]
    assert len(story.all_of(Page)) == before + 1


def test_a_step_behind_the_current_one_is_held_against_its_record() -> None:
    steps = (step("drain", once=Once.CAS, on_failure="next"), step("restart", once=Once.KEY))
    story = Story(bundle(book(steps=steps))).until_write()
    first = story.lose()
    story.observe(False)
    story.apply(failure(Kind.PERMANENT, "403"))
    assert story.run.step == 1
    story.send_all()
    before = len(story.all_of(Page))

    learn(story, first, "done")

    assert story.run.step == 1
    assert len(story.all_of(Page)) == before + 1


def test_what_only_collects_contradicts_nothing() -> None:
    story = Story(bundle(book(steps=(step("collect", mutates=False, once=Once.NONE),)))).until_write()
    write = story.lose()
    story.wait(1)
    story.apply()
    pages = len(story.all_of(Page))
    learn(story, write, "permanent")
    assert story.texts("late")
    assert len(story.all_of(Page)) == pages


@pytest.mark.parametrize(("came_to", "told"), [("done", False), ("permanent", True)])
def test_taking_a_change_back_is_held_against_what_was_found_of_that(came_to: str, told: bool) -> None:
    """Two writes under one attempt: the change, which is in effect, and its undo."""
    story = Story(bundle(book(steps=(step(once=Once.CAS, on_failure="undo", verify=(check(within=0),)),))))
    story.deliver(firing())
    story.judge()
    story.plan(undo={"replicas": 3})
    change = story.one(Apply)
    story.apply()
    story.check(Answer.FAIL, "still firing")
    undo = story.lose()
    story.observe(True)
    assert story.ended.outcome is Outcome.INEFFECTIVE
    story.send_all()
    before = len(story.all_of(Page))

    learn(story, undo, came_to)
    learn(story, change, "done")

    assert len(story.all_of(Page)) - before == int(told)
    assert "taking back the change of step 1 of run INC-1.1 came back" in story.texts("late")[0]
    assert "by then it had been done" in story.texts("late")[1]


def test_a_page_or_message_is_only_recorded() -> None:
    story, _ = lost(Once.NONE)
    story.send_all()
    pages = len(story.all_of(Page))
    story.fold(Late(story.now, story.mode, 77, "page", "done", "dedup-key", story.now))
    assert story.texts("late") == [
        "a page came back at 09:00:00 UTC, when nobody waited for it any more: it was done: dedup-key"
    ]
    assert len(story.all_of(Page)) == pages
