"""The root message: what a tired person reads at a glance, at every stage, whatever the alert holds."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from paramedic.core.bulletin import root
from paramedic.core.events import Parked
from paramedic.core.words import Answer, Kind, Mode, Once, Severity
from tests.core.builders import T0, book, bundle, check, firing, resolved, rule, step
from tests.core.scaling import HALF_HOUR, clear, due, scaled
from tests.core.story import Story, deny, failure, writing


def lines(story: Story) -> tuple[str, str, str]:
    return root(story.incident, story.bundle, None)


def doing(story: Story) -> str:
    return lines(story)[1]


def begun(mode: Mode = Mode.AUTO, **about: Any) -> Story:
    """An alert fires; its playbook has one verified step."""
    story = Story(bundle(book(steps=(step(verify=(check(), check("http", within=60))),), **about)), mode)
    story.deliver(firing())
    return story


def test_its_title_says_how_bad_what_and_where_it_stands() -> None:
    story = begun()
    assert lines(story)[0] == "P2 · HighErrorRate api · assessing"

    story.judge()
    story.plan()
    assert lines(story)[0] == "P2 · HighErrorRate api · responding"


def test_while_the_guards_are_asked_and_the_plan_is_made_it_says_one_thing() -> None:
    """Steps of milliseconds: a message that changes with each of them would only flicker."""
    story = begun()
    said = doing(story)
    story.judge()

    assert said == doing(story) == "Deciding about restart on main/api"


def test_what_is_being_done() -> None:
    story = writing(Once.CAS)
    assert doing(story) == "Being done: restart api"

    story.lose()
    assert doing(story) == "Being done: restart api"


def test_what_is_waited_for_and_how_long_that_may_take() -> None:
    story = begun()
    story.judge()
    story.plan()
    story.apply()
    assert doing(story) == "Done: restart api. Waiting for alert_cleared (at most 10m), then http (at most 1m)"

    story.check()
    assert doing(story) == "Done: restart api. Waiting for http (at most 1m)"


def test_an_approval_says_how_it_is_given() -> None:
    story = begun(Mode.APPROVE)
    story.judge()
    story.plan()

    assert doing(story) == "Waits for an approval: restart api. To approve: paramedic runs approve INC-1.1"


def test_what_is_taken_back_says_why() -> None:
    story = Story(bundle(book(steps=(step(verify=(check(within=60),), on_failure="undo"),))))
    story.deliver(firing())
    story.judge()
    story.plan(undo={"replicas": 3})
    story.apply()
    story.wait(61)
    story.check(Answer.FAIL, "still firing")

    assert doing(story) == "Taking it back: restart api. alert_cleared: still firing"


def test_why_it_was_not_treated() -> None:
    story = begun()
    story.judge(deny(reason="KubeAPIDown is firing"))

    assert doing(story).startswith("Not treated: ")
    assert "KubeAPIDown is firing" in doing(story)


def test_without_a_policy_the_last_run_says_it() -> None:
    story = Story(bundle(rules=(rule(escalation=""),)))
    story.deliver(firing())
    story.judge(deny(reason="KubeAPIDown is firing"))

    assert doing(story).startswith("Run of restart on main/api ended refused: ")
    assert lines(story)[2] == "Nobody is paged"


def test_where_nothing_is_done_it_says_so() -> None:
    story = begun()
    idle = msgspec.structs.replace(story.incident, run=None)

    assert root(idle, story.bundle, None)[1] == "Nothing is being done about it by automation"


def test_who_has_taken_it() -> None:
    story = begun()
    story.act("alice", "take")

    assert doing(story) == "Taken by alice; automation stands down"
    assert lines(story)[2] == "Acknowledged by alice"


def test_that_nobody_can_decide_any_more() -> None:
    story = begun()
    story.fold(Parked(story.now, story.mode, error="KeyError: x"))

    assert doing(story) == "Automation has stopped for this incident: a person has to decide"


@pytest.mark.parametrize("by", ["paramedic", "itself", "alice"])
def test_how_it_ended_and_how_long_it_took(by: str) -> None:
    story = begun()
    if by == "paramedic":
        story.judge()
        story.plan()
        story.apply()
    story.wait(165)
    if by == "alice":
        story.act("alice", "close", text="known")
    else:
        story.deliver(resolved(ends=165))
    if by == "paramedic":
        story.check()
        story.check()
    said = {
        "paramedic": "Fixed by paramedic in 2m45s: restart on main/api, every check passed",
        "itself": "The alert cleared by itself after 2m45s",
        "alice": "Closed by hand after 2m45s",
    }

    assert lines(story) == ("P2 · HighErrorRate api · resolved", said[by], "")


def test_an_end_says_who_had_acknowledged() -> None:
    story = begun()
    story.act("alice", "ack")
    story.deliver(resolved(ends=1))

    assert lines(story)[2] == "Acknowledged by alice"


def test_the_next_update_is_in_its_foot() -> None:
    story = begun()

    assert root(story.incident, story.bundle, T0 + timedelta(minutes=15))[2] == (
        "Acknowledged by nobody yet · next update 09:15 UTC"
    )


def test_it_does_not_change_while_nothing_happens() -> None:
    story = begun()
    story.judge()
    story.plan()
    story.apply()
    said = lines(story)
    story.wait(5)

    assert lines(story) == said


@pytest.mark.parametrize("hostile", ["x\r\ny\u2028z\x00\u202e", "a" * 50_000])
def test_whatever_an_alert_holds_it_stays_three_short_lines(hostile: str) -> None:
    story = begun()
    story.judge()
    story.plan(hostile)
    story.act(hostile, "ack")
    said = root(msgspec.structs.replace(story.incident, title=hostile), story.bundle, None)

    assert all(line.isprintable() for line in said)
    assert [len(line) <= most for line, most in zip(said, (330, 700, 130), strict=True)] == [True] * 3


def test_a_write_that_is_tried_again_is_still_being_done() -> None:
    story = writing()
    story.apply(failure(Kind.TEMPORARY))

    assert doing(story) == "Being done: restart api"


def test_a_worse_alert_is_in_the_title() -> None:
    story = begun()
    story.deliver(firing(pod="b", severity="critical"))

    assert story.incident.severity is Severity.P1
    assert lines(story)[0].startswith("P1 · ")


def test_what_was_taken_back_later_is_not_what_fixed_it() -> None:
    story = clear(scaled())
    said = doing(story)
    assert said.startswith("Fixed by paramedic in")

    story.wait(HALF_HOUR)
    story.apply(summary="api has 3")

    assert doing(story) == said


def test_what_is_taken_back_while_the_alert_fires_again_has_had_its_time() -> None:
    story = due(scaled())

    story.deliver(firing(starts=HALF_HOUR))

    assert doing(story) == "Taking it back: api from 3 to 6. Its time is over"
