"""Who may act: teams, the one who asked, the one who changed the playbook, and whom a guard names."""

from typing import Any

import pytest

from paramedic.core.acts import ACTS
from paramedic.core.bundle import Person
from paramedic.core.entitled import forbidden
from paramedic.core.events import Acted
from paramedic.core.model import Ask, Verdict
from paramedic.core.words import Answer, Mode
from tests.core.builders import book, bundle, guard, people, rule
from tests.core.story import Story

STAFF = people(
    Person("dan", roles=("approver", "operator"), teams=("dba",)),
    Person("gil", roles=("approver", "operator"), teams=("sre",)),
    Person("ann", roles=("admin",)),
)


def story_of(*, team: str = "", rule_team: str = "", **about: Any) -> Story:
    """A plan waits for the mode's approval."""
    world = bundle(book(team=team, **about), rules=(rule(team=rule_team),), staff=STAFF)
    return Story(world, Mode.APPROVE).until_write()


def may(story: Story, who: str, what: str, **about: Any) -> bool:
    return not why(story, who, what, **about)


def why(story: Story, who: str, what: str, **about: Any) -> str:
    run = 1 if what in ("approve", "deny", "cancel") else None
    return forbidden(story.incident, Acted(story.now, story.mode, who, what, run, **about), story.bundle)


@pytest.mark.parametrize("what", ACTS)
def test_where_no_team_is_named_everybody_with_the_role_acts(what: str) -> None:
    assert may(story_of(), "gil", what)
    assert may(story_of(), "root", what)


@pytest.mark.parametrize("what", ACTS)
def test_where_a_team_is_named_its_people_act_and_admins(what: str) -> None:
    story = story_of(rule_team="dba")

    assert may(story, "dan", what)
    assert may(story, "ann", what)
    assert may(story, "gil", what) is (what in ("ack", "note")), "whoever is paged says that they are there"
    assert may(story, "root", what) is (what in ("ack", "note"))


def test_of_a_run_the_playbook_says_the_team_and_of_the_incident_the_rule() -> None:
    story = story_of(team="dba", rule_team="sre")

    assert (may(story, "dan", "approve"), may(story, "gil", "approve")) == (True, False)
    assert (may(story, "dan", "take"), may(story, "gil", "take")) == (False, True)
    assert why(story, "gil", "approve") == "this is for the team dba, and gil is not of it"


def test_groups_are_those_of_the_moment_of_the_act() -> None:
    """Somebody who has joined the team since the incident opened acts, and somebody who left does not."""
    story = story_of(rule_team="dba")

    assert may(story, "gil", "take", groups=("operator", "dba"))
    assert not may(story, "dan", "take", groups=("operator",))


def test_whoever_asked_for_it_cannot_approve_it() -> None:
    story = story_of()
    story.incidents[1] = type(story.incident)(
        **{name: getattr(story.incident, name) for name in story.incident.__struct_fields__ if name != "opened_by"},
        opened_by="gil",
    )

    assert why(story, "gil", "approve") == "gil has asked for this, and somebody else has to approve it"
    assert may(story, "dan", "approve")
    assert may(story, "gil", "deny"), "to take it back is everybody's"


def test_whoever_changed_the_playbook_last_cannot_approve_it() -> None:
    story = story_of(changed_by="dan")

    assert why(story, "dan", "approve") == "dan has changed restart last, and somebody else has to approve it"
    assert may(story, "gil", "approve")


def asked(*among: str) -> Story:
    guards = (guard(), guard("approval", asked="people"))
    story = Story(bundle(book(guards=guards), staff=STAFF)).until_write()
    story.judge(Verdict("approval", Answer.DENY, "waits", asks=Ask(1, among)))
    return story


def test_only_those_who_are_asked_approve_and_admins_are_no_exception() -> None:
    story = asked("dba")

    assert may(story, "dan", "approve")
    assert why(story, "gil", "approve") == "it waits for an approval by dba, and gil is none of them"
    assert not may(story, "ann", "approve")
    assert may(asked("admin"), "ann", "approve")


def test_only_people_count_where_people_are_named() -> None:
    """The account that the service runs under has a name as well, and is nobody."""
    assert not may(asked("approver"), "root", "approve", groups=("approver", "admin"))
    assert may(asked("approver"), "gil", "approve", groups=("approver",))


def test_what_may_not_be_changes_nothing_even_if_it_comes_through() -> None:
    story = asked("dba")

    story.act("gil", "approve", run=1)

    assert story.run.approvals == ()
    assert story.texts("refused") == ["approve: it waits for an approval by dba, and gil is none of them"]


@pytest.mark.parametrize("what", ACTS)
def test_the_timeline_says_of_every_act_who_by_which_way_and_from_where(what: str) -> None:
    story = story_of()
    run = 1 if what in ("approve", "deny", "cancel") else None
    story.act("dan", what, run=run, other=7, way="cli", origin="10.0.0.7")

    entries = [entry for _, entry in story.entries if entry.who == "dan"]
    assert entries
    assert {entry.note for entry in entries} == {"by cli from 10.0.0.7"}


def test_an_act_of_before_says_only_who() -> None:
    story = story_of()
    story.act("dan", "take")

    assert {entry.note for _, entry in story.entries if entry.who == "dan"} == {""}
