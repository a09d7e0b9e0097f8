"""Changes for a time: kept with their incident, and due once their time is over and the alert has been clear."""

from typing import Any

import pytest

from paramedic.core.effects import Apply, Page
from paramedic.core.model import Claim
from paramedic.core.words import Answer, Kind, Once, Outcome, Phase, Purpose, Stage
from tests.core.builders import after, book, bundle, check, firing, step
from tests.core.scaling import HALF_HOUR, KEY, POOL, clear, scale, scaled
from tests.core.story import Story, failure, yes

# -- kept -------------------------------------------------------------------------------------------------------------


def test_what_was_done_for_a_time_is_remembered() -> None:
    story = scaled()

    (kept,) = story.incident.temporaries

    assert (kept.key, kept.run, kept.step, kept.target, kept.summary) == (KEY, 1, 0, "main/api", "api from 3 to 6")
    assert (kept.undo, kept.set_at, kept.until) == ({"replicas": 3, "was": 6}, after(0), after(HALF_HOUR))
    assert kept.claims == (POOL, Claim("target/main/api"))
    assert story.texts("temporary") == [
        "for 30m, until 09:30:00 UTC; taken back then, once the alert has been clear for 2m"
    ]


def test_what_was_done_for_a_few_seconds_asks_for_no_longer_calm() -> None:
    story = clear(scaled(lasts=5.0))

    assert story.incident.temporaries[0].until == after(5)
    assert (story.incident.timers["expire"].due - story.now).total_seconds() == pytest.approx(5.0)


@pytest.mark.parametrize("about", [{"lasts": 0.0, "undo": {"a": 1}}, {"lasts": 60.0, "undo": None}])
def test_what_lasts_or_cannot_be_taken_back_is_not(about: dict[str, Any]) -> None:
    story = Story(bundle(book()))
    story.deliver(firing())
    story.judge()
    story.plan(**about)
    story.apply()

    assert story.incident.temporaries == ()


def test_a_write_whose_answer_was_lost_and_that_is_there_is_kept() -> None:
    story = Story(bundle(book(steps=(step(once=Once.CAS),))))
    story.deliver(firing())
    story.judge()
    story.plan(undo={"replicas": 3}, lasts=60.0)
    story.lose()
    story.observe(True)

    assert [one.key for one in story.incident.temporaries] == [KEY]


def test_a_write_of_which_nobody_knows_is_kept_as_well() -> None:
    """What takes it back compares: if nothing was written, it changes nothing."""
    story = Story(bundle(book(steps=(step(once=Once.CAS),))))
    story.deliver(firing())
    story.judge()
    story.plan(undo={"replicas": 3}, lasts=60.0)
    story.lose()
    story.observe(None)

    assert story.ended.outcome is Outcome.UNKNOWN
    assert [one.key for one in story.incident.temporaries] == [KEY]


def test_a_write_that_failed_is_not() -> None:
    story = Story(bundle(book(steps=(step(once=Once.CAS),))))
    story.deliver(firing())
    story.judge()
    story.plan(undo={"replicas": 3}, lasts=60.0)
    story.apply(failure(Kind.PERMANENT, "forbidden"))

    assert story.incident.temporaries == ()


def test_what_a_step_did_half_is_kept() -> None:
    story = Story(bundle(book(steps=(step(once=Once.CAS),))))
    story.deliver(firing())
    story.judge()
    story.plan(undo={"replicas": 3}, lasts=60.0)
    story.apply(halted="the switch is at freeze")

    assert [one.key for one in story.incident.temporaries] == [KEY]


def test_what_was_taken_back_by_its_own_run_does_not_expire() -> None:
    story = Story(bundle(book(steps=(step(once=Once.CAS, on_failure="undo", verify=(check(within=0),)),))))
    story.deliver(firing())
    story.judge()
    story.plan(undo={"replicas": 3}, lasts=60.0)
    story.apply()
    assert [one.key for one in story.incident.temporaries] == [KEY]
    story.check(Answer.FAIL, "still firing")

    story.apply(summary="api has 3")

    assert not story.incident.temporaries
    clear(story).wait(600)
    assert len(story.all_of(Apply)) == 2


# -- due --------------------------------------------------------------------------------------------------------------


def test_it_is_taken_back_when_its_time_is_over_under_a_key_of_its_own() -> None:
    story = clear(scaled())
    assert story.due_in("expire") == HALF_HOUR

    story.wait(HALF_HOUR - 1)
    assert story.incident.run is None
    story.wait(1)

    write = story.one(Apply)
    assert (write.key, write.purpose, write.run, write.step) == (f"{KEY}/expire", Purpose.EXPIRE, 2, 0)
    assert (write.claims, story.run.stage, story.incident.phase) == (
        (POOL, Claim("target/main/api")),
        Stage.UNDOING,
        Phase.RESOLVED,
    )
    assert story.run.change is not None
    assert story.run.change.undo == {"replicas": 3, "was": 6}
    story.apply(summary="api has 3 again")
    assert (story.ended.outcome, story.ended.reason, story.ended.purpose) == (
        Outcome.DONE,
        "its time was over; taken back: api has 3 again",
        Purpose.EXPIRE,
    )
    assert story.incident.temporaries == ()
    assert story.texts("expire") == ["its time is over: taking back: api from 3 to 6", "api has 3 again"]
    assert story.open_effects(Page) == []


def test_it_waits_until_the_alert_has_been_clear_for_two_minutes() -> None:
    story = scaled()
    story.wait(HALF_HOUR + 60)
    assert "expire" not in story.incident.timers

    clear(story)

    assert story.due_in("expire") == 120.0
    story.wait(119)
    assert story.incident.run is None
    story.wait(1)
    assert story.run.purpose is Purpose.EXPIRE


def test_what_was_done_for_less_than_that_waits_for_no_longer() -> None:
    story = scaled(lasts=30.0)
    story.wait(60)

    clear(story)

    assert story.due_in("expire") == 30.0


def test_while_nobody_knows_whether_it_fires_it_stays() -> None:
    story = clear(scaled())
    story.wait(HALF_HOUR - 30)

    story.deliver(firing(starts=0))

    assert (story.incident.firing.doubted, "expire" in story.incident.timers) == (1, False)


def test_an_alert_that_comes_back_puts_it_off() -> None:
    story = clear(scaled())
    story.wait(HALF_HOUR - 30)

    story.deliver(firing(starts=HALF_HOUR - 30))

    assert "expire" not in story.incident.timers
    story.judge(yes())
    story.wait(60)
    assert story.run.purpose is Purpose.REMEDY


def test_an_incident_closed_by_hand_takes_back_what_it_did() -> None:
    story = scaled()
    story.act("alice", "close")
    story.send_all()

    story.wait(HALF_HOUR)

    assert story.one(Apply).purpose is Purpose.EXPIRE


def test_the_incident_stays_open_until_it_is_taken_back() -> None:
    story = clear(scaled(lasts=7200.0))

    story.wait(7199)
    assert story.incident.open
    story.wait(1)
    story.apply(summary="api has 3")
    story.wait(300)

    assert not story.incident.open


def test_waiting_for_it_wakes_nobody_every_minute() -> None:
    story = clear(scaled(lasts=7200.0))
    before = len(story.events[1])

    story.wait(7199)

    assert len(story.events[1]) - before <= 2


def test_several_are_taken_back_one_after_the_other() -> None:
    steps = (step("scale", once=Once.CAS), step("scale", once=Once.CAS))
    story = Story(bundle(book(steps=steps)))
    story.deliver(firing())
    story.judge()
    story.plan("hpa from 2 to 4", undo={"min": 2}, lasts=60.0)
    story.apply()
    story.plan("api from 3 to 6", undo={"replicas": 3}, lasts=60.0)
    story.apply()
    clear(story)

    story.wait(200)
    assert [write.key for write in story.open_effects(Apply)] == ["INC-1/1/2/1/expire"]
    story.apply()
    story.wait(0)

    assert [write.key for write in story.open_effects(Apply)] == ["INC-1/1/1/1/expire"]
    story.apply()
    assert story.incident.temporaries == ()
    assert [past.n for past in story.incident.past] == [1, 2, 3]


def test_changes_of_one_target_are_taken_back_in_reverse() -> None:
    """From 3 to 6 for an hour, from 6 to 12 for two: first back to 6, then to 3. The other way round neither fits."""
    story = clear(scaled(lasts=3600.0))
    story.wait(60)
    scale(story, 7200.0, replicas=12, before=6)
    clear(story).wait(4000)
    assert story.incident.run is None

    story.wait(3600)

    assert story.run.change is not None
    assert story.run.change.undo == {"replicas": 6, "was": 12}
    story.apply()
    story.wait(0)
    assert story.run.change.undo == {"replicas": 3, "was": 6}


def test_not_while_a_treatment_is_under_way() -> None:
    """The alert cleared, and what it asked for is still being verified."""
    story = Story(bundle(book(steps=(step(once=Once.CAS, verify=(check(within=900),)),))))
    story.deliver(firing())
    story.judge()
    story.plan(undo={"replicas": 3}, lasts=60.0)
    story.apply()
    clear(story)
    story.wait(300)
    assert (story.run.stage, "expire" in story.incident.timers) == (Stage.VERIFYING, False)

    story.check()

    assert story.due_in("expire") == 0.0
