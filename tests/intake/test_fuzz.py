"""Whatever is sent, reading it ends in alerts, in elements set aside, or in one `Fault`; nothing else is raised."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from paramedic.core.model import Alert
from paramedic.errors import Fault
from paramedic.intake.alertmanager import Parsed, parse_body
from tests.intake.bodies import PATIENT, PAYLOADS, body, element, outer

ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=20)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4))
TIMES = st.datetimes().map(lambda when: when.isoformat() + "Z") | ANY_TEXT | st.just("0001-01-01T00:00:00Z")
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "status": st.sampled_from(["firing", "resolved"]) | JSON,
    "labels": st.dictionaries(ANY_TEXT, ANY_TEXT, max_size=4) | JSON,
    "annotations": st.dictionaries(ANY_TEXT, ANY_TEXT, max_size=4) | JSON,
    "startsAt": TIMES | JSON,
    "endsAt": TIMES | JSON,
    "generatorURL": st.just("http://x/") | JSON,
}
ELEMENTS = st.fixed_dictionaries({}, optional=FIELDS) | JSON
OUTERS = st.fixed_dictionaries(
    {"version": st.just("4") | JSON, "alerts": st.lists(ELEMENTS, max_size=5) | JSON},
    optional={"truncatedAlerts": st.integers() | JSON, "groupKey": ANY_TEXT | JSON, "receiver": JSON},
)
REAL = [path.read_bytes() for path in sorted(PAYLOADS.glob("*.json"))]


def read(sent: bytes) -> Parsed | None:
    """What was read, having checked that it keeps what every reader of it relies on; None for a fault."""
    try:
        parsed = parse_body("main", sent)
    except Fault as fault:
        told = str(fault)
        assert told.isascii()
        assert told.isprintable()
        return None
    for rejected in parsed.rejected:
        assert rejected.reason.isascii()
        assert rejected.reason.isprintable()
    for alert in parsed.alerts:
        whole = json.dumps([alert.labels, alert.annotations, alert.url], ensure_ascii=False)
        assert "\\u0000" not in whole.replace("\\\\", "")
        whole.encode()
        assert alert.labels
        assert len(alert.identity) == 64
        assert 1970 <= alert.starts_at.year <= 2262
    return parsed


@PATIENT
@given(st.binary(max_size=300))
@example(b"")
@example(b"{")
@example(b'{"version":"4","alerts":[\xff]}')
def test_any_bytes(sent: bytes) -> None:
    read(sent)


@PATIENT
@given(JSON)
def test_any_json(value: Any) -> None:
    read(json.dumps(value).encode())


@PATIENT
@given(OUTERS, st.booleans())
def test_anything_in_the_place_of_a_delivery(value: Any, ascii_only: bool) -> None:
    """As escapes, and as bytes that may be no UTF-8 at all."""
    read(json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass"))


@PATIENT
@given(st.lists(ELEMENTS, max_size=6))
def test_every_element_is_either_an_alert_or_set_aside_and_good_ones_always_pass(elements: list[Any]) -> None:
    """Promise 1: nothing that was sent vanishes between the two."""
    sent = json.dumps(outer(element(), *elements, element()), allow_nan=True).encode()

    parsed = read(sent)

    if parsed is None:
        assert any(word in sent for word in (b"NaN", b"Infinity")), "only what is no JSON spoils a body"
    else:
        assert len(parsed.alerts) + len(parsed.rejected) == len(elements) + 2
        assert len(parsed.alerts) >= 2


@PATIENT
@given(st.sampled_from(REAL), st.data())
def test_a_real_body_with_bytes_changed(sent: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(sent) - 1))
    until = data.draw(st.integers(at, min(len(sent), at + 8)))

    read(sent[:at] + data.draw(st.binary(max_size=8)) + sent[until:])


@pytest.mark.parametrize("sent", REAL, ids=range(len(REAL)))
def test_a_real_body_cut_off_anywhere(sent: bytes) -> None:
    for at in range(0, len(sent) - 1, 7):
        assert read(sent[:at]) is None


@PATIENT
@given(st.dictionaries(ANY_TEXT, ANY_TEXT, min_size=1, max_size=4))
def test_strict_and_tolerant_reading_agree(labels: dict[str, str]) -> None:
    """The tolerant reader is made to step in by a bad neighbour; what it makes of the element must not differ."""
    alone = parse_body("main", body(element(labels=labels)))
    beside = parse_body("main", body(element(labels=labels), element(labels={"a": "\ud800"})))

    assert alone.alerts == beside.alerts
    assert [rejected.reason for rejected in alone.rejected] == [r.reason for r in beside.rejected][:-1]
    assert all(isinstance(alert, Alert) for alert in alone.alerts)
