"""What is no alert is set aside with one clear reason: where in the body, what it is, what would be right."""

import json
from typing import Any

import pytest

from paramedic.errors import Fault
from paramedic.intake.alertmanager import parse_body
from tests.intake.bodies import body, element, nested

KIB = 1024

UNFIT: dict[str, tuple[Any, str]] = {
    "a number": (7, "alerts[0]: is the number 7; an object with status, labels and startsAt"),
    "null": (None, "alerts[0]: is null; an object with status, labels and startsAt"),
    "true": (True, "alerts[0]: is true; an object with status, labels and startsAt"),
    "a string": ("firing", "alerts[0]: is a string; an object with status, labels and startsAt"),
    "a list": ([], "alerts[0]: is a list; an object with status, labels and startsAt"),
    "empty": ({}, 'alerts[0].status: is missing; "firing" or "resolved"'),
    "no status": (element(status=None), 'alerts[0].status: is missing; "firing" or "resolved"'),
    "odd status": (element(status="pending"), 'alerts[0].status: is \'pending\'; "firing" or "resolved"'),
    "status of a wrong type": (element(status=[]), 'alerts[0].status: is a list; "firing" or "resolved"'),
    "no labels": (element(labels=None), "alerts[0].labels: is missing; an alert is known by its labels"),
    "empty labels": (element(labels={}), "alerts[0].labels: there are none; an alert is known by its labels"),
    "labels as a list": (element(labels=["a"]), "alerts[0].labels: is a list; an object of strings"),
    "a label that is a number": (
        element(labels={"alertname": "A", "port": 80}),
        "alerts[0].labels['port']: is the number 80; a string",
    ),
    "a label that is null": (element(labels={"a": None}), "alerts[0].labels['a']: is null; a string"),
    "a label that is an object": (element(labels={"a": {}}), "alerts[0].labels['a']: is an object; a string"),
    "annotations as a string": (element(annotations="x"), "alerts[0].annotations: is a string; an object of strings"),
    "an annotation that is a list": (
        element(annotations={"summary": []}),
        "alerts[0].annotations['summary']: is a list; a string",
    ),
    "no start": (element(startsAt=None), "alerts[0].startsAt: is missing; when the alert began to fire"),
    "a start that is a number": (
        element(startsAt=1764, endsAt=None),
        "alerts[0].startsAt: is the number 1764; a string",
    ),
    "an end that is false": (element(endsAt=False), "alerts[0].endsAt: is false; a string"),
    "a link that is a number": (element(generatorURL=0.5), "alerts[0].generatorURL: is the number 0.5; a string"),
    "a start in words": (
        element(startsAt="yesterday"),
        "alerts[0].startsAt: 'yesterday' is not a time; for example 2026-11-22T02:47:45.17Z",
    ),
    "an end in words": (
        element(endsAt="later"),
        "alerts[0].endsAt: 'later' is not a time; for example 2026-11-22T02:47:45.17Z",
    ),
    "an empty start": (
        element(startsAt=""),
        "alerts[0].startsAt: '' is not a time; for example 2026-11-22T02:47:45.17Z",
    ),
    "a start without a zone": (
        element(startsAt="2026-11-22T02:47:45"),
        "alerts[0].startsAt: '2026-11-22T02:47:45' has no time zone; end it with Z, or with an offset such as +02:00",
    ),
    "a start at zero": (
        element(startsAt="0001-01-01T00:00:00Z"),
        "alerts[0].startsAt: is the zero time; when the alert began to fire",
    ),
    "a start in the middle ages": (
        element(startsAt="1066-10-14T09:00:00Z"),
        "alerts[0].startsAt: '1066-10-14T09:00:00Z' is no time for an alert; a year from 1970 to 2261",
    ),
    "an end beyond all measure": (
        element(endsAt="9999-12-31T23:59:59-10:00"),
        "alerts[0].endsAt: '9999-12-31T23:59:59-10:00' is no time for an alert; a year from 1970 to 2261",
    ),
    "half a surrogate pair in a label": (
        element(labels={"alertname": "A\ud800"}),
        "alerts[0].labels['alertname']: holds half of a surrogate pair, or bytes that are not UTF-8; valid Unicode",
    ),
    "half a surrogate pair in a label's name": (
        element(labels={"\udfff": "x"}),
        "alerts[0].labels['\\udfff']: holds half of a surrogate pair, or bytes that are not UTF-8; valid Unicode",
    ),
    "half a surrogate pair in an annotation": (
        element(annotations={"summary": "\ude00\ud83d"}),
        "alerts[0].annotations['summary']: holds half of a surrogate pair, or bytes that are not UTF-8; valid Unicode",
    ),
    "half a surrogate pair in the link": (
        element(generatorURL="http://x/\ud800"),
        "alerts[0].generatorURL: holds half of a surrogate pair, or bytes that are not UTF-8; valid Unicode",
    ),
    "NUL in a label": (
        element(labels={"alertname": "A\0B"}),
        "alerts[0].labels['alertname']: holds a NUL character; text without NUL",
    ),
    "NUL in a label's name": (
        element(labels={"alert\0name": "A"}),
        "alerts[0].labels['alert\\x00name']: holds a NUL character; text without NUL",
    ),
    "NUL in an annotation": (
        element(annotations={"summary": "\0"}),
        "alerts[0].annotations['summary']: holds a NUL character; text without NUL",
    ),
    "a label of 64 KiB and a byte": (
        element(labels={"alertname": "A", "stack": "x" * (64 * KIB + 1)}),
        "alerts[0].labels['stack']: the value has 65537 bytes; at most 65536",
    ),
    "a label of 64 KiB in bytes, not in characters": (
        element(labels={"stack": "é" * (32 * KIB + 1)}),
        "alerts[0].labels['stack']: the value has 65538 bytes; at most 65536",
    ),
    "an alertname that no index takes": (
        element(labels={"alertname": "A" * 1025}),
        "alerts[0].labels['alertname']: the value has 1025 bytes; at most 1024",
    ),
    "a label's name of a KiB": (
        element(labels={"n" * 1025: "x"}),
        f"alerts[0].labels['{'n' * 80}...']: the name has 1025 bytes; at most 1024",
    ),
    "too many labels": (
        element(labels={f"label_{n}": "x" for n in range(257)}),
        "alerts[0].labels: there are 257; at most 256",
    ),
    "too much in all labels": (
        element(labels={f"label_{n}": "x" * 60 * KIB for n in range(3)}),
        "alerts[0].labels: they have 184341 bytes in all; at most 131072",
    ),
}


@pytest.mark.parametrize("name", UNFIT)
def test_an_unfit_element_has_one_reason_and_its_neighbours_go_on(name: str) -> None:
    unfit, reason = UNFIT[name]

    parsed = parse_body("main", body(unfit, element()))

    assert [rejected.reason for rejected in parsed.rejected] == [reason]
    assert len(parsed.alerts) == 1, "its neighbour"


@pytest.mark.parametrize("name", UNFIT)
def test_a_reason_can_be_stored_and_printed_anywhere(name: str) -> None:
    """PostgreSQL's text takes no NUL and no lone surrogate, and a terminal obeys control characters."""
    unfit, _ = UNFIT[name]

    [rejected] = parse_body("main", body(unfit)).rejected

    assert rejected.reason.isascii()
    assert rejected.reason.isprintable()
    kept = json.loads(rejected.body)
    if isinstance(unfit, dict):
        assert kept == {name: unfit[name] for name in kept}
    else:
        assert kept == unfit


@pytest.mark.parametrize("raw", [b"\xff", b"\xed\xa0\x80", b"\xc3", b"\xf5\x80\x80\x80"])
def test_bytes_that_are_no_text_spoil_only_their_element(raw: bytes) -> None:
    sent = body(element(labels={"alertname": "@"}), element()).replace(b"@", raw)

    parsed = parse_body("main", sent)

    assert len(parsed.alerts) == 1
    [rejected] = parsed.rejected
    assert rejected.reason.startswith("alerts[0].labels['alertname']: holds half of a surrogate pair, or bytes that")
    assert raw in rejected.body, "kept as it came"


def test_a_surrogate_that_the_whole_group_shares_spoils_only_the_alert() -> None:
    """Alertmanager repeats labels in groupKey, groupLabels and commonLabels, which must not turn the body away."""
    sent = body(
        element(labels={"alertname": "A\ud800"}),
        element(),
        groupKey="{}:A\ud800",
        groupLabels={"a": "A\ud800"},
        commonLabels={"\udc00": "x"},
    )

    parsed = parse_body("main", sent)

    assert (len(parsed.alerts), len(parsed.rejected)) == (1, 1)
    assert parsed.group == "{}:A?"


def test_a_good_alert_is_the_same_beside_a_bad_one() -> None:
    """The tolerant reader must not read what the strict one would read otherwise."""
    good = element(labels={"alertname": "Größe ☃ 😀", "x": '\\u0000 "q" \x7f\n'}, startsAt="2026-11-22T02:47:45+05:30")

    [alone] = parse_body("main", body(good)).alerts
    [beside] = parse_body("main", body(good, element(labels={"a": "\ud800"}))).alerts

    assert alone == beside


def test_an_odd_field_that_nobody_reads_does_not_count() -> None:
    sent = body(element(extra="\ud800", fingerprint="\udfff"), element())

    assert len(parse_body("main", sent).alerts) == 2


def how_it_was_taken(sent: bytes) -> str:
    try:
        return "read" if parse_body("main", sent).alerts else "nothing left"
    except Fault as fault:
        return fault.what


@pytest.mark.parametrize("depth", [50, *range(900, 1010, 3), 2000])
@pytest.mark.parametrize("surrogate", ["", "\ud800"])
def test_deep_nesting_is_ignored_or_refused_but_never_fatal(depth: int, surrogate: str) -> None:
    """Three readers with a limit each: whichever gives up, it is a fault of the body or of the element."""
    lists = b"[" * depth + b"]" * depth
    for sent in (nested(depth), body(element(labels="@"), element(), extra=surrogate).replace(b'"@"', lists)):
        assert how_it_was_taken(sent) in ({"read"} if depth == 50 else {"read", "is nested too deep"})


def test_writing_an_element_again_may_be_too_deep_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which of the readers and writers gives up first differs between versions of Python."""

    sent = body(element(labels={"alertname": "\ud800"}))

    def give_up(_value: object) -> str:
        raise RecursionError

    monkeypatch.setattr("paramedic.intake.diagnosis.json.dumps", give_up)

    assert how_it_was_taken(sent) == "is nested too deep"


def test_long_annotations_are_cut_and_the_alert_is_taken() -> None:
    annotations = {"summary": "x" * 20_000, "runbook": "http://x"}

    [alert] = parse_body("main", body(element(annotations=annotations))).alerts

    assert alert.annotations == {"summary": "x" * 16_384 + "… (cut)", "runbook": "http://x"}


def test_a_multitude_of_annotations_is_bounded() -> None:
    [alert] = parse_body("main", body(element(annotations={f"note-{n}": "" for n in range(100_000)}))).alerts

    assert len(alert.annotations) < 10_000


def test_what_is_just_within_bounds_is_taken() -> None:
    sent = body(
        element(labels={"alertname": "A" * 1024, "stack": "x" * 64 * KIB}),
        element(labels={f"label_{n}": "x" for n in range(256)}),
        element(labels={"n" * 1024: ""}),
    )

    assert len(parse_body("main", sent).alerts) == 3


def test_an_escape_that_only_looks_like_nul_is_text() -> None:
    sent = body(element(labels={"alertname": "A", "path": "\\u0000"}, annotations={"summary": "\\\\u0000"}))

    [alert] = parse_body("main", sent).alerts

    assert alert.labels["path"] == "\\u0000"


def test_control_characters_are_data() -> None:
    """They are escaped where they are shown; an alert must not vanish because of them."""
    [alert] = parse_body("main", body(element(labels={"alertname": "A\x1b[31m\r\n\x7f\u202e"}))).alerts

    assert alert.labels["alertname"] == "A\x1b[31m\r\n\x7f\u202e"
