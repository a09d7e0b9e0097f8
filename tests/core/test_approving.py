"""Approvals: N different people for one plan and in time; a plan that went stale is made and approved anew."""

from typing import Any

import pytest

from paramedic.core.acts import objection
from paramedic.core.bundle import Person
from paramedic.core.effects import Apply, Judge, Plan
from paramedic.core.events import Acted, Held
from paramedic.core.model import Ask, Verdict
from paramedic.core.words import Answer, Kind, Mode, Outcome, Stage
from tests.core.builders import MINUTE, book, bundle, firing, guard, people, resolved, rule, step
from tests.core.story import Story, failure, yes

DBA = Ask(2, ("dba",), 600.0, 300.0)
STAFF = people(
    *(Person(name, "webhook", roles=("approver",), teams=("dba",)) for name in ("dan", "eve", "fay")),
    Person("gil", "webhook", roles=("approver",), teams=("sre",)),
)


def wants(*asks: Ask) -> tuple[Verdict, ...]:
    """The answers of guards that ask people."""
    return tuple(Verdict("approval", Answer.DENY, "waits", asks=ask) for ask in asks)


def asking(*asks: Ask, mode: Mode = Mode.AUTO, **about: Any) -> Story:
    """There is a plan, and the playbook's guards have said whom to ask about it."""
    asks = asks or (DBA,)
    guards = (guard(), *(guard("approval", asked="people") for _ in asks))
    story = Story(bundle(book(guards=guards, **about), staff=STAFF), mode)
    story.until_write()
    story.judge(*wants(*asks))
    return story


def against(story: Story, who: str, what: str = "approve", **about: Any) -> str:
    return objection(story.incident, Acted(story.now, story.mode, who, what, 1, **about), story.bundle)


# -- who is asked ------------------------------------------------------------------------------------------------------


def test_people_are_asked_once_there_is_a_plan_and_never_with_the_other_guards() -> None:
    guards = (guard(), guard("approval", asked="people"), guard("metric", inline=False))
    story = Story(bundle(book(guards=guards), staff=STAFF))
    story.deliver(firing())
    assert story.one(Judge).guards == (0,)
    story.judge()
    assert story.one(Judge).guards == (2,)
    story.judge()
    story.plan()

    assert story.one(Judge).guards == (1,)
    story.judge(*wants(DBA))
    assert (story.run.stage, story.due_in("approval"), story.due_in("unapproved")) == (Stage.APPROVAL, 600.0, 300.0)
    assert story.all_of(Apply) == []


@pytest.mark.parametrize("mode", [Mode.AUTO, Mode.APPROVE])
def test_a_guard_asks_in_auto_too_and_says_whom_in_approve(mode: Mode) -> None:
    story = asking(mode=mode)

    assert story.run.asks == (DBA,)
    assert story.texts("approval") == ["waits up to 10m for 2 approvals by dba: restart api"]


def test_in_shadow_nobody_is_asked() -> None:
    story = Story(bundle(book(guards=(guard(), guard("approval", asked="people")))), Mode.SHADOW)
    story.until_write()

    assert (story.ended.outcome, story.texts("approval")) == (Outcome.SHADOWED, [])


def test_a_guard_that_asks_nobody_leaves_it_to_the_mode() -> None:
    guards = (guard(), guard("approval", asked="people"))
    story = Story(bundle(book(guards=guards)), Mode.APPROVE).until_write()
    story.judge(yes("approval"))
    assert (story.run.stage, story.run.asks) == (Stage.APPROVAL, (Ask(1, (), 600.0, 300.0),))

    story = Story(bundle(book(guards=guards)), Mode.AUTO).until_write()
    story.judge(yes("approval"))
    assert len(story.open_effects(Apply)) == 1


def test_a_guard_that_cannot_say_whom_to_ask_denies() -> None:
    """Promise 11."""
    story = Story(bundle(book(guards=(guard(), guard("approval", asked="people"))))).until_write()

    story.judge(Verdict("approval", Answer.ERROR, "it broke"))

    assert (story.ended.outcome, story.ended.reason, story.all_of(Apply)) == (
        Outcome.REFUSED,
        "approval: it broke",
        [],
    )


def test_the_page_says_the_plan_its_difference_whom_it_waits_for_and_what_the_guards_said() -> None:
    guards = (guard(), guard("approval", asked="people"))
    story = Story(bundle(book(guards=guards), staff=STAFF))
    story.deliver(firing())
    story.judge()
    story.plan("scale api", prior={"do": "3 pods", "template": {"env": "secret"}})
    story.judge(*wants(DBA))

    assert story.texts("page") == [
        "level 1 alice: scale api (do 3 pods → scale api). It waits 10m for 2 approvals by dba: paramedic runs approve"
        " INC-1.1; the guards said: fine"
    ]


# -- when it is enough -------------------------------------------------------------------------------------------------


def test_nobody_approves_before_it_is_known_whom_it_waits_for() -> None:
    """Nothing is asked yet, and nothing asked is not enough."""
    guards = (guard(), guard("approval", asked="people"))
    story = Story(bundle(book(guards=guards), staff=STAFF)).until_write()

    assert against(story, "dan") == "run INC-1.1 does not wait for an approval"
    story.act("dan", "approve", run=1)

    assert (story.run.approved_by, story.run.approvals, story.all_of(Apply)) == ("", (), [])


def test_two_different_people_have_to_approve() -> None:
    story = asking()

    story.act("dan", "approve", run=1)
    assert (story.run.stage, story.run.approved_by) == (Stage.APPROVAL, "")
    assert story.texts("approved") == ["restart api; it waits for one more approval by dba"]
    assert against(story, "dan") == "run INC-1.1 was approved by dan already, and waits for one more approval by dba"
    story.act("dan", "approve", run=1)
    assert story.run.stage is Stage.APPROVAL

    story.act("eve", "approve", run=1)
    assert (story.run.stage, story.run.approved_by) == (Stage.REJUDGING, "dan, eve")
    assert not {"approval", "unapproved"} & set(story.incident.timers)
    assert against(story, "fay") == "run INC-1.1 does not wait for an approval: approved by dan, eve"
    story.judge()
    assert story.one(Apply).key == "INC-1/1/1/1"


def test_each_of_two_asks_has_to_be_met() -> None:
    story = asking(Ask(1, ("dba",)), Ask(1, ("sre",)))
    story.act("dan", "approve", run=1)
    assert story.texts("approved") == ["restart api; it waits for an approval by sre"]
    assert against(story, "eve") == "run INC-1.1 has that approval already, and waits for an approval by sre"

    story.act("gil", "approve", run=1)

    assert story.run.approved_by == "dan, gil"


def test_a_person_may_be_named_by_name_role_or_team() -> None:
    for name in ("dan", "approver", "dba"):
        story = asking(Ask(1, (name,)))
        story.act("dan", "approve", run=1)
        assert story.run.approved_by == "dan", name


def test_a_denial_is_final_whoever_has_approved_before() -> None:
    story = asking()
    story.act("dan", "approve", run=1)

    story.act("eve", "deny", run=1, text="not now")

    assert (story.ended.outcome, story.ended.reason) == (Outcome.DENIED, "denied by eve: not now")
    assert against(story, "fay") == "run INC-1.1 was decided already: denied, denied by eve: not now"


def test_an_alert_that_clears_is_final() -> None:
    story = asking()
    story.act("dan", "approve", run=1)

    story.deliver(resolved(ends=20))

    assert story.ended.outcome is Outcome.CLEARED
    assert not {"approval", "unapproved"} & set(story.incident.timers)


def test_not_enough_in_time_is_denied_and_says_who_had_approved() -> None:
    story = asking()
    story.act("dan", "approve", run=1)

    story.wait(600)

    assert (story.ended.outcome, story.ended.reason) == (Outcome.DENIED, "only dan approved within 10m")


def test_the_next_level_is_told_while_there_is_time_left() -> None:
    story = asking()
    story.send_all()
    story.act("dan", "approve", run=1)

    story.wait(300)

    assert story.paged() == [(1, "alice"), (2, "bob")]
    assert story.said("It still waits until 09:10 UTC for one more approval by dba: paramedic runs approve INC-1.1")


def test_whoever_has_acknowledged_is_told_instead_of_the_next_level() -> None:
    story = asking()
    story.send_all()
    story.act("alice", "ack")

    story.wait(300)

    assert story.paged()[-1] == (1, "alice")
    assert story.said("alice, who has it: restart api. It still waits")


def test_a_run_from_before_that_waits_without_asks_is_approved_by_one() -> None:
    """Stored by a version that knew one kind of approval only."""
    story = Story(bundle(book()), Mode.APPROVE).until_write()
    run = story.run
    old = type(run)(**{name: getattr(run, name) for name in run.__struct_fields__ if name not in _NEW})
    story.incidents[1] = type(story.incident)(
        **{name: getattr(story.incident, name) for name in story.incident.__struct_fields__ if name != "run"}, run=old
    )

    story.act("carol", "approve", run=1)

    assert story.run.approved_by == "carol"


_NEW = frozenset(("asks", "approvals", "approve_by", "planned_at"))


# -- one plan ----------------------------------------------------------------------------------------------------------


def test_an_approval_of_a_plan_that_has_changed_meanwhile_does_not_count() -> None:
    story = asking()

    assert against(story, "dan", plan="d0") == (
        "the plan of run INC-1.1 has changed: restart api; look again: paramedic runs show INC-1.1"
    )
    assert against(story, "dan", plan="d1") == ""
    story.act("dan", "approve", run=1, plan="d0")
    assert story.run.approvals == ()


def test_what_was_approved_a_while_ago_is_planned_once_more_and_written_if_it_is_the_same() -> None:
    story = asking()
    story.wait(2 * MINUTE)
    story.act("dan", "approve", run=1)
    story.act("eve", "approve", run=1)
    story.judge()

    assert story.all_of(Apply) == []
    story.plan()
    assert story.one(Apply).key == "INC-1/1/1/1"
    assert story.run.approved_by == "dan, eve"


def test_where_the_plan_is_another_one_by_then_people_are_asked_again() -> None:
    story = asking()
    story.wait(2 * MINUTE)
    story.act("dan", "approve", run=1)
    story.act("eve", "approve", run=1)
    story.judge()

    story.plan("restart api as it is now", digest="d2")
    story.judge(*wants(DBA))

    assert (story.run.stage, story.run.approvals, story.run.approved_by) == (Stage.APPROVAL, (), "")
    assert story.said("people are asked again: the plan is not the one that was approved")
    assert story.all_of(Apply) == []
    story.act("dan", "approve", run=1)
    story.act("fay", "approve", run=1)
    story.judge()
    assert len(story.open_effects(Apply)) == 1


def test_what_needs_no_change_any_more_is_not_written() -> None:
    """Somebody has done it by hand while it waited."""
    story = asking()
    story.wait(2 * MINUTE)
    story.act("dan", "approve", run=1)
    story.act("eve", "approve", run=1)
    story.judge()

    story.plan(needed=False)

    assert (story.ended.outcome, story.all_of(Apply)) == (Outcome.DONE, [])


def test_an_approval_that_waits_too_long_for_its_write_is_asked_for_again() -> None:
    """It counts until its moment, however long the guards put the write off."""
    story = asking(Ask(1, ("dba",), 60.0, 30.0))
    story.act("dan", "approve", run=1)
    story.judge(Verdict("still_firing", Answer.DENY, "soon", again=90.0))
    story.wait(90)
    story.judge()

    story.plan()

    assert story.said("people are asked again: it took too long")
    assert story.one(Judge).guards == (1,)


def test_a_write_that_may_have_left_is_never_planned_anew() -> None:
    """What is sent again under a key is the very same (promise 3)."""
    story = asking()
    story.act("dan", "approve", run=1)
    story.act("eve", "approve", run=1)
    story.judge()
    story.apply(failure(Kind.UNKNOWN, "reset"))
    story.wait(30)
    story.fold(Held(story.now, story.mode, story.one(Apply).n, "target/main/api", ""))
    story.judge()

    assert len(story.all_of(Plan)) == 1
    assert len(story.open_effects(Apply)) == 1


def test_the_next_step_asks_again() -> None:
    story = asking(steps=(step("drain"), step("restart")))
    for who in ("dan", "eve"):
        story.act(who, "approve", run=1)
    story.judge()
    story.apply()

    story.plan("restart api")

    assert story.one(Judge).guards == (1,)
    assert (story.run.approvals, story.run.approved_by) == ((), "")


def test_a_step_that_only_collects_asks_nobody() -> None:
    guards = (guard(), guard("approval", asked="people"))
    steps = (step("collect", mutates=False), step("restart"))
    story = Story(bundle(book(guards=guards, steps=steps), rules=(rule(),)))
    story.until_write()

    assert len(story.open_effects(Apply)) == 1
    story.apply()
    story.plan()
    assert story.one(Judge).guards == (1,)
