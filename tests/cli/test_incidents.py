"""`paramedic incidents`: what waits for a person is seen first, a record is shown whole or said to be broken."""

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from paramedic.cli import story
from paramedic.cli.client import Client
from paramedic.console import history
from paramedic.core.decision import Entry
from paramedic.core.model import Timer
from paramedic.core.words import Phase, Severity
from paramedic.engine.inputs import Act, Conflict
from paramedic.store.connect import Connection
from tests.cli.conftest import Said
from tests.console.seed import HOSTILE, NOW, an_incident, approval, keep_evidence, paged, run, told, write
from tests.console.serving import Serving

Ask = Callable[..., Awaitable[Said]]


async def test_the_list(ask: Ask, service: Serving, seeding: Connection) -> None:
    await write(
        seeding,
        an_incident(1, severity=Severity.P0, run=run()),
        approval(2, severity=Severity.P1),
        an_incident(3, open=False, phase=Phase.REVIEWED, fixed_by="paramedic"),
    )

    for argv in (["incidents"], ["incidents", "list"]):
        said = await ask(*argv)

        assert said.code == 0
        assert [line.strip() for line in said.lines if not line.startswith(" ")] == [
            "Waiting for a person: 1",
            "Open, in hand: 1",
            "Over",
        ]
        assert said.lines[1].startswith("   P1  INC-2")
        assert said.lines[2].strip() == "waits for an approval of INC-2.1 until 02:41: image api:42 → api:41"
        assert said.lines[3].strip() == "paramedic runs approve INC-2.1"
        assert said.lines[-1].endswith("fixed by paramedic")


async def test_what_is_resolved_is_over_though_it_may_come_back(
    ask: Ask, service: Serving, seeding: Connection
) -> None:
    quiet = {"quiet": Timer(9, NOW + timedelta(minutes=15))}
    await write(seeding, an_incident(1, phase=Phase.RESOLVED, fixed_by="itself", timers=quiet), an_incident(2))

    said = await ask("incidents")

    assert said.lines[0] == "Open, in hand: 1"
    assert said.lines[-2] == "Over"
    assert "INC-1" in said.lines[-1]
    assert "cleared by itself; closed at 02:46" in said.lines[-1]


async def test_an_empty_list(ask: Ask, bare: Serving) -> None:
    assert (await ask("incidents")).out == "No incident.\n"


@pytest.mark.parametrize(
    ("argv", "found"),
    [
        (["--severity", "P0"], ["INC-1"]),
        (["list", "--severity", "P0"], ["INC-1"]),
        (["--severity", "P0", "list"], ["INC-1"]),
        (["--q", "payments"], ["INC-2"]),
        (["--q", "INC-3"], ["INC-3"]),
        (["--phase", "reviewed"], ["INC-3"]),
        (["--open"], ["INC-1", "INC-2"]),
        (["--since", "90s"], ["INC-1"]),
        (["--limit", "2"], ["INC-1", "INC-2"]),
    ],
)
async def test_the_list_filtered(
    ask: Ask, service: Serving, seeding: Connection, argv: list[str], found: list[str]
) -> None:
    await write(
        seeding,
        an_incident(1, severity=Severity.P0),
        an_incident(2, title="Down shop/payments"),
        an_incident(3, open=False, phase=Phase.REVIEWED),
    )

    said = await ask("incidents", *argv, "--json")

    assert [line["id"] for line in json.loads(said.out)["incidents"]] == found


async def test_a_list_that_is_cut_says_so(ask: Ask, service: Serving, seeding: Connection) -> None:
    await write(seeding, *(an_incident(n) for n in range(1, 4)))

    assert (await ask("incidents", "--limit", "2")).lines[-1].startswith("More than 2: narrow it down")
    assert "narrow" not in (await ask("incidents", "--limit", "3")).out


async def test_a_wrong_filter_is_wrong_usage(ask: Ask, bare: Serving) -> None:
    said = await ask("incidents", "--severity", "P9")

    assert (said.code, said.out) == (2, "")
    assert said.err == "paramedic: severity: Input should be 'P0', 'P1', 'P2' or 'P3'\n"


ROWS = [
    (Entry("alert", "HighErrorRate shop/api is firing (critical)", "alertmanager main"),),
    (
        Entry(
            "guards", "7 of 7 allow", "playbook roll-back-bad-change", seen={"age": "4m", "from": {"image": "api:41"}}
        ),
    ),
    (Entry("note", "called the vendor", who="alice"), Entry("acknowledged", "by bob", who="bob")),
]


async def test_one_incident(ask: Ask, service: Serving, seeding: Connection) -> None:
    await write(seeding, paged(7, 2, severity=Severity.P1), rows=ROWS)

    said = await ask("incidents", "show", "INC-7")

    assert said.code == 0
    assert said.lines[0] == "INC-7  P1  HighErrorRate shop/api-7"
    assert said.lines[1].startswith("   responding, waiting for a person: nothing is being done; level 2 was paged")
    assert "   paramedic incidents ack INC-7" in said.lines
    assert "   Tuesday 12 May 2026 UTC" in said.lines
    assert (
        "   02:24:00  alert     HighErrorRate shop/api is firing (critical)                 alertmanager main"
        in said.lines
    )
    assert " " * 23 + "age: 4m" in said.lines
    assert " " * 23 + 'from: {"image": "api:41"}' in said.lines
    assert "   02:24:02  note      called the vendor (by alice)" in said.lines
    assert "   02:24:02  acknowledged by bob" in said.lines
    assert said.lines[-1].startswith("4 entries, chain verified, head ")


async def test_evidence_is_shown_as_far_as_one_wants(ask: Ask, service: Serving, seeding: Connection) -> None:
    body = "".join(f"line {n}\n" for n in range(9)) + "\x1b[31mred"
    about = await keep_evidence(seeding, "logs of api", body.encode())
    await write(seeding, an_incident(7), rows=[[Entry("plan", "x", evidence=(about,))]])

    short = await ask("incidents", "show", "7")
    whole = await ask("incidents", "show", "7", "--evidence")

    assert f"logs of api ({len(body)} bytes, sha256 {about.digest[:12]})" in short.out
    assert "line 4" in short.out
    assert "line 5" not in short.out
    assert "… 5 more lines" in short.out
    assert "line 8" in whole.out
    assert "\\x1b[31mred" in whole.out
    assert "\x1b" not in whole.out


async def test_a_timeline_longer_than_one_answer(
    ask: Ask, service: Serving, seeding: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "ENTRIES", 3)
    await write(seeding, an_incident(7), rows=told(*(f"text {n}" for n in range(8))))

    said = await ask("incidents", "show", "7")
    data = json.loads((await ask("incidents", "show", "7", "--json")).out)

    assert [line.split()[-1] for line in said.lines if " note " in line] == [str(n) for n in range(8)]
    assert [entry["number"] for entry in data["timeline"]["entries"]] == list(range(1, 9))


@pytest.mark.parametrize("argv", [["show"], ["show", "--json"], ["export"]])
async def test_a_broken_record_is_found_wrong(ask: Ask, service: Serving, seeding: Connection, argv: list[str]) -> None:
    """Promise 8: exit code 1, so that a script that only looks at it knows."""
    await write(seeding, an_incident(7), rows=told("one", "two"))
    assert (await ask("incidents", *argv, "7")).code == 0

    await seeding.execute("update timeline set body = '[]' where seq = 2")
    said = await ask("incidents", *argv, "7")

    assert said.code == 1
    assert "entry 2 is not what was written" in said.out


async def test_an_export_is_json_with_its_proof(ask: Ask, service: Serving, seeding: Connection) -> None:
    await write(seeding, an_incident(7, title=HOSTILE), rows=told("one", "größer"))

    said = await ask("incidents", "export", "7")
    export = json.loads(said.out)

    assert [json.loads(row["body"])[0]["text"] for row in export["rows"]] == ["one", "größer"]
    assert export["incident"]["title"] == HOSTILE
    assert "sha256" in export["proof"]
    assert said.out.isascii(), "JSON on a terminal must not obey an alert either"


@pytest.mark.parametrize(
    ("argv", "act"),
    [
        (["ack", "INC-7"], Act("", "ack")),
        (["take", "7"], Act("", "take")),
        (["escalate", "7"], Act("", "escalate")),
        (["close", "7"], Act("", "close")),
        (["close", "7", "a", "test"], Act("", "close", text="a test")),
        (["note", "7", "called the vendor"], Act("", "note", text="called the vendor")),
        (["note", "7", "called", "the", "vendor"], Act("", "note", text="called the vendor")),
    ],
)
async def test_acts(ask: Ask, bare: Serving, argv: list[str], act: Act) -> None:
    said = await ask("incidents", *argv)

    assert (said.code, said.out, said.err) == (0, f"{act.what} done\n", "")
    [(number, done)] = bare.engine.acts
    assert (number, done.what, done.text, done.run, done.until) == (7, act.what, act.text, None, None)


async def test_one_is_opened_by_hand(ask: Ask, bare: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, ...]] = []

    def post(_: Client, *path: str, **body: object) -> dict[str, str]:
        asked.append((path, body))
        return {"incident": "INC-12"}

    monkeypatch.setattr(Client, "post", post)

    said = await ask("incidents", "open", "customers cannot pay", "alertname=ServiceDown", "q=a=b")

    assert (said.code, said.out) == (0, "INC-12\n")
    labels = {"alertname": "ServiceDown", "q": "a=b"}
    assert asked == [(("incidents",), {"title": "customers cannot pay", "labels": labels})]


@pytest.mark.parametrize("labels", [["job"], ["=api"], ["job=a", "job=b"]])
async def test_what_is_no_label_is_said(ask: Ask, bare: Serving, labels: list[str]) -> None:
    assert (await ask("incidents", "open", "x", *labels)).code == 2
    assert bare.engine.delivered == []


async def test_a_link_names_the_other_one(ask: Ask, service: Serving, seeding: Connection) -> None:
    await write(seeding, an_incident(7))
    await write(seeding, an_incident(8))

    said = await ask("incidents", "link", "INC-7", "INC-8")

    assert (said.code, said.out) == (0, "link done\n")
    assert [(number, act.other) for number, act in service.engine.acts] == [(7, 8), (8, 7)]


async def test_a_snooze_has_an_end(ask: Ask, bare: Serving) -> None:
    assert (await ask("incidents", "snooze", "7", "1h")).code == 0
    assert (await ask("incidents", "snooze", "7", "soon")).code == 2

    assert len(bare.engine.acts) == 1
    assert bare.engine.acts[0][1].until is not None


async def test_what_cannot_be_done_now_is_found_wrong(ask: Ask, bare: Serving) -> None:
    bare.engine.raises = Conflict("INC-7", "was acknowledged already by bob")

    said = await ask("incidents", "ack", "7")

    assert (said.code, said.err) == (1, "paramedic: INC-7: was acknowledged already by bob\n")


async def test_an_incident_that_does_not_exist(ask: Ask, bare: Serving) -> None:
    said = await ask("incidents", "show", "99")

    assert said.code == 1
    assert said.err == "paramedic: INC-99: there is no such incident; paramedic incidents lists them\n"


async def test_without_a_service_it_says_what_to_do(ask: Ask) -> None:
    said = await ask("incidents")

    assert said.code == 1
    assert said.err.startswith("paramedic: no service is running with PARAMEDIC_DATA=")
    assert said.err.count("\n") == 1


async def test_no_word_of_an_alert_reaches_the_terminal_as_an_instruction(
    ask: Ask, service: Serving, seeding: Connection
) -> None:
    rows = [[Entry("note", HOSTILE, HOSTILE, HOSTILE, {HOSTILE: HOSTILE, "x": [HOSTILE]})]]
    incident = approval(7, title=HOSTILE, rule=HOSTILE, owner=HOSTILE, source=HOSTILE, parked=HOSTILE)
    await write(seeding, incident, an_incident(8, title=HOSTILE, open=False, fixed_by=HOSTILE), rows=rows)

    for argv in (["incidents"], ["incidents", "show", "7"], ["runs"], ["runs", "show", "7.1"]):
        said = await ask(*argv)
        assert said.code == 0
        assert all(char.isprintable() or char == "\n" for char in said.out), argv


def test_no_line_is_wider_than_a_page() -> None:
    """Whatever the words, the columns hold."""
    long = "word " * 60
    one: dict[str, Any] = {
        "id": "INC-123456789",
        "title": long,
        "severity": "P1",
        "phase": "responding",
        "open": True,
        "standing": {"text": long, "person": True, "next": ["paramedic incidents ack INC-123456789"]},
        "opened_at": "2026-05-12T02:24:00Z",
    }
    now = story.moment("2026-05-12T03:24:00Z")

    lines = list(story.listed([one, {**one, "open": False}], now, colour=False))

    assert all(len(line) <= 100 for line in lines), [line for line in lines if len(line) > 100]
