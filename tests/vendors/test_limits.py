"""The stand-ins refuse what is over the vendors' limits by one, and what they do not know: else they prove little."""

import json
from typing import Any

import pytest

from tests.vendors.pagerduty import KEY, LARGEST, faults
from tests.vendors.slack import POST, Refused, check_message

EVENT: dict[str, Any] = {
    "routing_key": KEY,
    "event_action": "trigger",
    "dedup_key": "k",
    "payload": {"summary": "s", "source": "s", "severity": "info"},
}


def event(**changes: Any) -> bytes:
    return json.dumps(EVENT | changes).encode()


def payload(**changes: Any) -> bytes:
    return event(payload=EVENT["payload"] | changes)


@pytest.mark.parametrize(
    ("fits", "does_not"),
    [
        (event(), event(routing_key=KEY + "0")),
        (event(dedup_key="k" * 255), event(dedup_key="k" * 256)),
        (event(dedup_key="k"), event(dedup_key="")),
        (payload(summary="s" * 1024), payload(summary="s" * 1025)),
        (payload(), payload(summary="")),
        (payload(), payload(source="")),
        (payload(), payload(severity="P1")),
        (event(client="paramedic"), event(customer="paramedic")),
        (payload(component="api"), payload(workload="api")),
        (
            event(links=[{"href": "https://x", "text": "x"}]),
            event(links=[{"href": "https://x", "text": "x", "title": "x"}]),
        ),
        (event(), event(event_action="resolve")),
        (
            event(client="c" * (LARGEST - len(event(client="")))),
            event(client="c" * (LARGEST + 1 - len(event(client="")))),
        ),
    ],
)
def test_pagerduty(fits: bytes, does_not: bytes) -> None:
    assert faults(fits, {KEY}) == []
    assert faults(does_not, {KEY})


def section(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "plain_text", "text": text, "emoji": False}, **more}


def message(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"channel": "C01", "text": "x", "blocks": list(blocks), **more}


HEADER = {"type": "header", "text": {"type": "plain_text", "text": "h" * 150}}


@pytest.mark.parametrize(
    ("fits", "does_not", "error"),
    [
        (message(section("x" * 3000)), message(section("x" * 3001)), "invalid_blocks"),
        (message(section("x")), message(section("")), "invalid_blocks"),
        (message(*[section("x")] * 50), message(*[section("x")] * 51), "invalid_blocks"),
        (message(*[section("x" * 2600)] * 5), message(*[section("x" * 2600)] * 5, section("x")), "msg_blocks_too_long"),
        (message(HEADER), message(HEADER | {"text": {"type": "plain_text", "text": "h" * 151}}), "invalid_blocks"),
        (message(HEADER), message(HEADER | {"text": {"type": "mrkdwn", "text": "h"}}), "invalid_blocks"),
        (message(section("x")), message(section("x", title="x")), "invalid_blocks"),
        (message(section("x")), message({"type": "poster", "text": {"type": "mrkdwn", "text": "x"}}), "invalid_blocks"),
        (
            message({"type": "context", "elements": [{"type": "mrkdwn", "text": "x"}] * 10}),
            message({"type": "context", "elements": [{"type": "mrkdwn", "text": "x"}] * 11}),
            "invalid_blocks",
        ),
        (message(text="x" * 40_000), message(text="x" * 40_001), "msg_too_long"),
        (message(), message(text=""), "no_text"),
        (message(unfurl_links=False), message(unfurl=False), "invalid_arguments"),
        (
            message(metadata={"event_type": "x", "event_payload": {}}),
            message(metadata={"event_type": "x", "payload": {}}),
            "invalid_metadata_format",
        ),
    ],
)
def test_slack(fits: dict[str, Any], does_not: dict[str, Any], error: str) -> None:
    check_message(fits, POST)
    with pytest.raises(Refused, match=error):
        check_message(does_not, POST)
