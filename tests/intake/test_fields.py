"""The fields of one alert: identity that nobody can forge, times in UTC, texts that stay within bounds."""

import hashlib
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paramedic.errors import Fault
from paramedic.intake.fields import annotations_within, clean, digest_of, identity_of, labels_json, link_or_none, moment
from tests.intake.bodies import PATIENT

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
LABELS = st.dictionaries(TEXT, TEXT, max_size=6)


class TestIdentity:
    """Promise 2 stands on this: the same labels are the same alert, other labels another one."""

    def test_it_is_stable_from_release_to_release(self) -> None:
        """A changed identity would open every episode a second time, so these are written down."""
        assert identity_of({"alertname": "Up", "job": "a"}) == (
            hashlib.sha256(b'{"alertname":"Up","job":"a"}').hexdigest()
        )
        assert labels_json({"b": 'q"\\\n\x01\x7f/é😀', "a": ""}) == '{"a":"","b":"q\\"\\\\\\n\\u0001\x7f/é😀"}'.encode()

    def test_it_does_not_depend_on_the_order_sent(self) -> None:
        assert identity_of({"a": "1", "b": "2"}) == identity_of({"b": "2", "a": "1"})

    def test_names_are_sorted_by_code_point(self) -> None:
        assert labels_json({"\uffff": "", "😀": "", "a": "", "B": ""}) == '{"B":"","a":"","\uffff":"","😀":""}'.encode()

    def test_moving_a_character_between_name_and_value_makes_another_alert(self) -> None:
        assert len({identity_of(labels) for labels in ({"ab": "c"}, {"a": "bc"}, {"a": "b", "c": ""})}) == 3

    @PATIENT
    @given(LABELS, LABELS)
    def test_equal_identity_means_equal_labels(self, one: dict[str, str], other: dict[str, str]) -> None:
        assert (identity_of(one) == identity_of(other)) == (one == other)

    @PATIENT
    @given(LABELS)
    def test_it_is_the_digest_of_json_that_says_the_same(self, labels: dict[str, str]) -> None:
        canonical = labels_json(labels)

        assert json.loads(canonical) == labels
        assert list(json.loads(canonical)) == sorted(labels)
        assert digest_of(canonical) == identity_of(labels)


class TestMoment:
    @pytest.mark.parametrize(
        ("text", "wanted"),
        [
            ("2026-11-22T02:47:45Z", datetime(2026, 11, 22, 2, 47, 45, tzinfo=UTC)),
            ("2026-11-22T02:47:45.1706Z", datetime(2026, 11, 22, 2, 47, 45, 170600, tzinfo=UTC)),
            ("2026-11-22T02:47:45.999999999Z", datetime(2026, 11, 22, 2, 47, 45, 999999, tzinfo=UTC)),
            ("2026-11-22T02:47:45.170612345+05:30", datetime(2026, 11, 21, 21, 17, 45, 170612, tzinfo=UTC)),
            ("2026-11-22T02:47:45-08:00", datetime(2026, 11, 22, 10, 47, 45, tzinfo=UTC)),
            ("1970-01-01T00:00:00Z", datetime(1970, 1, 1, tzinfo=UTC)),
        ],
    )
    def test_a_time_is_in_utc_and_cut_at_the_microsecond(self, text: str, wanted: datetime) -> None:
        found = moment("startsAt", text)

        assert found == wanted
        assert found is not None
        assert found.tzinfo is UTC

    @pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+10:00", "0001-01-01T00:00:00-08:00"])
    def test_the_zero_time_is_no_time(self, text: str) -> None:
        assert moment("endsAt", text) is None

    @pytest.mark.parametrize(
        "text", ["", "soon", "2026-13-01T00:00:00Z", "2026-11-22T02:47:60Z", "9" * 200, "٢٠٢٦-11-22T02:47:45Z", "\x00"]
    )
    def test_what_is_no_time_is_a_fault_that_can_be_printed(self, text: str) -> None:
        with pytest.raises(Fault, match=r"^startsAt: .* is not a time; for example 2026") as caught:
            moment("startsAt", text)

        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < 200

    @PATIENT
    @given(st.text(max_size=40))
    def test_nothing_else_is_raised(self, text: str) -> None:
        try:
            found = moment("startsAt", text)
        except Fault:
            return
        assert found is None or found.tzinfo is UTC


class TestAnnotations:
    def test_a_long_value_is_cut_with_a_mark(self) -> None:
        kept = annotations_within({"summary": "x" * 20_000, "runbook": "http://x"})

        assert kept["summary"] == "x" * 16_384 + "… (cut)"
        assert kept["runbook"] == "http://x"

    def test_no_character_is_cut_in_half(self) -> None:
        kept = annotations_within({"a": "x" + "é" * 10_000})

        assert kept["a"].removesuffix("… (cut)") == "x" + "é" * 8191

    def test_all_of_them_together_stay_bounded(self) -> None:
        kept = annotations_within({f"a{n}": "x" * 10_000 for n in range(100)})

        assert len(kept) == 7
        assert sum(len(value) for value in kept.values()) < 66_000
        assert kept["a0"] == "x" * 10_000
        assert kept["a6"].endswith("… (cut)")

    def test_a_multitude_of_empty_ones_stays_bounded(self) -> None:
        assert len(annotations_within({f"{n:07}": "" for n in range(20_000)})) < 10_000


class TestLink:
    @pytest.mark.parametrize("url", ["http://prom/graph?g0.expr=up", "https://prom.example/graph"])
    def test_a_link_is_kept_as_it_is(self, url: str) -> None:
        assert link_or_none(url) == url

    @pytest.mark.parametrize(
        "url",
        [
            None,
            "",
            "javascript:alert(1)",
            "JAVASCRIPT:x",
            "file:///etc/passwd",
            "//x",
            "http://" + "x" * 9000,
            "http://a\0",
            "http://a\n",
        ],
    )
    def test_what_a_browser_should_not_follow_is_dropped(self, url: str | None) -> None:
        assert link_or_none(url) == ""


def test_hostile_text_in_a_message_is_short_and_plain() -> None:
    shown = clean("a\x1b]0;owned\x07\n\u202e😀\ud800" + "x" * 500)

    assert shown.isascii()
    assert shown.isprintable()
    assert len(shown) < 150
    assert shown.startswith("'a\\x1b]0;owned\\x07\\n\\u202e\\U0001f600\\ud800")
