"""Notifier `webhook`: a page is tried until it is through, under one key (promise 7)."""

from dataclasses import replace

import msgspec
import pytest

from paramedic.clients.http import HttpClient
from paramedic.errors import Permanent, Temporary, UnknownOutcome
from paramedic.notifiers.webhook import WebhookNotifier
from paramedic.plugin import PageText, Reply, Tools
from tests.clients.servers import Peer, serving
from tests.contract.plugin_scene import ENDPOINTS, HOOK, PAGE, Wire, at_once, tools

NOTIFIER = WebhookNotifier()


def send(wire: Wire, page: PageText = PAGE) -> str:
    return at_once(NOTIFIER.send(page, ENDPOINTS, tools(wire)))


def test_a_page_as_the_receiver_sees_it() -> None:
    wire = Wire([Reply(202, {}, b"")])

    assert send(wire) == "202"
    [asked] = wire.asked
    assert (asked["endpoint"], asked["method"], asked["path"]) == ("hook", "POST", "")
    assert asked["headers"] == {"Idempotency-Key": "INC-12/1/1/trigger", "Content-Type": "application/json"}
    assert msgspec.json.decode(asked["body"]) == {
        "verb": "trigger",
        "dedup_key": "INC-12/1/1",
        "incident": "INC-12",
        "severity": "P1",
        "level": 1,
        "title": "ServiceDown shop/api",
        "text": "not treated, because KubeAPIDown is firing",
        "to": "sre-primary",
        "link": "http://127.0.0.1:8080/incidents/INC-12",
    }


def test_trigger_and_resolve_have_keys_of_their_own() -> None:
    wire = Wire()
    for verb in ("trigger", "acknowledge", "resolve"):
        send(wire, replace(PAGE, verb=verb))

    assert len({asked["headers"]["Idempotency-Key"] for asked in wire.asked}) == 3


@pytest.mark.parametrize("limit", [7.0, 60.0])
def test_its_own_deadline_is_shorter_than_the_lanes(limit: float) -> None:
    wire = Wire()
    endpoints = {"hook": replace(HOOK, timeout=limit)}
    at_once(NOTIFIER.send(PAGE, endpoints, tools(wire)))

    assert wire.asked[0]["timeout"] == min(limit, 9.0) < NOTIFIER.timeout


@pytest.mark.parametrize(
    "answer",
    [UnknownOutcome("reset"), Temporary("refused"), Reply(500, {}, b""), Reply(503, {}, b""), Reply(429, {}, b"")],
)
def test_a_page_that_may_not_have_arrived_is_sent_again(answer: Reply | Exception) -> None:
    """Two calls are better than none."""
    wire = Wire([answer])
    with pytest.raises(Temporary):
        send(wire)
    send(wire)

    first, second = wire.asked
    assert first["headers"] == second["headers"]
    assert first["body"] == second["body"]


@pytest.mark.parametrize("answer", [Permanent("no token"), Reply(400, {}, b"bad"), Reply(404, {}, b"")])
def test_a_page_that_can_never_arrive_goes_to_the_second_channel(answer: Reply | Exception) -> None:
    with pytest.raises(Permanent):
        send(Wire([answer]))


def test_a_person_without_an_endpoint_cannot_be_reached() -> None:
    with pytest.raises(Permanent, match="there is no endpoint"):
        send(Wire(), replace(PAGE, contact=""))


def test_half_a_character_does_not_keep_a_page_from_leaving() -> None:
    wire = Wire()
    send(wire, replace(PAGE, title="Service\ud800Down", text="\udfff", to="\ud800", link="\ud800"))

    assert msgspec.json.decode(wire.asked[0]["body"])["title"] == "Service?Down"


async def test_through_a_real_server_that_first_fails() -> None:
    async def second_time_lucky(peer: Peer) -> None:
        for status in (503, 200):
            await peer.take()
            peer.answer(status, b"")

    async with HttpClient(str) as client, serving(second_time_lucky) as server:
        endpoints = {"hook": server.endpoint(idempotent=True, path="/page")}
        with pytest.raises(Temporary, match="page to hook answered 503"):
            await NOTIFIER.send(PAGE, endpoints, Tools(http=client))
        assert await NOTIFIER.send(PAGE, endpoints, Tools(http=client)) == "200"

    assert [request.target for request in server.requests] == ["/page", "/page"]
    assert msgspec.json.decode(server.requests[0].body)["dedup_key"] == "INC-12/1/1"
