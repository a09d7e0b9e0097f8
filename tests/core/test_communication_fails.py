"""Messages that fail, are lost or go nowhere: tried again for a while, looked for where in doubt, and noted."""

from datetime import timedelta
from itertools import pairwise

import pytest

from paramedic.core.effects import Message, Page
from paramedic.core.events import Interrupted, Messaged
from paramedic.core.words import Kind
from tests.core.audiences import arrive, pass_time, texts, told, treated, under_way
from tests.core.story import failure


def test_what_failed_for_now_is_sent_again_under_the_same_key() -> None:
    story = treated()
    story.wait(3)
    first = arrive(story, failed=failure(Kind.TEMPORARY, delay=30))
    story.wait(29)
    assert story.open_effects(Message) == []
    story.wait(1)
    again = arrive(story)

    assert (again.key, again.tries, again.doubtful) == (first.key, 2, False)
    assert told(story).tries == 0
    assert not story.said("could not be told")


def test_it_is_tried_five_times_ever_later_and_then_noted_and_pages_nobody() -> None:
    story = treated()
    story.send_all()
    pages, moments = len(story.all_of(Page)), []
    story.wait(2.5)
    for _ in range(5):
        moments.append(story.now)
        arrive(story, failed=failure(Kind.TEMPORARY, "Slack answered 429", delay=1))
        story.wait(60)

    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(moments)]
    assert [one.tries for one in story.all_of(Message)] == [1, 2, 3, 4, 5]
    assert gaps == [60.0] * 4
    assert story.texts("message") == ["engineering could not be told: Slack answered 429"]
    assert len(story.all_of(Page)) == pages
    assert pass_time(story, 300) == []


@pytest.mark.parametrize(("tries", "seconds"), [(1, 5), (2, 10), (3, 20), (4, 40)])
def test_each_wait_is_twice_the_one_before(tries: int, seconds: float) -> None:
    story = treated()
    story.wait(2.5)
    asked = story.now
    for n in range(tries):
        asked = story.now
        arrive(story, failed=failure(Kind.TEMPORARY))
        story.wait(0.001 if n + 1 == tries else 41)

    assert story.incident.timers["message"].due - asked == timedelta(seconds=seconds)


def test_what_was_given_up_is_not_tried_again_until_something_changes() -> None:
    story = treated()
    story.wait(3)
    arrive(story, failed=failure(Kind.PERMANENT, "the channel is archived"))
    story.wait(300)
    assert len(story.all_of(Message)) == 1
    story.act("alice", "ack")
    root, detail = pass_time(story, 10)

    assert (root.part, root.ref, root.tries) == ("root", "", 1)
    assert detail.lines[-1].endswith("acknowledged: by alice")
    assert story.texts("message") == [
        "engineering could not be told: the channel is archived",
        "engineering is being told",
    ]


def test_the_same_failure_is_noted_once() -> None:
    story = treated()
    for who in ("alice", "bob", "carol"):
        story.wait(5)
        arrive(story, failed=failure(Kind.PERMANENT, "the channel is archived"))
        story.act(who, "take")
    story.wait(5)
    arrive(story, failed=failure(Kind.PERMANENT, "Slack does not accept the token"))

    assert story.texts("message") == [
        "engineering could not be told: the channel is archived",
        "engineering could not be told: Slack does not accept the token",
    ]


def test_a_detail_that_was_given_up_keeps_nothing_back() -> None:
    story = treated()
    story.wait(3)
    arrive(story)
    story.wait(5)
    assert arrive(story, failed=failure(Kind.PERMANENT, "gone")).part == "detail"
    story.act("alice", "ack")
    root, detail = pass_time(story, 10)

    assert root.part == "root"
    assert texts([detail]) == ["09:00:08 acknowledged: by alice"]
    assert story.texts("message")[-1] == "engineering is being told again"


@pytest.mark.parametrize("kind", [Kind.UNKNOWN, Kind.TEMPORARY])
def test_only_what_may_have_arrived_is_looked_for(kind: Kind) -> None:
    story = treated()
    story.wait(2.5)
    first = arrive(story, failed=failure(kind))
    story.wait(4)
    assert under_way(story).doubtful is (kind is Kind.UNKNOWN) if story.open_effects(Message) else True
    story.wait(10)
    again = under_way(story)

    assert again.doubtful is (kind is Kind.UNKNOWN)
    assert again.since == first.since


def test_what_may_be_in_the_thread_already_is_not_sent_as_anything_else() -> None:
    """It would be found there, and what has happened since would be told to nobody."""
    story = treated()
    story.wait(3)
    arrive(story)
    story.wait(4)
    first = arrive(story, failed=failure(Kind.UNKNOWN))
    story.act("alice", "note", text="meanwhile")
    story.wait(6)
    again = arrive(story)
    later = pass_time(story, 10)

    assert (again.key, again.lines, again.doubtful) == (first.key, first.lines, True)
    assert [one.lines[0] for one in later] == ["09:00:07 note: meanwhile"]


def test_what_failed_is_tried_again_before_anything_else() -> None:
    """Also before the root, which comes first otherwise: else the thread's next message would take its key."""
    story = treated()
    pass_time(story, 10)
    story.act("alice", "note", text="first")
    story.wait(2)
    detail = arrive(story, failed=failure(Kind.UNKNOWN))
    story.act("alice", "ack")
    story.wait(5)
    again = arrive(story)
    later = pass_time(story, 10)

    assert (again.part, again.key, again.lines, again.tries) == ("detail", detail.key, detail.lines, 2)
    assert [one.part for one in later] == ["root", "detail"]
    assert later[1].key != detail.key


def test_a_doubt_about_an_edit_ends_with_it() -> None:
    story = treated()
    pass_time(story, 10)
    story.act("alice", "ack")
    for _ in range(5):
        story.wait(60)
        arrive(story, failed=failure(Kind.UNKNOWN))
    later = pass_time(story, 10)

    assert [(one.part, one.doubtful) for one in later] == [("detail", False)]


def test_a_doubt_lasts_until_it_is_cleared_up() -> None:
    story = treated()
    story.wait(2.5)
    first = arrive(story, failed=failure(Kind.UNKNOWN))
    for _ in range(3):
        story.wait(60)
        assert arrive(story, failed=failure(Kind.TEMPORARY)).doubtful
    story.wait(60)
    arrive(story, failed=failure(Kind.PERMANENT, "no"))
    story.act("alice", "ack")
    story.wait(10)
    assert under_way(story).doubtful
    assert under_way(story).since == first.since
    arrive(story)
    story.wait(10)

    assert not under_way(story).doubtful


def test_a_message_whose_process_died_is_asked_again_at_once_in_doubt() -> None:
    story = treated()
    story.wait(2.5)
    lost = under_way(story)
    story.fold(Interrupted(story.now, story.mode, lost.n))
    again = under_way(story)

    assert again.n != lost.n
    assert (again.key, again.doubtful, again.tries, again.since) == (lost.key, True, 1, lost.since)
    story.fold(Messaged(story.now, story.mode, lost.n, ref="C01/late"))
    assert under_way(story) == again


def test_a_dry_message_counts_as_told_and_the_timeline_says_so_once() -> None:
    story = treated()
    for _ in range(3):
        story.wait(5)
        arrive(story, ref="dry: SLACK_BOT_TOKEN is not set")
        story.act("alice", "note", text="x")
    entry = next(entry for _, entry in story.entries if entry.kind == "message")

    assert (entry.text, entry.note) == ("engineering: nobody is reached: SLACK_BOT_TOKEN is not set", "slack (dry)")
    assert len(story.texts("message")) == 1
    assert told(story).root
    arrive_later = pass_time(story, 30)
    assert all(one.ref.startswith("dry") for one in arrive_later if one.part == "root")


def test_once_it_is_no_longer_dry_it_is_said() -> None:
    story = treated()
    story.wait(3)
    arrive(story, ref="dry: SLACK_BOT_TOKEN is not set")
    story.act("alice", "ack")
    pass_time(story, 10)

    assert story.texts("message")[-1] == "engineering is being told"
