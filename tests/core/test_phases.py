"""When which guards are asked: cheap ones, reading ones, people, and those that are asked right before the write."""

from typing import Any

import pytest
from msgspec.structs import replace

from paramedic.core.bundle import GuardSpec
from paramedic.core.effects import Apply, Judge, Plan
from paramedic.core.events import Judged
from paramedic.core.judging import FRESH, phases
from paramedic.core.model import Claim, Verdict
from paramedic.core.words import Answer, Kind, Mode, Outcome, Purpose, Stage
from tests.core.builders import book, bundle, check, firing, guard, resolved, step
from tests.core.story import Story, deny, failure, yes

CHEAP, READING = guard("still_firing"), guard("metric", inline=False)
PEOPLE, LAST, LAST_READING = (
    guard("approval", asked="people"),
    guard("preflight", asked="last"),
    guard("health", inline=False, asked="last"),
)


def story_of(*guards: GuardSpec, mode: Mode = Mode.AUTO, **about: Any) -> Story:
    story = Story(bundle(book(guards=guards, **about)), mode)
    story.deliver(firing())
    return story


def asked(story: Story) -> list[tuple[int, ...]]:
    return [effect.guards for effect in story.all_of(Judge)]


# -- the order --------------------------------------------------------------------------------------------------------


def test_the_phases_of_a_playbook() -> None:
    playbook = book(guards=(LAST, READING, PEOPLE, CHEAP, LAST_READING))

    assert phases(playbook, last=False) == ((3,), (1,))
    assert phases(playbook, last=True) == ((3,), (1,), (0, 4))


def test_a_playbook_that_asks_people_only_is_planned_at_once() -> None:
    story = story_of(PEOPLE)

    assert asked(story) == [()]
    story.judge()
    assert story.one(Plan).step == 0


def test_those_asked_last_are_asked_between_plan_and_write() -> None:
    story = story_of(CHEAP, LAST, READING)

    story.judge()
    story.judge()
    story.plan()

    assert (asked(story), story.run.stage, story.all_of(Apply)) == ([(0,), (2,), (1,)], Stage.REJUDGING, [])
    story.judge(Verdict("preflight", Answer.ALLOW, "the API would take it", {"dry_run": "ok"}))
    assert story.one(Apply).purpose is Purpose.REMEDY
    assert story.texts("guards") == [
        "1 of 2 allow so far: fine",
        "2 of 2 allow: fine",
        "1 of 1 allow right before the write: the API would take it",
    ]
    assert [entry.seen for _, entry in story.entries if entry.kind == "guards"][-1] == {"preflight": {"dry_run": "ok"}}


def test_what_has_gone_stale_is_asked_again_before_those_asked_last() -> None:
    story = story_of(CHEAP, LAST, READING, mode=Mode.APPROVE)
    story.judge()
    story.judge()
    story.plan()

    story.act("alice", "approve", run=story.run.n)

    assert asked(story)[2:] == [(0,)]
    story.judge()
    story.judge()
    assert asked(story)[2:] == [(0,), (2,), (1,)]
    assert story.all_of(Apply) == []
    story.judge()
    assert story.one(Apply).step == 0
    assert story.texts("guards")[-3:] == [
        "1 of 3 allow so far: fine",
        "2 of 3 allow so far: fine",
        "3 of 3 allow right before the write: fine",
    ]


def test_those_asked_last_may_take_longer_than_answers_stay_fresh() -> None:
    """Else the run would go round for ever: first ones stale, last ones asked, first ones stale."""
    story = story_of(CHEAP, LAST_READING)
    story.judge()
    story.plan()
    story.wait(FRESH + 1)
    story.judge()

    assert asked(story) == [(0,), (1,), (0,)]
    story.judge()
    story.wait(FRESH + 1)
    story.judge()

    assert asked(story) == [(0,), (1,), (0,), (1,), (0,)]
    story.judge()
    assert story.one(Apply).step == 0


def test_what_is_known_without_reading_is_asked_again_where_reading_took_long() -> None:
    """A window may have opened meanwhile: a write leaves by no answer that is older than ten seconds."""
    story = story_of(CHEAP, READING)
    story.judge()
    story.wait(FRESH + 1)
    story.judge()

    assert asked(story) == [(0,), (1,), (0,)]
    assert not story.all_of(Plan)
    story.judge(deny(CHEAP.kind))

    assert (story.ended.outcome, story.all_of(Apply)) == (Outcome.REFUSED, [])


def test_it_is_not_where_reading_was_quick() -> None:
    story = story_of(CHEAP, READING)
    story.judge()
    story.wait(FRESH - 1)
    story.judge()

    assert asked(story) == [(0,), (1,)]
    assert story.one(Plan).step == 0


def test_a_step_that_only_collects_asks_nobody_last() -> None:
    story = story_of(CHEAP, LAST, steps=(step("collect", mutates=False),))
    story.judge()
    story.plan()

    assert asked(story) == [(0,)]
    assert story.one(Apply).step == 0


def test_every_write_of_a_run_asks_those_asked_last() -> None:
    story = story_of(CHEAP, LAST, steps=(step(), step("scale")))
    story.judge()
    for _ in range(2):
        story.plan()
        story.judge()
        story.apply()

    assert asked(story) == [(0,), (1,), (1,)]


def test_a_write_that_is_tried_again_asks_them_again() -> None:
    story = story_of(CHEAP, LAST)
    story.judge()
    story.plan()
    story.judge()

    story.apply(failed=failure(Kind.TEMPORARY))
    story.wait(5)

    assert asked(story) == [(0,), (1,), (1,)]


def test_taking_a_change_back_asks_nobody() -> None:
    story = story_of(CHEAP, LAST, steps=(step(on_failure="undo", verify=(check(within=0),)),))
    story.judge()
    story.plan(undo={"replicas": 3})
    story.judge()
    story.apply()
    story.check(Answer.FAIL, "still firing")

    assert (asked(story), story.one(Apply).purpose) == ([(0,), (1,)], Purpose.UNDO)
    story.apply(failed=failure(delay=60.0))
    story.wait(60)
    assert (asked(story), story.one(Apply).purpose) == ([(0,), (1,)], Purpose.UNDO)


# -- what they come to ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [Answer.DENY, Answer.ERROR, Answer.UNKNOWN])
def test_one_asked_last_that_is_against_it_keeps_the_write_from_leaving(answer: Answer) -> None:
    story = story_of(CHEAP, LAST)
    story.judge()
    story.plan()

    story.judge(Verdict("preflight", answer, "the webhook says no"))

    assert (story.ended.outcome, story.all_of(Apply)) == (Outcome.REFUSED, [])


def test_one_asked_last_that_will_allow_later_is_waited_for_and_all_are_asked_again() -> None:
    story = story_of(CHEAP, LAST)
    story.judge()
    story.plan()

    story.judge(deny("preflight", again=30.0))
    assert story.run.stage is Stage.WAITING
    story.wait(30)

    assert asked(story) == [(0,), (1,), (0,)]
    story.judge()
    story.judge()
    assert story.one(Apply).step == 0


def test_what_they_claim_is_claimed_with_the_rest() -> None:
    story = story_of(CHEAP, LAST)
    story.judge(yes("still_firing", Claim("budget/x", 5, 60.0)))
    story.plan()
    story.judge(yes("preflight", Claim("zone/a")))

    assert [claim.scope for claim in story.one(Apply).claims] == ["budget/x", "target/main/api", "zone/a"]


def test_an_alert_that_clears_meanwhile_ends_the_run() -> None:
    story = story_of(CHEAP, LAST)
    story.judge()
    story.plan()

    story.deliver(resolved(ends=20))

    assert (story.ended.outcome, story.all_of(Apply)) == (Outcome.CLEARED, [])


# -- what was not asked counts as no answer ---------------------------------------------------------------------------


def test_fewer_answers_than_were_asked_for_allow_nothing() -> None:
    story = story_of(CHEAP, guard("cooldown"))

    story.judge(yes())

    assert story.all_of(Plan) == []
    assert asked(story) == [(0, 1), (0, 1)]


def test_answers_to_a_question_of_an_older_version_are_asked_for_again() -> None:
    """It did not write down whom it had asked."""
    story = story_of(CHEAP, READING)
    waiting = story.one(Judge)
    older = replace(story.run, asked=())
    story.incidents[story.incident.id] = replace(story.incident, run=older)

    story.fold(Judged(story.now, story.mode, waiting.n, waiting.run, (yes(),)))

    assert asked(story) == [(0,), (0,)]
    story.judge()
    story.judge()
    assert story.one(Plan).step == 0
