"""The port to Alertmanagers, against one that answers as the real ones do, and against what goes wrong."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from paramedic.clients.alertmanager import AlertmanagerClient
from paramedic.clients.http import HttpClient
from paramedic.clients.url import LONGEST_PATH, path_fault
from paramedic.core.bundle import Endpoint
from paramedic.errors import Permanent, Temporary, UnknownOutcome
from paramedic.plugin import Reply, Standing
from tests.clients.servers import Peer, serving
from tests.guards.asked import HOSTILE

LABELS = {"alertname": "Down", "job": "api", "pod": "api-1"}
QUIET: dict[str, list[str]] = {"silencedBy": [], "inhibitedBy": [], "mutedBy": []}


def told(labels: Mapping[str, str] = LABELS, state: str = "active", **by: list[str]) -> dict[str, Any]:
    """An alert as /api/v2/alerts gives it."""
    return {
        "annotations": {},
        "endsAt": "2026-05-12T09:18:00.000Z",
        "fingerprint": "a1b2c3d4e5f60718",
        "receivers": [{"name": "paramedic"}],
        "startsAt": "2026-05-12T09:10:00.000Z",
        "status": {"state": state, **QUIET, **by},
        "updatedAt": "2026-05-12T09:14:00.000Z",
        "generatorURL": "",
        "labels": dict(labels),
    }


def says(*alerts: dict[str, Any], status: int = 200) -> Reply:
    return Reply(status, {}, json.dumps(list(alerts)).encode())


@dataclass
class Wires:
    """An HTTP port with an answer for each address."""

    answers: dict[str, Reply | Exception] = field(default_factory=dict)
    asked: list[tuple[Endpoint, str, float]] = field(default_factory=list)
    silence: Reply = field(default_factory=lambda: Reply(404, {}, b""))
    silences: list[tuple[str, float]] = field(default_factory=list)

    async def request(self, endpoint: Endpoint, method: str, path: str, *, timeout: float, **_: Any) -> Reply:
        assert method == "GET"
        assert path_fault(path) == ""
        if path.startswith("/api/v2/silence/"):
            self.silences.append((path, timeout))
            return self.silence
        self.asked.append((endpoint, path, timeout))
        answer = self.answers[endpoint.url]
        if isinstance(answer, Exception):
            raise answer
        return answer


async def standing(
    *answers: Reply | Exception, labels: Mapping[str, str] = LABELS, silence: Reply | None = None
) -> Standing:
    addresses = [f"http://am-{n}:9093" for n in range(len(answers))]
    wires = Wires(dict(zip(addresses, answers, strict=True)))
    if silence is not None:
        wires.silence = silence
    return await AlertmanagerClient(wires, lambda name: addresses).standing("main", labels, timeout=5.0)


@pytest.mark.parametrize(
    ("alert", "found"),
    [
        (told(), Standing("active")),
        (told(state="unprocessed"), Standing("active")),
        (told(state="suppressed", silencedBy=["4f1c", "77aa"]), Standing("silenced", ("4f1c", "77aa"))),
        (told(state="suppressed", inhibitedBy=["deadbeef"]), Standing("inhibited", ("deadbeef",))),
        (told(state="suppressed", mutedBy=["nights"]), Standing("silenced", ("nights",))),
        (told(state="suppressed", silencedBy=["4f1c"], inhibitedBy=["dead"]), Standing("silenced", ("4f1c",))),
        (told(state="suppressed"), Standing("silenced")),
        ({"labels": LABELS}, Standing("active")),
    ],
)
async def test_how_an_alert_stands(alert: dict[str, Any], found: Standing) -> None:
    other = told({**LABELS, "pod": "api-2"}, state="suppressed", silencedBy=["x"])

    assert await standing(says(other, alert)) == found


SILENCE = {
    "id": "4f1c",
    "createdBy": "alice",
    "comment": "I have it",
    "startsAt": "2026-05-12T09:00:00.000Z",
    "endsAt": "2026-05-12T11:30:00.000+02:00",
    "matchers": [],
    "status": {"state": "active"},
}


@pytest.mark.parametrize(
    ("silence", "words"),
    [
        (SILENCE, "alice until 2026-05-12 09:30 UTC (I have it)"),
        (SILENCE | {"comment": ""}, "alice until 2026-05-12 09:30 UTC"),
        ({"createdBy": ""}, "somebody"),
        (SILENCE | {"endsAt": "2026-05-12T11:30:00"}, "alice (I have it)"),
        (SILENCE | {"comment": "a\n02:14:07  resolved\u202e" + "x" * 900, "createdBy": "y" * 900}, "y" * 59 + "…"),
        ({"createdBy": 5}, "4f1c"),
        (SILENCE | {"endsAt": "tomorrow"}, "4f1c"),
        ([], "4f1c"),
    ],
)
async def test_who_silenced_it_is_said_where_that_can_be_read(silence: Any, words: str) -> None:
    found = await standing(
        says(told(state="suppressed", silencedBy=["4f1c"])), silence=Reply(200, {}, json.dumps(silence).encode())
    )

    assert found.state == "silenced"
    assert found.by[0].startswith(words)
    assert len(found.by[0]) <= 200
    assert found.by[0].isprintable()


async def test_a_silences_name_that_is_none_is_not_asked_for() -> None:
    wires = Wires({"http://am:9093": says(told(state="suppressed", silencedBy=["../../status"]))})
    found = await AlertmanagerClient(wires, lambda name: ["http://am:9093"]).standing("main", LABELS, timeout=5)

    assert (found, wires.silences) == (Standing("silenced", ("../../status",)), [])


async def test_the_second_question_is_a_short_one() -> None:
    wires = Wires({"http://am:9093": says(told(state="suppressed", silencedBy=["4f1c", "77aa"]))})
    await AlertmanagerClient(wires, lambda name: ["http://am:9093"]).standing("main", LABELS, timeout=5)

    assert wires.silences == [("/api/v2/silence/4f1c", 2.0)]


@pytest.mark.parametrize("labels", [{}, {"alertname": "Down"}, {**LABELS, "zone": "a"}, {**LABELS, "pod": "api-2"}])
async def test_only_the_alert_with_exactly_these_labels_is_it(labels: dict[str, str]) -> None:
    assert await standing(says(told(labels, state="suppressed", silencedBy=["x"]))) == Standing("absent")


async def test_one_instance_that_knows_of_a_silence_is_believed() -> None:
    silent = says(told(state="suppressed", silencedBy=["4f1c"]))
    inhibited = says(told(state="suppressed", inhibitedBy=["dead"]))

    assert (await standing(says(told()), silent)).state == "silenced"
    assert (await standing(inhibited, silent, says(told()))).state == "silenced"
    assert (await standing(says(), inhibited)).state == "inhibited"
    assert (await standing(says(), says(told()))).state == "active", "one that has just begun does not know it yet"
    assert (await standing(Temporary("refused"), silent)).state == "silenced"
    assert (await standing(Temporary("refused"), says(told()))).state == "active"


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (Temporary("refused the connection"), Temporary, "am-0:9093 did not answer: refused the connection"),
        (UnknownOutcome("no answer within 5s"), Temporary, "did not answer: no answer within 5s"),
        (Reply(503, {"Retry-After": "7"}, b"starting"), Temporary, "answered 503: starting"),
        (Reply(429, {}, b""), Temporary, "answered 429"),
        (Reply(401, {}, b"Unauthorized"), Permanent, "answered 401: Unauthorized"),
        (Reply(302, {"Location": "http://elsewhere"}, b""), Permanent, "answered 302"),
        (Reply(200, {}, b"<html>"), Permanent, "cannot be read"),
        (Reply(200, {}, b'{"alerts": []}'), Permanent, "cannot be read"),
        (Reply(200, {}, b'[{"labels": {"a": '), Permanent, "cannot be read"),
        (Reply(200, {}, b"\xff\xfe"), Permanent, "cannot be read"),
    ],
)
async def test_what_goes_wrong_is_one_of_two_kinds(answer: Reply | Exception, kind: type, said: str) -> None:
    with pytest.raises(kind, match=said) as raised:
        await standing(answer)
    assert type(raised.value) is kind


async def test_a_source_without_an_address_is_not_asked() -> None:
    wires = Wires()

    assert await AlertmanagerClient(wires, lambda name: ()).standing("main", LABELS, timeout=5) == Standing("unasked")
    assert wires.asked == []


async def test_no_more_than_eight_instances_are_asked_each_with_the_token() -> None:
    wires = Wires({f"http://am-{n}:9093": says(told()) for n in range(20)})
    client = AlertmanagerClient(wires, lambda name: [f"http://am-{n}:9093" for n in range(20)], "AM_TOKEN")
    await client.standing("main", LABELS, timeout=2.0)

    assert len(wires.asked) == 8
    assert {(endpoint.token, timeout) for endpoint, _, timeout in wires.asked} == {("AM_TOKEN", 2.0)}


def query(path: str) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(path).query, strict_parsing=True)


async def asked_with(labels: Mapping[str, str]) -> str:
    wires = Wires({"http://am:9093": says(told(labels))})
    assert (await AlertmanagerClient(wires, lambda name: ["http://am:9093"]).standing("s", labels, timeout=5)) == (
        Standing("active")
    )
    return wires.asked[0][1]


async def test_filters_narrow_the_answer_to_the_alert() -> None:
    found = query(await asked_with(LABELS))

    assert found[:4] == [(name, "true") for name in ("active", "silenced", "inhibited", "unprocessed")]
    assert found[4:] == [("filter", f'{name}="{value}"') for name, value in LABELS.items()]


@pytest.mark.parametrize("hostile", [*HOSTILE, 'x"', "a\\", "a,b", "{}", "=~", "&silenced=false", "%00", "\u0430pi"])
async def test_what_could_be_more_than_a_value_stands_in_no_filter(hostile: str) -> None:
    """It is compared afterwards all the same: the alert is found by all of its labels."""
    for labels in ({"alertname": "Down", "job": hostile}, {"alertname": "Down", hostile: "x"}):
        if "\ud800" in hostile or hostile == "../../secrets":
            continue  # JSON in UTF-8 cannot carry the one: no alert has it; the other is a value like any
        found = query(await asked_with(labels))
        assert [one for one in found if one[0] == "filter"] == [("filter", 'alertname="Down"')]


async def test_very_many_labels_do_not_make_an_endless_path() -> None:
    path = await asked_with({"alertname": "Down"} | {f"label_{n}": "x" * 100 for n in range(64)})

    assert len(path) <= LONGEST_PATH
    assert query(path)[4] == ("filter", 'alertname="Down"')


async def test_over_real_http() -> None:
    async def script(peer: Peer) -> None:
        while await peer.take() is not None:
            peer.answer(200, says(told(state="suppressed", silencedBy=["4f1c"])).body)

    async with serving(script) as server, HttpClient(lambda name: "s3cret", most=4) as http:
        client = AlertmanagerClient(http, lambda name: [f"http://127.0.0.1:{server.port}/am"], "AM_TOKEN")
        found = await client.standing("main", LABELS, timeout=5.0)

    assert found == Standing("silenced", ("4f1c",))
    assert server.requests[0].target.startswith("/am/api/v2/alerts?active=true&")
    assert server.requests[0].headers["authorization"] == "Bearer s3cret"
