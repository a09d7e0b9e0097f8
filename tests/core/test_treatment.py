"""Runs from outside: whether one starts, which, what replaces it, and how it ends."""

from typing import Any

import pytest

from paramedic.core.effects import Apply, Judge, Page
from paramedic.core.treatment import mode_in_force
from paramedic.core.words import Answer, Kind, Mode, Outcome, Phase, Severity, Stage
from tests.core.builders import (
    MINUTE,
    Given,
    after,
    book,
    bundle,
    check,
    firing,
    policy,
    resolved,
    rule,
    step,
    verified,
)
from tests.core.story import Story, deny, failure

TWO_RULES = (
    rule("slow", "Slow", playbook="scale", severity=Severity.P2),
    rule("down", "Down", playbook="restart", severity=Severity.P0),
)


def two_books(**second: Any) -> Story:
    """`Slow` asks for `scale`, the more urgent `Down` of the same job for `restart`."""
    return Story(bundle(book("scale"), verified("restart", **second), rules=TWO_RULES))


# -- one at a time ----------------------------------------------------------------------------------------------------


def test_an_alert_starts_the_playbook_of_its_rule_on_its_target() -> None:
    story = Story()

    story.deliver(firing())

    assert (story.run.n, story.run.playbook, story.run.target) == (1, "restart", "main/api")
    assert (story.run.params, story.run.rule, story.run.mode) == ({"workload": "api"}, "errors", Mode.AUTO)
    assert story.incident.phase is Phase.ASSESSING
    assert story.one(Judge).run == 1


def test_an_incident_has_one_active_run_and_others_wait() -> None:
    story = two_books()
    story.deliver(firing(name="Slow"))
    story.deliver(firing(name="Down"))

    assert story.run.playbook == "scale"
    assert [one.playbook for one in story.incident.candidates] == ["restart"]
    story.judge(deny("budget"))

    assert (story.run.n, story.run.playbook, story.incident.candidates) == (2, "restart", ())
    assert story.one(Judge).run == 2


def test_candidates_wait_by_severity_and_then_in_their_order() -> None:
    rules = (*TWO_RULES, rule("odd", "Odd", playbook="odd", severity=Severity.P2))
    story = Story(bundle(book("scale"), book("restart"), book("odd"), rules=rules))
    story.deliver(firing(name="Slow"))
    story.deliver(firing(name="Odd"), firing(name="Slow", pod="x"), firing(name="Down"))

    assert [one.playbook for one in story.incident.candidates] == ["restart", "odd"]


def test_a_candidate_is_judged_when_its_turn_comes_not_when_it_asked() -> None:
    story = two_books()
    story.deliver(firing(name="Slow"))
    story.deliver(firing(name="Down"))

    story.mode = Mode.OFF
    story.judge(deny("budget"))

    assert story.incident.run is None
    assert story.texts("refused") == ["restart: the mode is off"]


def test_candidates_are_dropped_when_nothing_fires_any_more() -> None:
    story = two_books()
    story.deliver(firing(name="Slow"))
    story.deliver(firing(name="Down"))

    story.deliver(resolved(ends=20, name="Slow"), resolved(ends=20, name="Down"))

    assert (story.incident.candidates, story.incident.phase) == ((), Phase.RESOLVED)


# -- unique -----------------------------------------------------------------------------------------------------------


def test_a_run_is_unique_and_later_episodes_attach_to_it() -> None:
    """Promise 2: by incident, playbook, target and recurrence."""
    story = Story()
    story.deliver(firing(pod="a"))
    story.deliver(firing(pod="b"))
    story.deliver(firing(pod="a", starts=30))

    assert (story.run.n, story.incident.runs, story.incident.candidates) == (1, 1, ())
    story.judge(deny())
    story.deliver(firing(pod="c"))
    assert (story.incident.run, story.incident.runs) == (None, 1)


def test_another_target_of_the_incident_is_another_run() -> None:
    each = rule(incident=("alertname",), with_={"workload": Given("${labels.job}")})
    story = Story(bundle(rules=(each,)))
    story.deliver(firing(job="api"), firing(job="web"))

    story.judge(deny())

    assert (story.run.n, story.run.target) == (2, "main/web")


def test_write_keys_tell_runs_apart() -> None:
    """Promise 3: the key is incident/run/step/attempt."""
    story = Story(bundle(verified())).until_verifying()
    story.deliver(resolved(ends=20))
    story.check()
    story.now = after(60)
    story.deliver(firing(starts=60))
    story.judge()
    story.plan()

    assert [write.key for write in story.all_of(Apply)] == ["INC-1/1/1/1", "INC-1/2/1/1"]


# -- superseding ------------------------------------------------------------------------------------------------------


def test_a_playbook_that_supersedes_takes_the_place_of_the_running_one() -> None:
    story = two_books(supersedes=("scale",))
    story.deliver(firing(name="Slow"))

    story.deliver(firing(name="Down"))

    past = story.incident.past[0]
    assert (past.outcome, past.reason) == (Outcome.CANCELLED, "superseded by restart")
    assert (story.run.playbook, story.run.n) == ("restart", 2)


def test_it_waits_for_a_write_that_is_under_way() -> None:
    """A safe point: never in the middle of a write."""
    story = two_books(supersedes=("scale",))
    story.deliver(firing(name="Slow"))
    story.judge()
    story.plan()

    story.deliver(firing(name="Down"))
    story.deliver(firing(name="Down", pod="b"))
    assert (story.run.playbook, story.run.stage) == ("scale", Stage.APPLYING)
    assert len(story.texts("run")) == 1
    story.apply()

    assert story.run.playbook == "restart"
    assert (story.incident.past[0].outcome, story.incident.past[0].acted) == (Outcome.CANCELLED, True)


def test_other_playbooks_do_not_supersede() -> None:
    story = two_books(supersedes=("drain",))
    story.deliver(firing(name="Slow"))

    story.deliver(firing(name="Down"))

    assert story.run.playbook == "scale"


# -- ends -------------------------------------------------------------------------------------------------------------


def test_an_end_is_remembered_and_told() -> None:
    story = Story().until_write()
    story.now = after(90)
    story.apply()

    past = story.ended
    assert (past.n, past.playbook, past.target, past.ended_at) == (1, "restart", "main/api", after(90))
    assert story.texts("run") == ["restart ended done after 1m30s: done; nothing verifies it"]


def test_an_ended_run_leaves_no_timers_and_no_open_question() -> None:
    story = Story(bundle(verified()))
    story.until_verifying()
    story.check(Answer.FAIL)
    assert "check" in story.incident.timers

    story.act("carol", "cancel", run=1)

    assert "check" not in story.incident.timers
    assert {one.what for one in story.incident.effects.values()} == {"page"}


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        ("refused", "not treated: budget: no longer firing"),
        ("failed", "the treatment failed: 422"),
        ("ineffective", "treated, and not cleared: alert_cleared: so it is"),
    ],
)
def test_a_person_is_needed_where_a_run_did_not_help(ends: str, words: str) -> None:
    story = Story(bundle(book(steps=(step(verify=(check(within=0),)),))))
    story.deliver(firing())
    if ends == "refused":
        story.judge(deny("budget"))
    else:
        story.judge()
        story.plan()
        story.apply(None if ends == "ineffective" else failure(Kind.PERMANENT, "422"))
    if ends == "ineffective":
        story.check(Answer.FAIL)

    assert story.ended.outcome == ends
    assert story.open_effects(Page)[-1].text == f"HighErrorRate api: {words}"


def test_whoever_has_acknowledged_is_told_that_it_is_not_treated() -> None:
    """They may count on it."""
    story = Story()
    story.deliver(firing())
    story.act("alice", "ack")

    story.judge(deny("budget", reason="used up"))

    assert [(page.to, page.text) for page in story.open_effects(Page)] == [
        ("alice", "HighErrorRate api: not treated: budget: used up")
    ]


def test_without_a_policy_it_is_said_plainly_that_nobody_is_told() -> None:
    story = Story(bundle(rules=(rule(escalation=""),)))
    story.deliver(firing())

    story.judge(deny("budget", reason="used up"))

    assert story.all_of(Page) == []
    assert story.texts("page") == ["nobody: the rule names no escalation policy. not treated: budget: used up"]


def test_while_it_is_treated_but_still_fires_later_pages_say_so() -> None:
    story = Story(bundle(policies=(policy(),))).until_write()
    story.apply()

    story.wait(16 * MINUTE)

    assert story.open_effects(Page)[-1].text == "HighErrorRate api: restart done, and the alert still fires"


def test_phases_go_forward_only() -> None:
    story = two_books()
    story.deliver(firing(name="Slow"))
    story.judge()
    story.plan()
    story.deliver(firing(name="Down"))

    story.apply()

    assert (story.run.playbook, story.incident.phase) == ("restart", Phase.RESPONDING)


@pytest.mark.parametrize(
    ("switch", "of_rule", "of_book", "lowest"),
    [
        (Mode.AUTO, None, Mode.AUTO, Mode.AUTO),
        (Mode.AUTO, Mode.SHADOW, Mode.APPROVE, Mode.SHADOW),
        (Mode.APPROVE, None, Mode.AUTO, Mode.APPROVE),
        (Mode.FREEZE, Mode.AUTO, Mode.AUTO, Mode.FREEZE),
        (Mode.OFF, Mode.SHADOW, Mode.APPROVE, Mode.OFF),
    ],
)
def test_the_lowest_mode_is_in_force(switch: Mode, of_rule: Mode | None, of_book: Mode, lowest: Mode) -> None:
    world = bundle(book(mode=of_book), rules=(rule(mode=of_rule),))

    assert mode_in_force(world, switch, "errors", "restart") is lowest


def test_what_is_not_in_the_bundle_lowers_nothing() -> None:
    assert mode_in_force(bundle(), Mode.SHADOW, "gone", "gone") is Mode.SHADOW
