"""What is kept of an answer is small and printable, whatever a plug-in returns."""

import math
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paramedic.core.bounds import LARGEST, REASON, bounded, bounded_evidence
from paramedic.core.model import Claim, Verdict
from paramedic.core.words import Answer

HOSTILE = st.text(alphabet=st.sampled_from('a"\\\n\r\t\x00\x1b\u202e\u2066\ud800${}[]|`'), max_size=450)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | HOSTILE,
    lambda inner: st.lists(inner, max_size=40) | st.dictionaries(HOSTILE, inner, max_size=40),
    max_leaves=40,
)


def strings(value: Any) -> list[str]:
    match value:
        case str():
            return [value]
        case dict():
            return [text for pair in value.items() for item in pair for text in strings(item)]
        case list():
            return [text for item in value for text in strings(item)]
        case _:
            return []


@settings(max_examples=20, deadline=None)
@given(st.dictionaries(HOSTILE, VALUES, max_size=60), HOSTILE)
def test_whatever_a_plug_in_returns_is_small_printable_json(seen: dict[str, Any], reason: str) -> None:
    kept = bounded(Verdict("budget", Answer.DENY, reason, seen, again=3.0), "budget")

    assert len(msgspec.json.encode(kept.seen)) <= LARGEST
    assert msgspec.json.decode(msgspec.json.encode(kept.seen)) == kept.seen
    assert all(text.isprintable() for text in (kept.reason, *strings(kept.seen)))
    assert len(kept.reason) <= REASON
    assert (kept.answer, kept.again) == (Answer.DENY, 3.0)


def test_what_is_small_stays_as_it_is() -> None:
    verdict = Verdict("budget", Answer.ALLOW, "2 of 5", {"used": 2, "by": ["a", {"b": None}], "share": 0.4, "ok": True})

    assert bounded(verdict, "budget") is verdict


def test_an_answer_is_in_the_name_of_the_one_who_was_asked() -> None:
    assert bounded(Verdict("still_firing", Answer.ALLOW, ""), "budget").name == "budget"


def test_what_is_left_out_shows() -> None:
    deep: dict[str, Any] = {"x": 1}
    for _ in range(10):
        deep = {"in": deep}
    kept = bounded_evidence({"list": list(range(100)), "deep": deep, **{f"k{n}": n for n in range(50)}})

    assert kept["list"][-1] == "… 68 more"
    assert kept["…"] == "20 more"
    assert "…" in str(kept["deep"])


def test_of_too_much_the_first_that_fits_is_kept() -> None:
    kept = bounded_evidence({"small": 1, "huge": ["x" * 400] * 30, "last": 2})

    assert kept == {"small": 1, "last": 2, "…": "1 more"}


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (math.nan, "nan"),
        (math.inf, "inf"),
        (2**70, str(2**70)),
        (datetime(2026, 5, 12, tzinfo=UTC), "2026-05-12 00:00:00+00:00"),
        ("two\nlines\u202e", "two lines"),
        (b"bytes", "b'bytes'"),
        (Answer.ALLOW, "allow"),
        (("a", 1), ["a", 1]),
        ("x" * 500, "x" * 399 + "…"),
    ],
)
def test_what_is_no_json_becomes_text(value: Any, plain: Any) -> None:
    assert bounded_evidence({"value": value}) == {"value": plain}


def test_claims_without_end_are_a_defect() -> None:
    with pytest.raises(ValueError, match="claims 17 scopes"):
        bounded(Verdict("budget", Answer.ALLOW, "", claims=tuple(Claim(f"x/{n}") for n in range(17))), "budget")
