"""The read API answers what SURFACE promises, in JSON, and says what is wrong with a wrong question."""

import json
from datetime import timedelta
from typing import Any

import pytest

from paramedic.core.decision import Entry
from paramedic.core.words import Severity
from paramedic.store.connect import Connection
from tests.console.seed import HOSTILE, NOW, an_incident, approval, keep_evidence, told, write
from tests.console.serving import Serving


def ids(answer: Any) -> list[str]:
    return [line["id"] for line in answer["incidents"]]


async def test_the_list(console: Serving, seeding: Connection) -> None:
    await write(seeding, an_incident(1), approval(2, severity=Severity.P0), an_incident(3, open=False))

    answer = await console.get("/api/v1/incidents")

    assert ids(answer) == ["INC-2", "INC-1", "INC-3"]
    assert answer["cursor"] is None
    assert answer["incidents"][0]["standing"]["next"] == [
        "paramedic runs approve INC-2.1",
        "paramedic runs deny INC-2.1",
    ]


async def test_the_list_in_pages(console: Serving, seeding: Connection) -> None:
    await write(seeding, *(an_incident(n) for n in range(1, 4)))

    first = await console.get("/api/v1/incidents", params={"limit": 2})
    rest = await console.get("/api/v1/incidents", params={"limit": 2, "cursor": first["cursor"]})

    assert ids(first) + ids(rest) == ["INC-3", "INC-2", "INC-1"]
    assert rest["cursor"] is None


FILTERED = [
    ("", ["INC-1", "INC-2"]),
    ("severity=P0", ["INC-1"]),
    ("phase=responding", ["INC-1", "INC-2"]),
    ("phase=resolved", []),
    ("since=90s", ["INC-1"]),
    ("since=24h", ["INC-1", "INC-2"]),
    ("since=2026-05-12T02:29:30Z", ["INC-1"]),
    ("since=2026-05-12T04:29:30%2B02:00", ["INC-1"]),
    ("since=2026-05-12", ["INC-1", "INC-2"]),
    ("since=2026-05-13", []),
    ("q=inc-2", ["INC-2"]),
    ("q=HighErrorRate+shop", ["INC-1", "INC-2"]),
    ("q=%1b%5b31m%E2%80%AE", []),
    ("open=true", ["INC-1", "INC-2"]),
    ("open=false", []),
]


async def test_the_list_filtered(console: Serving, seeding: Connection) -> None:
    await write(seeding, an_incident(1, severity=Severity.P0), an_incident(2))

    found = [(query, ids(await console.get(f"/api/v1/incidents?{query}"))) for query, _ in FILTERED]
    assert found == FILTERED


@pytest.mark.parametrize(
    ("query", "error", "right"),
    [
        ("phase=firing", "phase: Input should be 'detected', 'assessing', 'responding', 'resolved' or 'reviewed'", ""),
        ("severity=P9", "severity: Input should be 'P0', 'P1', 'P2' or 'P3'", ""),
        ("sevrity=P1", "sevrity: there is no such field", "known: phase, severity, since, q, open, cursor, limit"),
        ("since=yesterday", "since: 'yesterday' is neither a time nor how long ago", "write 24h, or a time such as"),
        ("since=9999999w", "since: '9999999w' is neither a time nor how long ago", "write 24h"),
        ("limit=0", "limit: Input should be greater than or equal to 1", ""),
        ("limit=201", "limit: Input should be less than or equal to 200", ""),
        ("limit=x", "limit: Input should be a valid integer", ""),
        ("open=perhaps", "open: Input should be a valid boolean", ""),
        ("cursor=x", "cursor: this is not a cursor of an earlier answer", "leave it out to begin"),
        (f"q={'x' * 201}", "q: String should have at most 200 characters", ""),
    ],
)
async def test_a_wrong_question_is_told_what_is_wrong(bare: Serving, query: str, error: str, right: str) -> None:
    answer = await bare.get(f"/api/v1/incidents?{query}", 400)

    assert answer["error"].startswith(error)
    assert answer["right"].startswith(right)
    assert set(answer) == {"error", "right"}


@pytest.mark.parametrize("name", ["7", "INC-7", "inc-7"])
async def test_one_incident(console: Serving, seeding: Connection, name: str) -> None:
    await write(seeding, approval(7))

    answer = await console.get(f"/api/v1/incidents/{name}")

    assert answer["id"] == "INC-7"
    assert answer["run"]["id"] == "INC-7.1"
    assert answer["run"]["plan"]["write"] == {"image": "api:41"}
    assert answer["alerts"][0]["labels"]["alertname"] == "HighErrorRate"
    assert answer["opened_at"] == (NOW - timedelta(minutes=7)).isoformat().replace("+00:00", "Z")


async def test_its_timeline(console: Serving, seeding: Connection) -> None:
    await write(seeding, an_incident(7), rows=told("one", "two", "three"))

    answer = await console.get("/api/v1/incidents/7/timeline", params={"after": 1, "limit": 1})

    assert [entry["text"] for entry in answer["entries"]] == ["two"]
    assert answer["next"] == 2
    assert answer["chain"]["verified"] is True
    assert answer["chain"]["entries"] == 3


async def test_its_export_and_its_runs(console: Serving, seeding: Connection) -> None:
    await write(seeding, approval(7), rows=told("one", "two"))

    export = await console.get("/api/v1/incidents/7/export")
    runs = await console.get("/api/v1/incidents/7/runs")

    assert [json.loads(row["body"])[0]["text"] for row in export["rows"]] == ["one", "two"]
    assert export["incident"]["id"] == "INC-7"
    assert [run["id"] for run in runs["runs"]] == ["INC-7.1"]


async def test_runs(console: Serving, seeding: Connection) -> None:
    await write(seeding, approval(7), an_incident(8))

    for query in ("", "?waiting=approval"):
        assert [run["id"] for run in (await console.get(f"/api/v1/runs{query}"))["runs"]] == ["INC-7.1"]
    assert (await console.get("/api/v1/runs/INC-7.1"))["stage"] == "approval"
    assert (await console.get("/api/v1/runs?waiting=rain", 400))["error"].startswith("waiting: Input should be ''")


ABSENT = [
    "/api/v1/incidents/99",
    "/api/v1/incidents/INC-99/timeline",
    "/api/v1/incidents/99/export",
    "/api/v1/incidents/99/runs",
    "/api/v1/runs/99.1",
    "/api/v1/runs/INC-7.2",
    f"/api/v1/evidence/{'0' * 64}",
]


async def test_what_does_not_exist(console: Serving, seeding: Connection) -> None:
    await write(seeding, an_incident(7))

    for path in ABSENT:
        answer = await console.get(path, 404)
        assert "there is no" in answer["error"], path


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/incidents/abc",
        "/api/v1/incidents/abc/timeline",
        "/api/v1/incidents/7/timeline?after=x",
        "/api/v1/incidents/7/timeline?limit=5001",
        "/api/v1/incidents/%1b%5b31m",
        "/api/v1/incidents/%ED%A0%80",
        "/api/v1/incidents/7%00",
        "/api/v1/runs/7",
        "/api/v1/runs/7.1.1",
        "/api/v1/runs?limit=-1",
    ],
)
async def test_what_cannot_exist(bare: Serving, path: str) -> None:
    answer = await bare.get(path, 400)

    assert answer["error"].isprintable()
    assert answer["right"].isprintable()


async def test_evidence_is_text_and_nothing_that_a_browser_would_run(console: Serving, seeding: Connection) -> None:
    about = await keep_evidence(seeding, "page", b"<script>alert(1)</script>\xff")

    async with console.http.get(f"{console.url}/api/v1/evidence/{about.digest}") as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert await answer.text() == "<script>alert(1)</script>\ufffd"


async def test_hostile_words_stay_words(console: Serving, seeding: Connection) -> None:
    await write(seeding, an_incident(7, title=HOSTILE), rows=[[Entry("note", HOSTILE)]])

    assert (await console.get("/api/v1/incidents/7"))["title"] == HOSTILE
    assert (await console.get("/api/v1/incidents/7/timeline"))["entries"][0]["text"] == HOSTILE


async def test_switch_and_catalog(bare: Serving) -> None:
    switch = await bare.get("/api/v1/switch")
    catalog = await bare.get("/api/v1/catalog")

    assert (switch["mode"], switch["in_force"], switch["version"]) == ("auto", "auto", 0)
    assert catalog["bundle"] == "4f1c9a"
    assert catalog["counts"]["people"] == 6
    assert catalog["faults"] == [{"where": "rules/uk.yaml:58:3", "what": "can never match", "right": "move it up"}]


@pytest.mark.parametrize("path", ["/api/v1/incidents", "/api/v1/incidents/7", "/api/v1/switch", "/"])
async def test_without_the_database_one_is_asked_to_come_back(console: Serving, seeding: Connection, path: str) -> None:
    await seeding.execute("alter table incident rename to gone")
    await seeding.execute("alter table switch rename to gone_too")

    async with console.http.get(console.url + path) as answer:
        assert answer.status == 503
        assert int(answer.headers["Retry-After"]) >= 1
