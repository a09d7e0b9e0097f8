"""What a person does reaches the engine once, under the right name, with nothing added; refusals say why."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from paramedic.core.acts import ACTS, role_for
from paramedic.core.words import Mode
from paramedic.engine.inputs import Act, Conflict, NotFound
from paramedic.errors import Fault, Permanent, Temporary
from paramedic.store.connect import Connection
from paramedic.store.port import Switch
from tests.console.seed import NOW, an_incident, write
from tests.console.serving import Serving, console_of


@pytest.mark.parametrize(
    ("path", "body", "act"),
    [
        ("incidents/INC-7/ack", None, Act("alice", "ack")),
        ("incidents/7/ack", {}, Act("alice", "ack")),
        ("incidents/7/take", None, Act("alice", "take")),
        ("incidents/7/escalate", None, Act("alice", "escalate")),
        ("incidents/7/close", None, Act("alice", "close")),
        ("incidents/7/close", {"text": "a test"}, Act("alice", "close", text="a test")),
        ("incidents/7/note", {"text": "called the vendor"}, Act("alice", "note", text="called the vendor")),
        ("incidents/7/note", {"text": "a\n\x1b[31mb\u202e"}, Act("alice", "note", text="a [31mb")),
        ("incidents/7/snooze", {"for": "1h"}, Act("alice", "snooze", until=NOW + timedelta(hours=1))),
        ("incidents/7/snooze", {"for": 90}, Act("alice", "snooze", until=NOW + timedelta(seconds=90))),
        ("runs/INC-7.1/approve", None, Act("alice", "approve", run=1)),
        ("runs/INC-7.1/approve", {"plan": "d1"}, Act("alice", "approve", run=1, plan="d1")),
        ("runs/7.2/deny", {"text": "not now"}, Act("alice", "deny", run=2, text="not now")),
        ("runs/7.1/cancel", None, Act("alice", "cancel", run=1)),
    ],
)
async def test_an_act_reaches_the_engine_as_it_was_meant(bare: Serving, path: str, body: Any, act: Act) -> None:
    answer = await bare.post(f"/api/v1/{path}", body)

    assert answer == {"done": f"{act.what} done"}
    came = replace(act, groups=("operator", "approver"), way="api", origin="127.0.0.1")
    assert bare.engine.acts == [(7, came)]


def test_every_act_of_the_core_has_a_route_and_every_route_an_act() -> None:
    posted = {
        each.path.rpartition("/")[2]: each.role
        for each in console_of().operations()
        if each.method == "POST" and "{id}" in each.path
    }

    assert posted == {what: role_for(what) for what in ACTS}


@pytest.mark.parametrize("what", ACTS)
async def test_every_act_can_be_reached(bare: Serving, what: str) -> None:
    kind, name = ("runs", "7.1") if what in ("approve", "deny", "cancel") else ("incidents", "7")
    body = {"note": {"text": "x"}, "snooze": {"for": "1h"}}.get(what)

    if what == "link":  # the other one is looked for first, and there is none
        await bare.post("/api/v1/incidents/7/link", {"to": "INC-8"}, status=404)
        return
    await bare.post(f"/api/v1/{kind}/{name}/{what}", body)

    assert bare.engine.acts[0][1].what == what


async def test_a_link_is_told_to_both_incidents(console: Serving, seeding: Connection) -> None:
    await write(seeding, an_incident(7))
    await write(seeding, an_incident(8))

    await console.post("/api/v1/incidents/7/link", {"to": "INC-8"})

    assert [(number, act.what, act.other) for number, act in console.engine.acts] == [(7, "link", 8), (8, "link", 7)]


@pytest.mark.parametrize(
    ("path", "body", "error"),
    [
        ("incidents/7/note", None, "text: Field required"),
        ("incidents/7/note", {"text": ""}, "text: is empty"),
        ("incidents/7/note", {"text": " \n\t\x00 "}, "text: is empty"),
        ("incidents/7/note", {"text": 7}, "text: Input should be a valid string"),
        ("incidents/7/note", {"text": "x" * 4001}, "text: String should have at most 4000 characters"),
        ("incidents/7/note", {"txt": "x", "text": "y"}, "txt: there is no such field"),
        ("incidents/7/ack", {"text": "x"}, "text: there is no such field"),
        ("incidents/7/ack", [], "body: Input should be an object"),
        ("incidents/7/ack", "x", "body: Input should be an object"),
        ("incidents/7/snooze", None, "for: Field required"),
        ("incidents/7/snooze", {"for": "soon"}, 'for: "soon" is not a duration'),
        ("incidents/7/snooze", {"for": "0"}, "for: Input should be greater than 0"),
        ("incidents/7/snooze", {"for": "8d"}, "for: Input should be less than or equal to 604800"),
        ("incidents/7/snooze", {"for": -1}, 'for: "-1" is not between nothing and ten years'),
        ("incidents/7/snooze", {"for": True}, "for: this is not a duration"),
        ("incidents/7/snooze", {"for_": "1h"}, "for: Field required"),
        ("incidents/x/ack", None, "incident: 'x' is not the id of an incident"),
        ("runs/7/approve", None, "run: '7' is not the id of a run"),
        ("runs/7.1/approve", {"plan": "x" * 129}, "plan: String should have at most 128 characters"),
    ],
)
async def test_a_wrong_body_does_nothing(bare: Serving, path: str, body: Any, error: str) -> None:
    answer = await bare.post(f"/api/v1/{path}", body, status=400)

    assert answer["error"].startswith(error)
    assert bare.engine.acts == []


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (b"{", "body: Invalid JSON"),
        (b"\xff", "body: Invalid JSON"),
        (b'{"text": "\\ud800"}', "body: Invalid JSON"),
        (b"[" * 5000, "body: Invalid JSON"),
        (b'{"text": "' + b"x" * 65536 + b'"}', "body: longer than 64 KiB"),
    ],
    ids=["torn", "no text", "lone surrogate", "deep", "long"],
)
async def test_a_body_that_is_none(bare: Serving, raw: bytes, error: str) -> None:
    path = f"{bare.url}/api/v1/incidents/7/note"

    async with bare.http.post(path, data=raw, headers=bare.bearer("alice")) as answer:
        assert answer.status == 400
        assert (await answer.json())["error"].startswith(error)
    assert bare.engine.acts == []


@pytest.mark.parametrize(
    ("raised", "status", "error"),
    [
        (
            NotFound("INC-7", "there is no such incident", "paramedic incidents lists them"),
            404,
            "INC-7: there is no such",
        ),
        (Conflict("INC-7", "was acknowledged already by bob"), 409, "INC-7: was acknowledged already by bob"),
        (Fault("until", "lies in the past", "a later one"), 400, "until: lies in the past"),
        (Temporary("starting over", delay=3.0), 503, "starting over"),
        (Permanent("the store refuses"), 503, "the store refuses"),
    ],
)
async def test_what_the_engine_refuses_is_answered_in_its_words(
    bare: Serving, raised: Exception, status: int, error: str
) -> None:
    bare.engine.raises = raised

    answer = await bare.post("/api/v1/incidents/7/ack", status=status)

    assert answer["error"].startswith(error)


async def test_a_refusal_says_when_to_come_back(bare: Serving) -> None:
    bare.engine.raises = Temporary("busy", delay=2.3)
    path = f"{bare.url}/api/v1/incidents/7/ack"

    async with bare.http.post(path, headers=bare.bearer("alice")) as answer:
        assert answer.headers["Retry-After"] == "3"


@pytest.mark.parametrize(
    ("body", "switch"),
    [
        ({"mode": "off"}, Switch(Mode.OFF, None, "alice", "", NOW, 7)),
        (
            {"mode": "freeze", "reason": "database\nrestore"},
            Switch(Mode.FREEZE, None, "alice", "database restore", NOW, 7),
        ),
        ({"mode": "shadow", "for": "2h"}, Switch(Mode.SHADOW, NOW + timedelta(hours=2), "alice", "", NOW, 7)),
        ({"mode": "auto", "for": None}, Switch(Mode.AUTO, None, "alice", "", NOW, 7)),
    ],
)
async def test_the_switch_is_set(bare: Serving, body: Any, switch: Switch) -> None:
    async with bare.http.put(f"{bare.url}/api/v1/switch", json=body, headers=bare.bearer("alice")) as answer:
        said = await answer.json()

    assert bare.engine.switches == [switch]
    assert (said["mode"], said["in_force"], said["who"], said["version"]) == (switch.mode, switch.mode, "alice", 7)


@pytest.mark.parametrize(
    "body", [{}, {"mode": "on"}, {"mode": "off", "for": "x"}, {"mode": "off", "for": 0}, {"mode": "off", "until": 1}]
)
async def test_the_switch_is_not_set_by_a_wrong_body(bare: Serving, body: Any) -> None:
    async with bare.http.put(f"{bare.url}/api/v1/switch", json=body, headers=bare.bearer("alice")) as answer:
        assert answer.status == 400

    assert bare.engine.switches == []


@pytest.mark.parametrize("who", ["vera", "nobody"])
async def test_the_switch_is_not_for_everybody(bare: Serving, who: str) -> None:
    status = await bare.status("/api/v1/switch", "PUT", json={"mode": "auto"}, headers=bare.bearer(who))

    assert status == (403 if who == "vera" else 401)
    assert bare.engine.switches == []
