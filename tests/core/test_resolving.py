"""Targets on a cluster: known by their one name before anything is judged, claimed or counted. Promises 2 and 4."""

from typing import Any

import pytest

from paramedic.core.effects import Apply, Judge, Page, Resolve
from paramedic.core.model import Alert, Claim
from paramedic.core.words import Answer, Kind, Outcome, Stage
from tests.core.builders import Given, book, bundle, firing, resolved, rule, verified
from tests.core.story import Story, failure, writing

POD, OTHER = "main/shop/pod/api-7d9f6c-x2x1z", "main/shop/pod/api-7d9f6c-qqqqq"
API = "main/shop/deployment/api"


def alert(starts: float = 0.0, pod: str = POD) -> Alert:
    return firing(starts, pod=pod)


def on_cluster(**about: Any) -> Story:
    """An alert names a pod, and its playbook acts on a cluster."""
    world = bundle(
        verified(on_cluster=True, target=Given("${params.workload}"), **about),
        rules=(rule(with_={"workload": Given("${labels.pod}")}),),
    )
    story = Story(world)
    story.deliver(alert())
    return story


def test_the_target_is_asked_for_before_anything_else() -> None:
    story = on_cluster()

    assert (story.run.stage, story.run.target, story.open_effects(Judge)) == (Stage.RESOLVING, POD, [])
    assert story.one(Resolve).run == 1


def test_the_run_goes_on_under_the_one_name() -> None:
    story = on_cluster()

    story.resolve(API)

    assert (story.run.target, story.run.named, story.run.stage) == (API, POD, Stage.JUDGING)
    assert story.texts("target") == [f"{POD} is {API}"]
    story.judge()
    story.plan()
    assert Claim(f"target/{API}") in story.one(Apply).claims


def test_a_target_that_is_its_own_name_needs_no_words() -> None:
    story = on_cluster()

    story.resolve(POD)

    assert (story.run.named, story.texts("target")) == (POD, [])


def test_a_playbook_that_touches_no_cluster_asks_for_no_name() -> None:
    assert writing().all_of(Resolve) == []


def test_another_name_of_what_is_treated_starts_no_second_run() -> None:
    """Promise 2: unique by incident, playbook, target and recurrence, whatever the target was called."""
    story = on_cluster()
    story.resolve(API)
    story.judge()
    story.deliver(alert(1.0, OTHER))
    story.plan()
    story.apply()
    for _ in range(70):
        story.check(Answer.FAIL)
        story.wait(10)
        if story.incident.run is None or story.run.n == 2:
            break

    assert (story.run.n, story.run.stage, story.run.target) == (2, Stage.RESOLVING, OTHER)
    reason = story.incident.paging.reason
    story.resolve(API)

    assert (story.ended.outcome, story.ended.reason) == (Outcome.CANCELLED, "the same target as INC-1.1")
    assert (story.ended.target, story.ended.acted) == (OTHER, False)
    assert story.incident.paging.reason == reason
    assert len(story.all_of(Apply)) == 1


def test_an_alert_of_the_same_name_attaches_to_the_run_that_is_known_by_another() -> None:
    story = on_cluster()
    story.resolve(API)

    story.deliver(firing(1.0, pod=POD, shard="2"))

    assert story.incident.candidates == ()


def test_and_to_the_one_that_has_ended() -> None:
    story = on_cluster()
    story.resolve(failed=failure(Kind.REFUSED, "target: there is no such pod"))

    story.deliver(firing(1.0, pod=POD, shard="2"))

    assert (story.incident.run, story.incident.runs) == (None, 1)


def test_when_it_comes_back_the_same_target_may_be_treated_again() -> None:
    story = on_cluster()
    story.resolve(API)
    story.deliver(resolved(1.0, pod=POD))
    story.wait(10)

    story.deliver(alert(5.0))
    story.resolve(API)

    assert (story.run.recurrence, story.run.stage) == (1, Stage.JUDGING)


@pytest.mark.parametrize("kind", [Kind.REFUSED, Kind.PERMANENT])
def test_a_target_that_is_none_is_refused_and_people_are_told_why(kind: Kind) -> None:
    story = on_cluster()

    story.resolve(failed=failure(kind, "target: pod/x.shop is owned by Job nightly, which is not a kind of ours"))

    assert (story.ended.outcome, story.ended.target) == (Outcome.REFUSED, POD)
    assert "not treated: target: pod/x.shop is owned by Job nightly" in story.one(Page).text


@pytest.mark.parametrize("kind", [Kind.TEMPORARY, Kind.UNKNOWN])
def test_a_cluster_that_does_not_answer_is_asked_three_times(kind: Kind) -> None:
    story = on_cluster()
    for _ in range(2):
        story.resolve(failed=failure(kind, "not reached"))
        assert story.run.stage is Stage.RETRYING
        story.wait(10)

    story.resolve(failed=failure(kind, "not reached"))

    assert (story.ended.outcome, story.ended.reason) == (Outcome.REFUSED, "not reached")
    assert len(story.all_of(Resolve)) == 3


def test_what_came_late_counts_for_what_follows() -> None:
    story = on_cluster()
    story.resolve(failed=failure())
    story.wait(5)

    story.resolve(API)

    assert (story.run.target, story.run.tries) == (API, 1)


def test_an_alert_that_clears_meanwhile_ends_it() -> None:
    story = on_cluster()
    asked = story.one(Resolve)

    story.deliver(resolved(1.0, pod=POD))

    assert (story.ended.outcome, story.ended.acted) == (Outcome.CLEARED, False)
    assert asked.n not in story.incident.effects


def test_a_plan_that_fails_for_now_is_asked_for_again_and_not_the_name() -> None:
    story = on_cluster()
    story.resolve(API)
    story.judge()
    story.plan(failed=failure())
    story.wait(5)

    story.plan()

    assert len(story.all_of(Resolve)) == 1
    assert story.one(Apply).key == "INC-1/1/1/1"


def test_playbooks_without_a_cluster_keep_their_records() -> None:
    """Nothing is added to what is stored of them: what was recorded before folds as it did."""
    story = Story(bundle(book())).until_write()
    story.apply()

    assert (story.ended.named, story.all_of(Resolve)) == ("", [])
