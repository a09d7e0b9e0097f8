"""A body that is no version 4 delivery is refused whole, with one message: what it is and what would be right."""

import json

import pytest

from paramedic.errors import Fault
from paramedic.intake.alertmanager import parse_body
from tests.intake.bodies import body, element, nested, outer

FORMAT = 'the webhook format of Alertmanager, version "4"'

REFUSED = {
    "empty": (b"", f"body: is empty; {FORMAT}"),
    "white space": (b" \n", f"body: is empty; {FORMAT}"),
    "not JSON": (b"alert=1", f"body: is not JSON: expecting value at line 1, column 1; {FORMAT}"),
    "cut off": (
        body(element())[:-20],
        f"body: is not JSON: unterminated string starting at line 1, column 630; {FORMAT}",
    ),
    "two bodies": (body() + body(), f"body: is not JSON: extra data at line 1, column 311; {FORMAT}"),
    "single quotes": (
        b"{'version': '4'}",
        f"body: is not JSON: expecting property name enclosed in double quotes at line 1, column 2; {FORMAT}",
    ),
    "a comma too many": (
        b'{"version":"4","alerts":[{},]}',
        f"body: is not JSON: expecting value at line 1, column 29; {FORMAT}",
    ),
    "a byte order mark": (
        b"\xef\xbb\xbf" + body(),
        f"body: is not JSON: expecting value at line 1, column 1; {FORMAT}",
    ),
    "UTF-16": (body().decode().encode("utf-16-le"), None),
    "a control character in a string": (
        b'{"version":"4","alerts":[{"status":"\x00"}]}',
        f"body: is not JSON: invalid control character at line 1, column 37; {FORMAT}",
    ),
    "NaN": (b'{"version":"4","alerts":[NaN]}', f"body: is not JSON: NaN is not a number; {FORMAT}"),
    "Infinity": (b'{"version":"4","alerts":[-Infinity]}', f"body: is not JSON: -Infinity is not a number; {FORMAT}"),
    "a list": (b"[]", f"body: is a list; {FORMAT}, is an object"),
    "a string": (b'"4"', f"body: is a string; {FORMAT}, is an object"),
    "null": (b"null", f"body: is null; {FORMAT}, is an object"),
    "a custom payload": (
        b'{"text": "High error rate"}',
        f"version: is missing; {FORMAT}; a custom payload is not understood",
    ),
    "an old version": (body(version="3"), f"version: is '3'; {FORMAT}"),
    "a new version": (body(version="5"), f"version: is '5'; {FORMAT}"),
    "the version as a number": (body(version=4), f"version: is the number 4; {FORMAT}"),
    "a version with control characters": (body(version="4\x1b[2J"), f"version: is '4\\x1b[2J'; {FORMAT}"),
    "no alerts": (body(alerts=None), "alerts: is missing; a list of alerts"),
    "alerts null": (b'{"version":"4","alerts":null}', "alerts: is null; a list of alerts"),
    "alerts an object": (body(alerts={"0": element()}), "alerts: is an object; a list of alerts"),
    "left out: fewer than none": (
        body(truncatedAlerts=-1),
        "truncatedAlerts: is the number -1; how many alerts were left out: a whole number",
    ),
    "left out: a word": (
        body(truncatedAlerts="some"),
        "truncatedAlerts: is 'some'; how many alerts were left out: a whole number",
    ),
    "left out: true": (
        body(truncatedAlerts=True),
        "truncatedAlerts: is true; how many alerts were left out: a whole number",
    ),
    "left out: a number of a million digits": (
        body(truncatedAlerts="@").replace(b'"@"', b"9" * 1_000_000),
        "truncatedAlerts: is a number; how many alerts were left out: a whole number",
    ),
    "nested without end": (b"[" * 100_000, f"body: is nested too deep; {FORMAT}"),
    "nested in an element": (nested(100_000), f"body: is nested too deep; {FORMAT}"),
    "nested objects": (b'{"version":' * 50_000, f"body: is nested too deep; {FORMAT}"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_body_that_is_no_delivery_has_one_message(name: str) -> None:
    sent, message = REFUSED[name]

    with pytest.raises(Fault) as caught:
        parse_body("main", sent)

    assert message is None or str(caught.value) == message
    assert str(caught.value).isascii()
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("field", "value"),
    [("groupKey", 7), ("groupKey", {"a": "b"}), ("receiver", None), ("receiver", []), ("groupLabels", 3)],
)
def test_what_only_describes_the_group_may_be_anything(field: str, value: object) -> None:
    sent = outer(element())
    sent[field] = value

    parsed = parse_body("main", json.dumps(sent).encode())

    assert len(parsed.alerts) == 1
    assert isinstance(parsed.group, str)


def test_the_last_of_two_equal_keys_counts() -> None:
    """As in Go's own reader. The strict reader and the tolerant one agree on it."""
    twice = b'{"version":"3","version":"4","alerts":[7],"alerts":[%s]}'

    strict = parse_body("main", twice % json.dumps(element()).encode())
    tolerant = parse_body("main", twice % json.dumps(element(extra="\ud800")).encode())

    assert strict == tolerant
    assert (len(strict.alerts), strict.rejected) == (1, ())
