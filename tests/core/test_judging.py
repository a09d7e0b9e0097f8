"""Guards: all must allow, an error or an unknown denies (promise 11), and a denial may be only for now."""

import pytest

from paramedic.core.effects import Judge, Plan
from paramedic.core.judging import LONGEST_WAIT
from paramedic.core.model import Claim, Verdict
from paramedic.core.words import Answer, Outcome, Stage
from tests.core.builders import HOUR, MINUTE, book, bundle, firing, guard, resolved
from tests.core.story import Story, deny, yes

READING = guard("metric", inline=False)


def with_guards(*guards: str, reading: tuple[str, ...] = ()) -> Story:
    """An alert fires, and the guards of its playbook have been asked."""
    kinds = [guard(name) for name in guards] + [guard(name, inline=False) for name in reading]
    story = Story(bundle(book(guards=tuple(kinds))))
    story.deliver(firing())
    return story


def test_when_all_guards_allow_the_step_is_planned() -> None:
    story = with_guards("still_firing", "cooldown")

    story.judge()

    assert story.one(Plan).step == 0
    assert story.texts("guards") == ["2 of 2 allow: fine; fine"]


def test_a_playbook_without_guards_is_planned_at_once() -> None:
    story = with_guards()

    story.judge()

    assert story.one(Plan).step == 0


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer.DENY, "refused by budget: because"),
        (Answer.ERROR, "refused: an error in budget: because"),
        (Answer.UNKNOWN, "refused: cannot be known by budget: because"),
        (Answer.PASS, "refused: a check's answer from budget: because"),
        (Answer.FAIL, "refused: a check's answer from budget: because"),
    ],
)
def test_whatever_is_not_a_plain_yes_denies(answer: Answer, words: str) -> None:
    """Promise 11, and promise 8: the reason is on the timeline, with what the guard saw."""
    story = with_guards("still_firing", "budget")

    story.judge(yes(), Verdict("budget", answer, "because", {"used": 5}))

    assert (story.ended.outcome, story.ended.reason) == (Outcome.REFUSED, "budget: because")
    assert story.texts("guards") == [words, "allowed by still_firing"]
    assert [entry.seen for _, entry in story.entries if entry.kind == "guards"] == [{"used": 5}, {}]
    assert story.open_effects(Plan) == []


def test_a_refusal_pages_at_once_with_its_reason() -> None:
    story = with_guards("budget")

    story.judge(deny("budget", reason="5 of 5 used"))

    assert story.paged() == [(1, "alice")]
    assert story.texts("page") == ["level 1 alice: not treated: budget: 5 of 5 used"]


# -- cheap guards first -----------------------------------------------------------------------------------------------


def test_guards_that_read_nothing_are_asked_first() -> None:
    story = with_guards("still_firing", reading=("metric",))

    assert story.one(Judge).guards == (0,)
    story.judge()
    assert story.one(Judge).guards == (1,)
    assert story.open_effects(Plan) == []
    story.judge()

    assert story.one(Plan).step == 0
    assert story.texts("guards") == ["1 of 2 allow so far: fine", "2 of 2 allow: fine"]


def test_where_a_cheap_guard_denies_no_other_is_asked() -> None:
    story = with_guards("still_firing", reading=("metric",))

    story.judge(deny())

    assert (story.ended.outcome, len(story.all_of(Judge))) == (Outcome.REFUSED, 1)


def test_where_all_guards_read_they_are_asked_together() -> None:
    story = with_guards(reading=("metric", "recent_change"))

    assert story.one(Judge).guards == (0, 1)
    story.judge()

    assert story.one(Plan).step == 0


def test_an_error_of_the_asking_itself_denies() -> None:
    """Promise 11: one verdict in the name of all guards."""
    story = with_guards("still_firing", "budget")

    story.judge(Verdict("guards", Answer.ERROR, "a defect"))

    assert story.ended.outcome is Outcome.REFUSED


# -- the record -------------------------------------------------------------------------------------------------------


def test_those_that_were_not_asked_are_written_down() -> None:
    """Promise 8: who reads why nothing was done sees everything that was, and was not, looked at."""
    story = with_guards("still_firing", "cooldown", reading=("metric", "owned"))

    story.judge(Verdict("still_firing", Answer.ALLOW, "fine", {"open": 1}), deny("cooldown", reason="used 1m ago"))

    assert story.texts("guards") == [
        "refused by cooldown: used 1m ago",
        "allowed by still_firing; not asked: metric, owned",
    ]
    assert [entry.seen for _, entry in story.entries if entry.kind == "guards"][-1] == {"still_firing": {"open": 1}}


def test_many_that_were_not_asked_are_counted() -> None:
    story = with_guards("still_firing", reading=tuple(f"g{n}" for n in range(25)))

    story.judge(deny())

    assert story.texts("guards")[-1].endswith("g18, g19 and 5 more")


def test_nothing_is_added_where_everybody_was_asked_and_refused() -> None:
    story = with_guards("budget")

    story.judge(deny("budget"))

    assert story.texts("guards") == ["refused by budget: no longer firing"]


def test_waiting_says_so_once_as_long_as_nobody_changes_his_mind() -> None:
    story = with_guards("still_firing", "cooldown", reading=("metric",))

    for _ in range(3):
        story.judge(yes(), deny("cooldown", again=5.0))
        story.wait(5)

    assert sum("not asked: metric" in text for text in story.texts("guards")) == 1


def test_two_of_one_kind_keep_their_evidence_apart() -> None:
    story = with_guards("budget", "budget")

    story.judge(Verdict("budget", Answer.ALLOW, "", {"used": 1}), Verdict("budget", Answer.ALLOW, "", {"used": 2}))

    assert [entry.seen for _, entry in story.entries if entry.kind == "guards"] == [
        {"budget": {"used": 1}, "budget 2": {"used": 2}}
    ]


def test_the_run_keeps_the_last_answer_of_each_guard() -> None:
    story = with_guards("still_firing", "cooldown", reading=("metric",))

    story.judge(yes(), Verdict("cooldown", Answer.ALLOW, "word " * 100, {"scope": "x"}))

    assert {n: one.name for n, one in story.run.answers.items()} == {0: "still_firing", 1: "cooldown"}
    assert (len(story.run.answers[1].reason), story.run.answers[1].seen) == (200, {})


def test_answers_of_an_earlier_judgement_are_not_kept_beside_those_of_this_one() -> None:
    story = with_guards("still_firing", reading=("metric",))
    story.judge()
    story.judge(deny("metric", again=5.0))
    assert sorted(story.run.answers) == [0, 1]

    story.wait(5)
    story.judge()

    assert sorted(story.run.answers) == [0]


# -- for now ----------------------------------------------------------------------------------------------------------


def test_a_denial_that_will_pass_waits_and_asks_again() -> None:
    story = with_guards("still_firing")

    story.judge(deny(again=45.0, reason="firing for 15s only"))

    assert (story.run.stage, story.due_in("again")) == (Stage.WAITING, 45.0)
    assert story.texts("page") == ["level 1 alice: not treated yet: firing for 15s only"]
    story.wait(45)
    story.judge()
    assert story.one(Plan).step == 0


def test_the_longest_of_several_waits_counts() -> None:
    story = with_guards("still_firing", "cooldown", "window")

    story.judge(deny(again=10.0), deny("cooldown", again=300.0), yes("window"))

    assert story.due_in("again") == 300.0


def test_one_plain_denial_among_waits_refuses() -> None:
    story = with_guards("still_firing", "cooldown")

    story.judge(deny(again=10.0), deny("cooldown"))

    assert story.ended.outcome is Outcome.REFUSED


def test_an_unknown_never_waits() -> None:
    """Promise 11."""
    story = with_guards("metric")

    story.judge(Verdict("metric", Answer.UNKNOWN, "no series", again=10.0))

    assert story.ended.outcome is Outcome.REFUSED


def test_waiting_ends_after_an_hour() -> None:
    story = with_guards("still_firing")

    asked = 0
    while story.incident.run is not None and asked < 100:
        story.judge(deny(again=10 * MINUTE))
        story.wait(10 * MINUTE)
        asked += 1

    assert story.ended.outcome is Outcome.REFUSED
    assert asked == 7


def test_a_wait_that_would_be_longer_than_an_hour_refuses_now() -> None:
    """Nobody is left to believe for a day that something will be done."""
    story = with_guards("cooldown")

    story.judge(deny("cooldown", again=LONGEST_WAIT + 1, reason="again tomorrow"))

    assert story.ended.outcome is Outcome.REFUSED
    assert story.texts("page") == ["level 1 alice: not treated: cooldown: again tomorrow"]


def test_the_page_carries_the_reason_of_the_guard_that_denies() -> None:
    story = with_guards("still_firing", "cooldown")

    story.judge(yes(), deny("cooldown", again=5.0, reason="used 1m ago"))

    assert story.texts("page") == ["level 1 alice: not treated yet: used 1m ago"]


def test_an_alert_that_clears_while_waiting_ends_the_run() -> None:
    story = with_guards("still_firing")
    story.judge(deny(again=45.0))

    story.deliver(resolved(ends=20))

    assert story.ended.outcome is Outcome.CLEARED
    assert "again" not in story.incident.timers


# -- claims -----------------------------------------------------------------------------------------------------------


def test_a_write_claims_its_target_and_what_guards_ask_for_in_one_order() -> None:
    budget, cooldown = Claim("budget/shop", 5, HOUR), Claim("cooldown/restart/main/api", 1, 900.0)
    story = with_guards("budget", "cooldown")

    story.judge(yes("budget", budget), yes("cooldown", cooldown))

    assert story.run.claims == (budget, cooldown, Claim("target/main/api"))


def test_claims_of_both_halves_come_together() -> None:
    story = with_guards("budget", reading=("metric",))

    story.judge(yes("budget", Claim("budget/shop", 5, HOUR)))
    story.judge(yes("metric", Claim("load/shop", 1, 60.0)))

    assert [claim.scope for claim in story.run.claims] == ["budget/shop", "load/shop", "target/main/api"]


def test_two_budgets_of_one_scope_are_both_claimed() -> None:
    story = with_guards("budget", "budget")

    story.judge(yes("budget", Claim("budget/x", 5, HOUR)), yes("budget", Claim("budget/x", 2, HOUR)))

    assert [claim.limit for claim in story.run.claims if claim.scope == "budget/x"] == [2, 5]
