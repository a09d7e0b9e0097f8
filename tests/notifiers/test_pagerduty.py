"""Notifier `pagerduty` over the real HTTP client: whoever it should reach is paged once, whatever PagerDuty answers.

Promise 7: a page is tried until it is through.
"""

import contextlib
import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from paramedic.clients.http import HttpClient
from paramedic.core.words import Severity
from paramedic.errors import Fault, Permanent, Temporary
from paramedic.notifiers.pagerduty import PagerDutyNotifier
from paramedic.plugin import PageText, Tools
from tests.contract.plugin_scene import PAGE, Wire, at_once
from tests.vendors.pagerduty import KEY, LARGEST, PagerDuty
from tests.vendors.tls import trusted
from tests.vendors.vendor import Mood, serving

NOTIFIER = PagerDutyNotifier()
OTHER = "f" * 32
TRIGGER = replace(PAGE, contact="")


class Impatient(PagerDutyNotifier):
    """The same, for tests of answers that never come."""

    timeout = 0.4


def settings(vendor: PagerDuty, **more: str) -> Mapping[str, str]:
    return {"PAGERDUTY_EVENTS_URL": vendor.url, "PAGERDUTY_ROUTING_KEY": KEY, **more}


@contextlib.asynccontextmanager
async def there(*keys: str, **more: str) -> AsyncIterator[tuple[PagerDuty, Tools]]:
    """A stand-in, and the ports of a process that knows it."""
    vendor = PagerDuty(*keys)
    async with serving(vendor), HttpClient(str) as client:
        known = settings(vendor, **more)
        yield vendor, Tools(http=client, setting=lambda name: known.get(name, ""))


async def send(tools: Tools, page: PageText = TRIGGER, **changes: Any) -> str:
    return await NOTIFIER.send(replace(page, **changes), {}, tools)


async def test_a_page_as_pagerduty_takes_it() -> None:
    async with there() as (vendor, tools):
        assert await send(tools) == "202"

    assert vendor.events == [
        {
            "routing_key": KEY,
            "event_action": "trigger",
            "dedup_key": "INC-12/1/1",
            "client": "paramedic",
            "client_url": PAGE.link,
            "links": [{"href": PAGE.link, "text": "INC-12 in the console"}],
            "payload": {
                "summary": "not treated, because KubeAPIDown is firing",
                "source": "ServiceDown shop/api",
                "severity": "critical",
                "custom_details": {
                    "incident": "INC-12",
                    "severity": "P1",
                    "title": "ServiceDown shop/api",
                    "text": "not treated, because KubeAPIDown is firing",
                    "level": 1,
                    "to": "sre-primary",
                },
            },
        }
    ]


async def test_triggered_acknowledged_and_resolved_under_one_key() -> None:
    async with there() as (vendor, tools):
        for verb, state in (("trigger", "triggered"), ("acknowledge", "acknowledged"), ("resolve", None)):
            assert await send(tools, verb=verb) == "202"
            assert vendor.open.get("INC-12/1/1") == state

    assert [event["event_action"] for event in vendor.events] == ["trigger", "acknowledge", "resolve"]
    assert vendor.events[1].keys() == {"routing_key", "event_action", "dedup_key"}


async def test_the_same_page_twice_pages_once() -> None:
    async with there() as (vendor, tools):
        await send(tools)
        await send(tools)

    assert vendor.paged == ["INC-12/1/1"]


@pytest.mark.parametrize(
    ("severity", "theirs"),
    [
        (Severity.P0, "critical"),
        (Severity.P1, "critical"),
        (Severity.P2, "warning"),
        (Severity.P3, "info"),
    ],
)
async def test_a_severity_in_their_words(severity: Severity, theirs: str) -> None:
    async with there() as (vendor, tools):
        await send(tools, severity=severity)

    assert vendor.events[0]["payload"]["severity"] == theirs


async def test_over_tls_with_a_certificate_that_is_trusted(tmp_path: Path) -> None:
    vendor = PagerDuty()
    async with serving(vendor, tls=tmp_path):
        known = settings(vendor)
        async with HttpClient(str) as client:
            with pytest.raises(Permanent, match="the certificate is not trusted"):
                await send(Tools(http=client, setting=lambda name: known.get(name, "")))
        with trusted():
            async with HttpClient(str) as client:
                assert await send(Tools(http=client, setting=lambda name: known.get(name, ""))) == "202"

    assert vendor.url.startswith("https://")
    assert vendor.paged == ["INC-12/1/1"]


# -- keys -------------------------------------------------------------------------------------------------------------


async def test_a_persons_key_is_the_one_their_contact_names() -> None:
    async with there(OTHER, PAGERDUTY_SRE_KEY=OTHER) as (vendor, tools):
        await send(tools, contact="PAGERDUTY_SRE_KEY")

    assert vendor.events[0]["routing_key"] == OTHER


async def test_a_key_that_is_missing_does_not_page_another_service() -> None:
    async with there() as (vendor, tools):
        with pytest.raises(Permanent, match="the setting PAGERDUTY_SRE_KEY is not set, so sre-primary has no key"):
            await send(tools, contact="PAGERDUTY_SRE_KEY")

    assert vendor.events == []


@pytest.mark.parametrize("contact", ["", "PAGERDUTY_SRE_KEY"])
def test_without_any_key_it_is_dry(contact: str) -> None:
    wire = Wire()
    receipt = at_once(NOTIFIER.send(replace(PAGE, contact=contact), {}, Tools(http=wire)))

    assert receipt == "dry: PAGERDUTY_ROUTING_KEY is not set"
    assert wire.asked == []


def test_a_setting_that_cannot_be_read_is_no_dry_run() -> None:
    def unreadable(name: str) -> str:
        raise Fault(f"{name}_FILE", "cannot read it")

    with pytest.raises(Fault):
        at_once(NOTIFIER.send(TRIGGER, {}, Tools(http=Wire(), setting=unreadable)))


async def test_the_key_is_in_no_error_and_no_log(caplog: pytest.LogCaptureFixture) -> None:
    """The stand-in says the key that it refuses, as a careless service would."""
    with caplog.at_level(logging.DEBUG):
        async with there(OTHER) as (_, tools):
            with pytest.raises(Permanent) as caught:
                await send(tools)

    assert "there is no service with the key (the key)" in str(caught.value)
    assert KEY not in caplog.text + str(caught.value)


def test_pagerdutys_own_address_is_the_default() -> None:
    wire = Wire()
    tools = Tools(http=wire, setting=lambda name: KEY if name.endswith("_KEY") else "")
    with pytest.raises(Permanent, match="PagerDuty answered 200"):
        at_once(NOTIFIER.send(TRIGGER, {}, tools))

    assert (wire.asked[0]["method"], wire.asked[0]["path"]) == ("POST", "/v2/enqueue")
    assert wire.asked[0]["timeout"] < NOTIFIER.timeout


# -- limits -----------------------------------------------------------------------------------------------------------


async def test_a_summary_is_cut_where_pagerduty_refuses() -> None:
    async with there() as (vendor, tools):
        await send(tools, text="x" * 1024)
        await send(tools, text="x" * 1025)

    first, second = (event["payload"]["summary"] for event in vendor.events)
    assert first == "x" * 1024
    assert second == "x" * 1023 + "…"
    assert vendor.events[1]["payload"]["custom_details"]["text"] == "x" * 1025


async def test_an_event_that_is_too_large_by_one_byte_leaves_its_details_out() -> None:
    async with there() as (vendor, tools):
        await send(tools, text="x" * 2000)
        room = LARGEST - len(msgspec.json.encode(vendor.events[0]))
        await send(tools, text="x" * (2000 + room))
        await send(tools, text="x" * (2001 + room))

    _, fits, does_not = (event["payload"]["custom_details"] for event in vendor.events)
    assert len(fits["text"]) == 2000 + room
    assert does_not == {"details": "left out: PagerDuty takes 512,000 bytes at most"}


async def test_a_key_that_is_too_long_becomes_a_digest_that_stays_the_same() -> None:
    async with there() as (vendor, tools):
        await send(tools, dedup_key="k" * 255)
        for verb in ("trigger", "resolve"):
            await send(tools, dedup_key="k" * 256, verb=verb)

    kept, *cut = (event["dedup_key"] for event in vendor.events)
    assert kept == "k" * 255
    assert len(set(cut)) == 1
    assert len(cut[0]) == 64


async def test_what_an_alert_holds_cannot_break_an_event() -> None:
    hostile = 'x\r\n{"a":1}\0\ud800\u202e<b>'
    async with there() as (vendor, tools):
        assert await send(tools, title=hostile, text=hostile, to=hostile) == "202"
        assert await send(tools, title="\ud800", text="", dedup_key="INC-12/2/1") == "202"

    assert vendor.events[0]["payload"]["summary"].isprintable()
    assert vendor.events[1]["payload"]["summary"] == "?"


# -- moods ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mood", ["limited", "broken", "reset", "lost", "slow"])
async def test_whatever_may_pass_is_tried_again_and_pages_once(mood: Mood) -> None:
    """An answer that was lost does no harm: the key is the same (promise 7)."""
    async with there() as (vendor, tools):
        vendor.moods = [mood]
        with pytest.raises(Temporary) as caught:
            await Impatient().send(TRIGGER, {}, tools)
        assert await send(tools) == "202"

    assert vendor.paged == ["INC-12/1/1"]
    assert caught.value.delay == (7.0 if mood == "limited" else 1.0)


@pytest.mark.parametrize(("said", "waited"), [("7", 7.0), ("86400", 60.0), ("soon", 1.0)])
async def test_it_waits_as_long_as_pagerduty_says_within_reason(said: str, waited: float) -> None:
    async with there() as (vendor, tools):
        vendor.moods, vendor.retry_after = ["limited"], said
        with pytest.raises(Temporary, match="PagerDuty answered 429") as caught:
            await send(tools)

    assert caught.value.delay == waited


async def test_nobody_there_is_temporary() -> None:
    async with there() as (vendor, _):
        pass
    async with HttpClient(str) as client:
        known = settings(vendor)
        with pytest.raises(Temporary, match="nothing was sent"):
            await send(Tools(http=client, setting=lambda name: known.get(name, "")))


async def test_an_event_that_is_refused_goes_to_the_second_channel() -> None:
    async with there() as (_, tools):
        with pytest.raises(Permanent, match=r"PagerDuty answered 400: .*event_action"):
            await send(tools, verb="shout")


async def test_an_address_that_is_none_is_permanent() -> None:
    async with there(PAGERDUTY_EVENTS_URL="events.pagerduty.com") as (_, tools):
        with pytest.raises(Permanent, match="nothing was sent"):
            await send(tools)
