"""What people do: who may, what speaks against it, and what follows."""

import pytest

from paramedic.core.acts import ACTS, objection, role_for, warning
from paramedic.core.effects import Apply, Judge, Page
from paramedic.core.events import Acted
from paramedic.core.words import Mode, Outcome, Phase
from tests.core.builders import HOUR, MINUTE, after, book, bundle, firing, resolved, rule, verified
from tests.core.story import Story, deny


def fired(mode: Mode = Mode.AUTO) -> Story:
    """An alert fires; its guards have been asked."""
    story = Story(bundle(verified()), mode)
    story.deliver(firing())
    return story


def against(story: Story, what: str, run: int | None = None, who: str = "alice") -> str:
    return objection(story.incident, Acted(story.now, story.mode, who, what, run), story.bundle)


@pytest.mark.parametrize("what", ACTS)
def test_approving_is_for_approvers_and_the_rest_for_operators(what: str) -> None:
    assert role_for(what) == ("approver" if what in ("approve", "deny") else "operator")


# -- what speaks against it -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["ack", "take", "snooze", "escalate", "close"])
def test_what_is_over_is_not_acted_on(what: str) -> None:
    story = fired()
    assert against(story, what) == ""

    story.deliver(resolved(ends=20))

    assert against(story, what) == "INC-1 is resolved already, itself"


def test_a_note_can_always_be_written() -> None:
    story = fired()
    story.deliver(resolved(ends=20))

    story.act("alice", "note", text="it was the\nbatch job")

    assert story.texts("note") == ["it was the batch job"]


def test_whoever_acknowledges_second_is_told_who_was_first() -> None:
    story = fired()
    story.act("alice", "ack")

    assert against(story, "ack") == "INC-1 was acknowledged already by alice"


def test_above_the_last_level_there_is_nobody() -> None:
    story = fired()
    story.wait(2)
    for _ in range(2):
        story.act("alice", "escalate")

    assert against(story, "escalate") == "INC-1 has no further level to go to"
    assert against(Story(bundle(rules=(rule(escalation=""),))).until_write(), "escalate") != ""


@pytest.mark.parametrize("what", ["approve", "deny", "cancel"])
def test_an_act_on_a_run_is_bound_to_that_run(what: str) -> None:
    story = fired(Mode.APPROVE)
    story.judge()
    story.plan()

    assert against(story, what, 1) == ""
    assert against(story, what, 2) == "INC-1 has no run 2"
    assert against(story, what, None) == "INC-1 has no run None"


@pytest.mark.parametrize("what", ["approve", "deny", "cancel"])
def test_a_run_that_is_over_says_what_was_decided(what: str) -> None:
    story = fired(Mode.APPROVE)
    story.judge()
    story.plan()
    story.act("carol", "deny", run=1, text="too late")

    assert against(story, what, 1) == "run INC-1.1 was decided already: denied, denied by carol: too late"


def test_a_run_that_waits_for_no_approval_cannot_be_approved() -> None:
    story = fired(Mode.APPROVE)
    assert against(story, "approve", 1) == "run INC-1.1 does not wait for an approval"
    story.judge()
    story.plan()
    story.act("carol", "approve", run=1)

    assert against(story, "approve", 1) == "run INC-1.1 does not wait for an approval: approved by carol"
    assert against(story, "cancel", 1) == ""


@pytest.mark.parametrize(("what", "run"), [("approve", 1), ("deny", 7), ("cancel", 7)])
def test_what_cannot_be_done_changes_nothing_even_if_it_comes_through(what: str, run: int) -> None:
    story = fired()
    before = story.incident

    story.act("mallory", what, run=run)

    assert story.incident == before
    assert len(story.texts("refused")) == 1


# -- take -------------------------------------------------------------------------------------------------------------


def test_taken_over_automation_stands_down_and_the_climb_stops() -> None:
    story = fired()
    story.wait(2)

    story.act("alice", "take")

    assert (story.incident.owner, story.incident.paging.acked_by) == ("alice", "alice")
    assert (story.ended.outcome, story.ended.reason) == (Outcome.CANCELLED, "alice has taken the incident over")
    story.deliver(firing(pod="b"), firing(pod="a", starts=40))
    assert (story.incident.run, story.open_effects(Judge)) == (None, [])


def test_taken_over_during_a_write_the_run_stops_once_it_is_back() -> None:
    story = Story(bundle(verified())).until_write()

    story.act("alice", "take")
    assert story.said("will stop when the write under way has come back")
    story.apply()

    assert (story.ended.outcome, story.ended.acted) == (Outcome.CANCELLED, True)
    assert len(story.all_of(Apply)) == 1


def test_taking_over_what_somebody_else_has_acknowledged_keeps_their_hold() -> None:
    story = fired()
    story.act("bob", "ack")

    story.act("alice", "take")

    assert (story.incident.owner, story.incident.paging.acked_by) == ("alice", "bob")


def test_whoever_has_it_is_paged_again_when_the_hold_runs_out() -> None:
    """Taken and forgotten is not taken."""
    story = fired()
    story.wait(2)
    story.act("alice", "take")

    story.wait(HOUR)

    assert story.paged() == [(1, "alice"), (1, "alice")]
    assert story.incident.owner == "alice"


# -- cancel and close -------------------------------------------------------------------------------------------------


def test_a_cancelled_run_lets_the_next_treatment_be_judged() -> None:
    rules = (rule("slow", "Slow", playbook="scale"), rule("down", "Down"))
    story = Story(bundle(book("scale"), book("restart"), rules=rules))
    story.deliver(firing(name="Slow"))
    story.deliver(firing(name="Down"))

    story.act("alice", "cancel", run=1)

    assert (story.incident.past[0].outcome, story.run.playbook) == (Outcome.CANCELLED, "restart")


def test_closed_by_hand_it_is_resolved_with_everything_that_hangs_on_it() -> None:
    story = fired()
    story.wait(2)
    story.send()

    story.act("alice", "close", text="known, the upgrade")

    assert (story.incident.phase, story.incident.fixed_by) == (Phase.RESOLVED, "closed by hand")
    assert story.ended.reason == "alice closed the incident"
    assert [page.verb for page in story.open_effects(Page)] == ["resolve"]
    warned = "1 alert of it still fires: the next repeat of main, within 4h55m, brings it back, untreated"
    assert (story.texts("closing"), story.said("no longer followed")) == ([f"known, the upgrade; {warned}"], True)
    story.wait(16 * MINUTE)
    story.send_all()
    story.wait(MINUTE)
    assert story.open_incidents() == []


def test_closing_what_fires_no_more_warns_of_nothing() -> None:
    story = fired()
    closing = Acted(story.now, story.mode, "alice", "close")
    assert warning(story.incident, closing, story.bundle).startswith("1 alert of it still fires")

    story.deliver(resolved(ends=20))

    assert warning(story.incident, closing, story.bundle) == ""


# -- link -------------------------------------------------------------------------------------------------------------


def test_linked_it_is_said_once_and_kept() -> None:
    story = fired()
    story.act("alice", "link", other=7)

    assert (story.texts("linked"), story.incident.links) == (["to INC-7"], (7,))
    again = Acted(story.now, story.mode, "alice", "link", other=7)
    assert objection(story.incident, again, story.bundle) == "INC-1 is linked to INC-7 already"


@pytest.mark.parametrize("other", [1, None])
def test_an_incident_is_not_linked_to_itself_or_nothing(other: int | None) -> None:
    story = fired()
    linking = Acted(story.now, story.mode, "alice", "link", other=other)

    assert objection(story.incident, linking, story.bundle) == "INC-1 can be linked to another incident only"


def test_of_very_many_links_the_last_ones_are_kept() -> None:
    story = fired()
    for number in range(2, 40):
        story.act("alice", "link", other=number)

    assert story.incident.links == tuple(range(20, 40))


def test_closed_by_hand_no_waiting_treatment_is_started() -> None:
    rules = (rule("slow", "Slow", playbook="scale"), rule("down", "Down"))
    story = Story(bundle(book("scale"), book("restart"), rules=rules))
    story.deliver(firing(name="Slow"), firing(name="Down"))

    story.act("alice", "close")

    assert (story.incident.runs, story.incident.candidates) == (1, ())


def test_closed_by_hand_during_a_write_it_is_resolved_once_that_is_back() -> None:
    story = Story(bundle(verified())).until_write()
    story.act("alice", "close")
    assert story.incident.phase is Phase.RESPONDING

    story.apply()

    assert (story.ended.outcome, story.ended.reason) == (Outcome.CANCELLED, "alice closed the incident")
    assert (story.incident.phase, story.incident.fixed_by) == (Phase.RESOLVED, "closed by hand")


def test_closed_by_hand_while_its_alert_fires_the_next_repeat_brings_it_back() -> None:
    """Resolved by a person while firing is an acknowledgement with a timeout: somebody is paged, nothing is treated."""
    story = fired()
    story.judge(deny())
    story.act("alice", "close")
    story.wait(5 * MINUTE)

    story.deliver(firing())
    story.wait(2)

    assert (list(story.incidents), story.incident.phase) == ([1], Phase.DETECTED)
    assert (story.incident.run, story.incident.runs) == (None, 1)
    assert story.paged()[-1] == (1, "alice")


def test_a_doubt_is_closed_with_its_incident() -> None:
    story = fired()
    story.deliver(firing(pod="b"), resolved(ends=20))
    story.now = after(30)
    story.deliver(firing())
    assert (story.incident.firing.open, story.incident.firing.doubted) == (1, 1)

    story.act("alice", "close")

    assert (story.incident.firing.open, story.incident.firing.doubted) == (0, 0)
    assert (story.incident.phase, "doubt" in story.incident.timers) == (Phase.RESOLVED, False)


def test_an_act_of_a_later_version_is_noted_and_changes_nothing() -> None:
    story = fired()
    before = story.incident

    story.act("alice", "merge")

    assert story.incident == before
    assert story.texts("note") == ["an act that this version does not know: merge"]
