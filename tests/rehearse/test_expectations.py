"""What an expectation may say. Promise: what could never be met, or always is, is a fault and not a silent pass."""

from typing import Any

import pytest
from pydantic import ValidationError

from paramedic.rehearse.expectations import Expected, Forbidden
from paramedic.rehearse.script import Script


def expected(**written: Any) -> Expected:
    return Expected.model_validate(written)


@pytest.mark.parametrize(
    ("written", "kind", "wanted"),
    [
        ({"by": "2s", "page": {"level": 1}}, "page", {"level": 1}),
        ({"step": {"http": "hook/*"}}, "step", {"action": "http", "target": "hook/*"}),
        (
            {"step": {"http": "*", "to": {"path": "/a"}, "outcome": "failed"}},
            "step",
            {"action": "http", "target": "*", "to": {"path": "/a"}, "outcome": "failed"},
        ),
        ({"guard": {"cooldown": "deny"}}, "guard", {"name": "cooldown", "answer": "deny"}),
        (
            {"check": {"alert_cleared": "pass", "reason": "2m"}},
            "check",
            {"name": "alert_cleared", "answer": "pass", "reason": "2m"},
        ),
        ({"incident": {"phase": "resolved", "open": False}}, "incident", {"phase": "resolved", "open": False}),
        ({"run": {"outcome": "running", "of": "X*"}}, "run", {"outcome": "running"}),
        ({"entry": {"kind": "refused", "text": "because"}}, "entry", {"kind": "refused", "text": "because"}),
    ],
)
def test_what_may_be_expected(written: Any, kind: str, wanted: Any) -> None:
    read = expected(**written)
    assert read.kind == kind
    assert read.thing.wanted() == wanted


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ({"by": "2s"}, "names exactly one of page, message, step"),
        ({"page": {}, "step": {"http": "*"}}, "names exactly one of"),
        ({"step": {}}, "ACTION: TARGET"),
        ({"step": {"http": "*", "restart": "*"}}, "ACTION: TARGET"),
        ({"step": {"http": ["*"]}}, "valid string"),
        ({"step": {"http": "*", "outcome": "perhaps"}}, "'done', 'failed', 'unknown' or 'refused'"),
        ({"guard": {"cooldown": "pass"}}, '"pass" is not an answer; one of allow, deny, error, unknown'),
        ({"check": {"http": "allow"}}, '"allow" is not an answer; one of pass, fail, unknown'),
        ({"page": {"level": 0}}, "greater than or equal to 1"),
        ({"incident": {"phase": "over"}}, "'resolved'"),
        ({"page": {}, "at": "1s", "by": "2s"}, "at says when already"),
        ({"page": {}, "by": "1s", "after": "2s"}, "by lies before after"),
        ({"page": {}, "by": "1s", "within": "2s"}, "two deadlines"),
        ({"page": {}, "by": "-1s"}, "nothing happens before 0s"),
        ({"page": {}, "soon": True}, "Extra inputs"),
        ({"page": {"colour": "red"}}, "Extra inputs"),
    ],
)
def test_what_may_not(written: Any, says: str) -> None:
    with pytest.raises(ValidationError, match=says.replace("(", r"\(")):
        expected(**written)


def test_what_must_never_happen_has_no_time() -> None:
    assert Forbidden.model_validate({"page": {"level": 2}}).when() == "never"
    with pytest.raises(ValidationError, match="Extra inputs"):
        Forbidden.model_validate({"by": "2s", "page": {"level": 2}})


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({}, "at any time"),
        ({"by": "90s"}, "by 00:01:30"),
        ({"after": "1m", "by": "2m"}, "after 00:01:00, by 00:02:00"),
        ({"at": "15m"}, "at 00:15:00"),
        ({"within": "30s"}, "within 30s of the one above"),
        ({"times": 2, "by": "1h"}, "by 01:00:00, 2 times"),
    ],
)
def test_when_in_words(written: Any, said: str) -> None:
    assert expected(page={}, **written).when() == said


def test_the_rehearsal_ends_with_the_last_moment_it_names() -> None:
    def end(**rest: Any) -> float:
        return Script.model_validate({"rehearsal": "x", "when": [{"at": "5m", "repeat": "X"}], **rest}).end

    assert end() == 360
    assert end(then=[{"by": "8m", "page": {}}, {"after": "10m", "page": {}}]) == 600
    assert end(faults=[{"at": "20m", "crash": True, "down": "10s"}]) == 1270
    assert end(clock={"until": "1m"}) == 60
