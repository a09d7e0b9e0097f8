"""Which keys a file may hold, and that a name stands for one thing."""

import pytest

from paramedic.catalog.documents import read
from paramedic.catalog.entries import NOUNS, gathered
from paramedic.catalog.faults import Faults
from paramedic.errors import Fault
from tests.catalog.texts import BOOK, HOOK, faults, loaded


def found(*texts: str) -> tuple[dict[str, list[str]], list[str]]:
    """The names of the entries by key, and the faults."""
    wrong = Faults()
    documents = [document for n, text in enumerate(texts) for document in read(f"{n}.yaml", text, wrong)]
    entries = gathered(documents, wrong)
    return {key: [item.name for item in items] for key, items in entries.items() if items}, [
        str(fault) for fault in wrong.sorted()
    ]


def test_any_file_may_hold_any_key_and_order_is_kept() -> None:
    names, wrong = found(
        "rules: [{name: a}, {name: b}]\npeople: [{name: p}]\n---\nplaybook: x\n---\nrules: [{name: c}]\n",
        "playbook: y\n---\nrules: [{name: d}]\nwindows: [{name: w}]\n",
    )

    assert wrong == []
    assert names == {"rules": ["a", "b", "c", "d"], "people": ["p"], "playbook": ["x", "y"], "windows": ["w"]}


def test_an_entry_knows_its_line() -> None:
    wrong = Faults()
    documents = read("f.yaml", "rules:\n  - name: a\n\n  - name: b\n", wrong)

    assert [item.at for item in gathered(documents, wrong)["rules"]] == ["f.yaml:2", "f.yaml:4"]


@pytest.mark.parametrize("key", NOUNS)
def test_a_key_may_be_empty(key: str) -> None:
    assert found(f"{key}:\n") == ({}, [])
    assert found(f"{key}: []\n") == ({}, [])


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("rule: []\n", '1:1: unknown key "rule"; did you mean "rules"?'),
        ("Rules: []\n", '1:1: unknown key "Rules"; did you mean "rules"?'),
        ("playbok: x\ntarget: y\n", '1:1: unknown key "playbok"; did you mean "playbook"?'),
        ("target: y\n", '1:1: unknown key "target"; a playbook begins with "playbook: NAME"'),
        ("schedules: []\n", '1:1: unknown key "schedules"; keys: sources, rules, services, people,'),
        ("comunication: []\n", '1:1: unknown key "comunication"; did you mean "communication"?'),
        ("rehearsal: x\n", '1:1: unknown key "rehearsal"; a rehearsal stands in a file NAME.test.yaml'),
        ("rules: {a: b}\n", "1:8: rules must be a list; begin each rule with -"),
        ("people: alice\n", "1:9: people must be a list; begin each person with -"),
        ("escalation: 5\n", "1:13: escalation must be a list; begin each policy with -"),
        ("- a\n", "1:1: a file holds keys, such as rules: or playbook:; keys: sources"),
        ("text\n", "1:1: a file holds keys"),
    ],
)
def test_what_is_no_key(text: str, fault: str) -> None:
    _, wrong = found(text)

    assert fault in wrong[0].removeprefix("0.yaml:")


@pytest.mark.parametrize(("key", "noun"), [(key, noun) for key, noun in NOUNS.items() if key != "services"])
def test_a_name_stands_for_one_thing_of_a_kind(key: str, noun: str) -> None:
    names, wrong = found(f"{key}: [{{name: a}}]\n", f"{key}:\n  - {{name: b}}\n  - {{name: a}}\n")
    article = "an" if noun == "endpoint" else "a"

    assert names[key] == ["a", "b"]
    assert wrong == [f'1.yaml:3:12: {article} {noun} "a" is there already, at 0.yaml:1; choose another name']


def test_two_playbooks_of_one_name() -> None:
    assert faults(HOOK + BOOK + BOOK) == [
        '11:11: a playbook "restart" is there already, at f.yaml:4; choose another name'
    ]


def test_the_same_name_may_stand_for_things_of_different_kinds() -> None:
    assert found("rules: [{name: a}]\npeople: [{name: a}]\n---\nplaybook: a\n")[1] == []


def test_entries_without_a_name_are_all_kept() -> None:
    """What is missing in them is said by their models."""
    assert found("services: [{match: []}, {match: []}]\npeople: [{}, 5, {name: 7}]\n") == (
        {"services": ["", ""], "people": ["", "", ""]},
        [],
    )


def test_a_field_is_parsed_at_its_place() -> None:
    def refuse(text: str) -> int:
        raise Fault("x", f"{text} is wrong", "be right")

    wrong = Faults()
    (document,) = read("f", "windows:\n  - {name: w, on: never}\n", wrong)
    (item,) = gathered([document], wrong)["windows"]

    assert item.parsed("name", str.upper, wrong) == "W"
    assert item.parsed("zone", str.upper, wrong, "utc") == "UTC"
    assert item.parsed("on", refuse, wrong) is None
    assert [str(fault) for fault in wrong.sorted()] == ["f:2:19: on: never is wrong; be right"]


def test_nothing_is_lost_beside_an_unknown_key() -> None:
    text = "rulez: []\n---\n" + HOOK + BOOK + "peeple: []\nrules:\n  - {name: a}\n"

    assert [fault.what for fault in loaded(text).faults] == [
        'unknown key "rulez"',
        'unknown key "peeple"',
        'rule has no "match"',
        'rule has no "playbook"',
    ]
