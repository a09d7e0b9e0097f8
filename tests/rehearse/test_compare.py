"""Expectations against what happened: what counts as met, and what a failure shows beside what was expected."""

from typing import Any

import pytest

from paramedic.rehearse.compare import Finding, compare, fits
from paramedic.rehearse.script import Script
from paramedic.rehearse.witness import Happened


def happened(at: float, kind: str, said: str, *, incident: int = 1, title: str = "Down a", **facts: Any) -> Happened:
    return Happened(at, kind, incident, title, facts, said)


def entry(at: float, kind: str, text: str, *, incident: int = 1, title: str = "Down a") -> Happened:
    said = f"{kind} {text}"
    return Happened(at, "entry", incident, title, {"kind": kind, "text": text, "who": "", "note": ""}, said)


def step(at: float, target: str = "hook/a", outcome: str = "done", **to: Any) -> Happened:
    return happened(at, "step", f"step http {target}", action="http", target=target, to=to, outcome=outcome, undo=False)


def page(at: float, level: int = 1, text: str = "Down a") -> Happened:
    return happened(at, "page", f"page level {level}", level=level, to="sre", policy="p", text=text)


def judge(seen: list[Happened], **sections: Any) -> list[Finding]:
    minimal = {"rehearsal": "x", "when": [{"at": "0s", "alert": {"alertname": "Down"}}]}
    return compare(Script.model_validate({**minimal, **sections}), seen)


@pytest.mark.parametrize(
    ("wanted", "found", "does"),
    [
        ("a", "a", True),
        ("a", "b", False),
        ("a*", "abc", True),
        ("*", "", True),
        ("POST /x?id=*", "POST /x?id=1", True),
        ("a.c", "abc", False),
        ("[a]", "a", False),
        ("a*c", "a\nc", True),
        ({"a": "x*"}, {"a": "xy", "b": 1}, True),
        ({"a": 1}, {"b": 1}, False),
        ({"a": {"b": [1, "*"]}}, {"a": {"b": [1, "z"], "c": 0}}, True),
        ([1, 2], [1], False),
        (1, 1.0, True),
        (1, True, False),
        (True, True, True),
        (None, None, True),
        ("1", 1, False),
    ],
)
def test_what_fits(wanted: object, found: object, does: bool) -> None:
    assert fits(wanted, found) is does


@pytest.mark.parametrize(
    ("expected", "met"),
    [
        ({"by": "2s", "page": {"level": 1}}, True),
        ({"by": "1s", "page": {"level": 1}}, True),
        ({"by": "500ms", "page": {"level": 1}}, False),
        ({"at": "1s", "page": {"level": 1}}, True),
        ({"at": "2s", "page": {"level": 1}}, False),
        ({"after": "2s", "page": {"level": 1}}, False),
        ({"after": "1s", "by": "5s", "page": {}}, True),
        ({"page": {"level": 2}}, False),
        ({"page": {"text": "not treated"}}, True),
        ({"page": {"text": "treated twice"}}, False),
        ({"page": {"of": "Down *"}}, True),
        ({"page": {"of": "Slow *"}}, False),
        ({"times": 1, "page": {}}, True),
        ({"times": 2, "page": {}}, False),
        ({"times": 0, "page": {"level": 3}}, True),
        ({"times": 0, "page": {"level": 1}}, False),
        ({"times": 0, "by": "500ms", "page": {"level": 1}}, True),
    ],
)
def test_when_an_expectation_is_met(expected: Any, met: bool) -> None:
    assert (judge([page(1.0, text="Down a: not treated, because")], then=[expected]) == []) is met


def test_within_counts_from_the_expectation_above() -> None:
    seen = [page(10.0), step(15.0)]
    then = [{"page": {}}, {"within": "5s", "step": {"http": "*"}}]
    assert judge(seen, then=then) == []
    assert judge([page(10.0), step(15.1)], then=then) != []
    assert judge([page(10.0), step(9.0)], then=then) != []


@pytest.mark.parametrize(("outcome", "then", "never"), [("done", 0, 1), ("failed", 1, 1), ("unknown", 1, 1)])
def test_an_expected_step_worked_and_a_forbidden_one_need_not_have(outcome: str, then: int, never: int) -> None:
    seen = [step(1.0, outcome=outcome)]
    assert len(judge(seen, then=[{"step": {"http": "hook/*"}}])) == then
    assert len(judge(seen, never=[{"step": {"http": "*"}}])) == never


def test_a_refused_step_touched_nothing() -> None:
    seen = [step(1.0, outcome="refused")]
    assert judge(seen, never=[{"step": {"http": "*"}}]) == []
    assert judge(seen, then=[{"step": {"http": "*", "outcome": "refused"}}]) == []


def test_a_step_is_known_by_a_part_of_what_it_wrote() -> None:
    seen = [step(1.0, path="/restart?id=7", body={"id": "7", "why": "x"})]
    assert judge(seen, then=[{"step": {"http": "*", "to": {"path": "/restart*", "body": {"id": "7"}}}}]) == []
    assert judge(seen, then=[{"step": {"http": "*", "to": {"path": "/stop*"}}}]) != []


def test_the_state_of_an_incident_at_a_moment() -> None:
    def state(at: float, phase: str, incident: int = 1) -> Happened:
        return happened(at, "incident", f"phase {phase}", incident=incident, phase=phase)

    seen = [state(1.0, "detected"), state(60.0, "resolved"), state(70.0, "detected", incident=2)]
    assert judge(seen, then=[{"at": "30s", "incident": {"phase": "detected"}}]) == []
    assert judge(seen, then=[{"at": "60s", "incident": {"phase": "resolved"}}]) == []
    (finding,) = judge(seen, then=[{"at": "59s", "incident": {"phase": "resolved"}}])
    assert finding.happened == "00:00:01  phase detected"
    (finding,) = judge(seen, then=[{"at": "0s", "incident": {"phase": "detected"}}])
    assert finding.happened == "no incident by then"
    assert judge(seen, then=[{"at": "80s", "incident": {"phase": "detected"}}]) == []


def test_a_forbidden_thing_is_shown_with_the_entry_that_let_it_happen() -> None:
    seen = [
        entry(0.0, "alert", "Down a is firing"),
        entry(0.1, "guards", "2 of 2 allow: change at -50m is within 1h"),
        entry(0.1, "guards", "refused by cooldown", incident=2, title="Down b"),
        step(90.0),
        entry(90.0, "apply", "POST answered 200"),
    ]
    (finding,) = judge(seen, never=[{"page": {}}, {"step": {"http": "*"}}])
    assert finding == Finding(
        "never",
        1,
        "never   step http *",
        "00:01:30  step http hook/a",
        "00:00:00  guards 2 of 2 allow: change at -50m is within 1h",
    )


def test_a_missing_thing_is_shown_with_the_entry_that_kept_it_away() -> None:
    seen = [entry(0.0, "alert", "Down a is firing"), entry(0.1, "guards", "refused by cooldown: 3m ago"), page(0.2)]
    (finding,) = judge(seen, then=[{"by": "90s", "step": {"http": "hook/*"}}])
    assert finding == Finding(
        "then", 0, "by 00:01:30   step http hook/*", "no step", "00:00:00  guards refused by cooldown: 3m ago"
    )


def test_a_late_thing_is_shown_with_its_moment() -> None:
    seen = [entry(0.0, "incident", "opened"), page(1.0, 1), page(120.0, 2), entry(150.0, "page", "level 2")]
    (finding,) = judge(seen, then=[{"by": "1m", "page": {"level": 2}}])
    assert (finding.happened, finding.because) == ("00:02:00  page level 2", "00:00:00  incident opened")


def test_the_nearest_thing_is_shown_when_none_is_as_expected() -> None:
    seen = [entry(0.0, "incident", "opened"), page(1.0, 1), page(2.0, 2)]
    (finding,) = judge(seen, then=[{"page": {"level": 2, "policy": "other"}}])
    assert finding.happened == "00:00:02  page level 2"
    assert finding.expected == "at any time   page level 2, policy other"


def test_nothing_at_all_says_that_no_incident_was_opened() -> None:
    (finding,) = judge([], then=[{"page": {}}])
    assert (finding.happened, finding.because) == ("no page", "no alert had opened an incident by then")


def test_too_many_are_shown_up_to_three() -> None:
    (finding,) = judge([page(1.0 * n) for n in range(1, 6)], then=[{"times": 2, "page": {}}])
    assert finding.happened.startswith("5 times: 00:00:01  page level 1; 00:00:02")
    assert finding.happened.endswith("00:00:03  page level 1; …")


def test_one_unmet_expectation_does_not_hide_the_next() -> None:
    found = judge([], then=[{"page": {}}, {"step": {"http": "*"}}], never=[{"run": {}}])
    assert [finding.position for finding in found] == [0, 1]
