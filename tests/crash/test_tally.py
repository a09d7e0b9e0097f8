"""The count of the rounds finds what must not be: lost, done twice, repeated blindly, unknown and untold."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from tests.crash.record import Record
from tests.crash.tally import judged

SENT = {"a": "hook", "b": "raw", "c": "raw"}
GOOD: Mapping[str, Mapping[str, Sequence[str]]] = {"hook": {"a": ["k1", "k1"]}, "raw": {"b": ["k2"]}}
RECORD = Record(incidents=3, unknown=frozenset({"c"}), paged=frozenset({"c"}), left=())


def test_what_is_allowed_is_counted() -> None:
    tally = judged(SENT, GOOD, RECORD)
    assert not tally.faults
    assert (tally.accepted, tally.executed, tally.repeated, tally.unknown) == (3, 2, 1, 1)


def test_timelines_that_differ_are_seen() -> None:
    told = {"hook": frozenset({"this"}), "raw": frozenset({"this", "that"})}
    assert judged(SENT, GOOD, RECORD).alike
    assert not judged(SENT, GOOD, replace(RECORD, tellings=told)).alike


@pytest.mark.parametrize(
    ("calls", "record", "fault"),
    [
        ({"hook": {}, "raw": GOOD["raw"]}, RECORD, {"lost": ("a",)}),
        ({"hook": {"a": ["k1", "k9"]}, "raw": GOOD["raw"]}, RECORD, {"twice": ("a",)}),
        ({"hook": GOOD["hook"], "raw": {"b": ["k2", "k2"]}}, RECORD, {"blind": ("b",)}),
        (GOOD, Record(3, frozenset("ac"), frozenset("ac"), ()), {"needless": ("a",)}),
        (GOOD, Record(3, frozenset("c"), frozenset(), ()), {"untold": ("c",)}),
        (GOOD, Record(3, frozenset("c"), frozenset("c"), ("1 effects",)), {"odd": ("1 effects",)}),
        (GOOD, Record(4, frozenset("c"), frozenset("c"), ()), {"odd": ("4 incidents for 3 alerts",)}),
    ],
)
def test_what_must_not_be_is_found(
    calls: Mapping[str, Mapping[str, Sequence[str]]], record: Record, fault: Mapping[str, Sequence[str]]
) -> None:
    assert judged(SENT, calls, record).faults == fault
