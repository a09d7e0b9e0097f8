"""Communication: each audience is told what changed, together, once, and in the end everything; nothing here pages."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from paramedic.core.bundle import Tell
from paramedic.core.effects import Message, Page
from paramedic.core.events import Opened, TimerFired
from paramedic.core.words import Kind, Mode
from paramedic.errors import Fault
from tests.core.audiences import ENGINEERING, REF, arrive, pass_time, telling, texts, told_world, treated, under_way
from tests.core.builders import MINUTE, When, firing, resolved
from tests.core.story import Story, failure

SUPPORT = Tell("support", "slack", "C02", every=15 * MINUTE)


def test_the_first_message_says_what_it_is_and_what_is_being_done() -> None:
    story = treated()
    story.wait(2.4)
    assert story.all_of(Message) == []
    story.wait(0.1)

    message = under_way(story)
    assert (message.part, message.audience, message.notifier, message.to) == ("root", "engineering", "slack", "C01")
    assert (message.key, message.ref, message.doubtful, message.tries) == ("INC-1/engineering", "", False, 1)
    assert message.lines == (
        "P2 · HighErrorRate api · responding",
        "Done: restart api. Waiting for alert_cleared (at most 10m)",
        "Acknowledged by nobody yet",
    )


def test_the_first_page_is_asked_for_before_the_first_message() -> None:
    """Promise 7, also where the guards take their time."""
    story = telling()
    story.deliver(firing())
    story.wait(3)
    asked = [type(effect) for _, effect in story.asked if isinstance(effect, Page | Message)]

    assert asked[0] is Page
    assert Message in asked


def test_what_the_timeline_said_goes_into_the_thread_together() -> None:
    story = treated()
    root, detail = pass_time(story, 10)

    assert (detail.part, detail.key, detail.ref) == ("detail", "INC-1/engineering/1", REF)
    assert [line.split()[1] for line in detail.lines] == ["incident:", "alert:", "guards:", "plan:", "page:", "apply:"]
    assert detail.lines[1] == "09:00:00 alert: HighErrorRate api is firing"
    assert root.ref == ""


def test_when_nothing_changes_nothing_is_said() -> None:
    story = treated()
    pass_time(story, 10)

    assert pass_time(story, 300) == []
    assert "message" not in story.incident.timers


def test_one_message_at_a_time_and_what_changes_meanwhile_goes_into_the_next() -> None:
    story = treated()
    story.wait(3)
    first = under_way(story)
    for what in ("ack", "note", "take"):
        story.act("alice", what, text="looking")
        story.wait(5)
    assert story.open_effects(Message) == [first]
    arrive(story)
    later = pass_time(story, 10)

    assert [one.part for one in later] == ["detail", "root"]
    assert sum("alice" in line or "looking" in line for line in later[0].lines) >= 3
    assert later[1].lines[2] == "Acknowledged by alice"


def test_the_root_is_edited_where_it_stands() -> None:
    story = treated()
    pass_time(story, 10)
    story.act("alice", "ack")
    root, detail = pass_time(story, 10)

    assert (root.part, root.ref, root.key) == ("root", REF, "INC-1/engineering")
    assert detail.lines == ("09:00:10 acknowledged: by alice",)
    assert detail.key == "INC-1/engineering/2"


def test_a_moment_is_left_between_two_messages() -> None:
    story = treated()
    moments = []
    for second in range(60):
        story.wait(1)
        if second % 4 == 0:
            story.act("alice", "note", text=f"note {second}")
        while story.open_effects(Message):
            moments.append(story.now)
            arrive(story)

    assert min(later - earlier for earlier, later in pairwise(moments)) >= timedelta(seconds=3)
    assert len(moments) > 10


def test_in_the_end_it_is_told_how_it_ended_and_how_long_it_took() -> None:
    story = treated()
    pass_time(story, 10)
    story.wait(50)
    story.deliver(resolved(ends=60))
    story.check()
    root, detail = pass_time(story, 10)

    assert root.lines[0] == "P2 · HighErrorRate api · resolved"
    assert root.lines[1] == "Fixed by paramedic in 1m: restart on main/api, every check passed"
    assert detail.lines[-1] == "09:01:00 resolved: fixed by paramedic in 1m"


def test_after_it_is_closed_nobody_is_told_anything() -> None:
    story = treated()
    story.deliver(resolved(ends=0.5))
    story.check()
    story.send_all()
    pass_time(story, 30)
    story.wait(3600)

    assert not story.incident.open
    assert story.open_effects(Message) == []
    assert story.incident.timers == {}


def test_an_alert_that_comes_back_is_told_in_the_same_root() -> None:
    story = treated()
    story.deliver(resolved(ends=0.5))
    story.check()
    pass_time(story, 20)
    story.deliver(firing(60))
    root = pass_time(story, 10)[0]

    assert (root.part, root.ref) == ("root", REF)
    assert "resolved" not in root.lines[0]


def test_without_a_plan_nothing_is_kept_and_nobody_told() -> None:
    story = Story()
    story.deliver(firing())
    story.judge()
    story.wait(60)

    assert story.all_of(Message) == []
    assert (story.incident.told, story.incident.news, story.incident.lines) == ({}, (), 0)


def test_a_plan_that_the_bundle_does_not_have_tells_nobody() -> None:
    story = Story(replace(told_world(), communication={}))
    story.deliver(firing())
    story.wait(60)

    assert story.all_of(Message) == []


def test_in_shadow_it_is_said_what_would_have_been_done() -> None:
    """Promise 12."""
    story = telling(mode=Mode.SHADOW)
    story.deliver(firing())
    story.judge()
    story.plan()
    root = pass_time(story, 10)[0]

    assert root.lines[1] == "Not treated: the mode is shadow: it would have done: restart api"


# -- who and how often ------------------------------------------------------------------------------------------------


def test_audiences_are_told_each_for_itself() -> None:
    story = treated(ENGINEERING, replace(ENGINEERING, audience="sre", to="C09"))
    story.wait(3)
    assert {message.audience for message in story.open_effects(Message)} == {"engineering", "sre"}
    arrive(story, "sre", failed=failure(Kind.PERMANENT, "not_in_channel"))
    arrive(story, "engineering")
    story.wait(10)

    assert under_way(story).audience == "engineering"


def test_every_so_often_it_is_told_what_has_changed_and_when_the_next_update_is() -> None:
    story = treated(SUPPORT)
    first = pass_time(story, 60)
    assert [one.part for one in first] == ["root", "detail"]
    assert first[0].lines[2] == "Acknowledged by nobody yet · next update 09:15 UTC"
    story.act("alice", "ack")
    assert pass_time(story, 13 * MINUTE) == []

    root, detail = pass_time(story, 3 * MINUTE)
    assert root.lines[2] == "Acknowledged by alice · next update 09:30 UTC"
    assert texts([detail]) == ["09:01:00 acknowledged: by alice"]


def test_an_update_comes_also_when_nothing_has_changed() -> None:
    story = treated(SUPPORT)
    story.act("alice", "ack")
    pass_time(story, 60)
    (root,) = pass_time(story, 15 * MINUTE)

    assert root.lines[2] == "Acknowledged by alice · next update 09:30 UTC"


def test_the_end_is_told_at_once_and_has_no_next_update() -> None:
    story = treated(SUPPORT)
    pass_time(story, 30)
    story.deliver(resolved(ends=25))
    story.check()
    root, detail = pass_time(story, 10)

    assert root.lines[0].endswith("resolved")
    assert root.lines[2] == ""
    assert detail.lines[-1].startswith("09:00:30 resolved: ")
    assert pass_time(story, 14 * MINUTE) == []


def test_that_it_came_back_is_told_at_once() -> None:
    story = treated(SUPPORT)
    story.deliver(resolved(ends=0.5))
    story.check()
    pass_time(story, 20)
    story.deliver(firing(60))
    root = pass_time(story, 5)[0]

    assert "resolved" not in root.lines[0]
    assert "next update 09:15 UTC" in root.lines[2]


def test_whoever_is_told_only_when_it_is_bad_is_told_from_then_on() -> None:
    bad = When("incident.severity == 'P1'", lambda scope: scope["incident"]["severity"] == "P1")
    story = treated(ENGINEERING, Tell("bosses", "log", when=bad))
    assert {one.audience for one in pass_time(story, 30)} == {"engineering"}
    assert "bosses" not in story.incident.told
    story.deliver(firing(pod="b", severity="critical"))
    later = [one for one in pass_time(story, 10) if one.audience == "bosses"]

    assert [one.part for one in later] == ["root", "detail"]
    assert later[0].lines[0].startswith("P1 · ")


def test_a_condition_without_an_answer_tells_nobody() -> None:
    def fails(_: object) -> bool:
        raise Fault("when", "is neither true nor false")

    story = treated(replace(ENGINEERING, when=When("x", fails)))

    assert pass_time(story, 60) == []


# -- bounds -----------------------------------------------------------------------------------------------------------


def test_of_very_much_that_happens_the_last_is_kept_and_the_rest_counted() -> None:
    story = treated()
    story.wait(3)
    arrive(story)
    for n in range(100):
        story.act("alice", "note", text=f"note {n} " + "x" * 2000)
    assert len(story.incident.news) == 20
    assert all(len(line) <= 240 for line in story.incident.news)
    details = [one for one in pass_time(story, 20) if one.part == "detail"]

    assert details[0].lines[0] == "86 earlier entries are in the timeline"
    assert "note 99" in details[-1].lines[-1]
    assert story.incident.news == ()


def test_what_a_message_comes_to_is_not_told_itself() -> None:
    story = treated()
    lines = [line for one in pass_time(story, 30) for line in one.lines]

    assert not [line for line in lines if "is being told" in line]


def test_the_timer_of_messages_does_nothing_else() -> None:
    story = treated()
    story.wait(2)
    timer = story.incident.timers["message"]
    story.now += timedelta(seconds=5)
    decision = story.fold(TimerFired(story.now, story.mode, "message", timer.n))

    assert [type(effect) for effect in decision.effects if isinstance(effect, Message)] == [Message]


def test_an_incident_can_be_opened_only_once() -> None:
    story = treated()
    opened = next(event for event in story.events[1] if isinstance(event, Opened))

    with pytest.raises(LookupError, match="is open already"):
        story.fold(opened)
