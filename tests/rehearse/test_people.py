"""People in a rehearsal act on what concerns them, and on nothing else."""

from typing import Any

import pytest

from paramedic.rehearse.people import People
from paramedic.rehearse.scenery import World
from paramedic.rehearse.witness import Happened


def page(level: int = 1, to: str = "sre", title: str = "Down api") -> Happened:
    return Happened(0.0, "page", 7, title, {"level": level, "to": to}, "page")


APPROVAL = Happened(0.0, "approval", 7, "Down api", {"run": 2}, "waits")


def done(habits: dict[str, Any], *happened: Happened) -> list[tuple[float, str, str]]:
    did: list[tuple[float, str, str]] = []
    people = People(
        World.model_validate({"people": habits}).people, lambda after, who, what, _: did.append((after, who, what))
    )
    for one in happened:
        people.told(one)
    return did


@pytest.mark.parametrize(
    ("reaction", "acts"),
    [
        ({"after": "3m"}, True),
        ({"after": "3m", "level": 1}, True),
        ({"after": "3m", "level": 2}, False),
        ({"after": "3m", "to": "s*"}, True),
        ({"after": "3m", "to": "bob"}, False),
        ({"after": "3m", "of": "Down *"}, True),
        ({"after": "3m", "of": "Slow *"}, False),
    ],
)
def test_which_pages_concern_somebody(reaction: dict[str, Any], acts: bool) -> None:
    assert done({"alice": {"acks": reaction}}, page()) == ([(180.0, "alice", "ack")] if acts else [])


def test_everybody_acts_by_their_own_habits() -> None:
    habits = {
        "alice": {"acks": {"after": 1}, "approves": {"after": 2}},
        "bob": {"takes": {"after": 3}, "denies": {"after": 4}},
    }
    assert done(habits, page()) == [(1, "alice", "ack"), (3, "bob", "take")]
    assert done(habits, APPROVAL) == [(2, "alice", "approve"), (4, "bob", "deny")]


def test_each_page_is_cause_once_and_other_things_are_none() -> None:
    other = Happened(0.0, "entry", 7, "Down api", {"kind": "page", "text": ""}, "page")
    assert len(done({"alice": {"acks": {"after": 1}}}, page(), other, page(level=2), APPROVAL)) == 2
