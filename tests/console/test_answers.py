"""Every answer carries the headers that keep a browser safe, and a slow or endless body ends."""

import asyncio
from urllib.parse import urlsplit

import pytest

from paramedic.console import answers
from paramedic.console.answers import SAFE
from paramedic.store.connect import Connection
from tests.console.seed import an_incident, write
from tests.console.serving import Serving

PATHS = [
    ("/", 200),
    ("/incidents/1", 200),
    ("/incidents/99", 404),
    ("/incidents/x", 400),
    ("/?limit=x", 400),
    ("/static/console.css", 200),
    ("/static/nothing", 404),
    ("/api/v1/incidents", 200),
    ("/api/v1/incidents/99", 404),
    ("/api/v1/incidents?x=1", 400),
    ("/api/v1/openapi.json", 200),
]


@pytest.mark.parametrize(("path", "status"), PATHS)
async def test_every_answer_is_safe_in_a_browser(console: Serving, seeding: Connection, path: str, status: int) -> None:
    await write(seeding, an_incident(1))

    async with console.http.get(console.url + path) as answer:
        assert answer.status == status
        for name, value in SAFE.items():
            if name != "Cache-Control" or not path.startswith("/static/") or status != 200:
                assert answer.headers[name] == value
        assert "Set-Cookie" not in answer.headers


def test_nothing_from_elsewhere_and_nothing_inline_may_run() -> None:
    policy = dict(part.strip().split(" ", 1) for part in SAFE["Content-Security-Policy"].split(";"))

    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in SAFE["Content-Security-Policy"]


async def test_a_stream_of_events_is_safe_too(bare: Serving) -> None:
    async with bare.http.get(f"{bare.url}/events") as answer:
        assert answer.headers.items() >= SAFE.items()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_reading_is_only_reading(bare: Serving, method: str) -> None:
    assert await bare.status("/api/v1/catalog", method, headers=bare.bearer("alice")) == 405


async def test_a_body_that_does_not_come_is_not_waited_for(bare: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "PATIENCE", 0.05)
    address = urlsplit(bare.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(
        b"POST /api/v1/incidents/7/note HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n"
        b'Authorization: Bearer token-of-alice\r\n\r\n{"text":'
    )

    async with asyncio.timeout(10):
        answer = await reader.readuntil(b"}")
    writer.close()
    await writer.wait_closed()

    assert answer.startswith(b"HTTP/1.1 400")
    assert b"did not arrive within" in answer
    assert bare.engine.acts == []


async def test_an_endless_body_is_not_read_to_its_end(bare: Serving) -> None:
    async def endless() -> object:
        while True:
            yield b"x" * 65536

    path, headers = f"{bare.url}/api/v1/incidents/7/note", bare.bearer("alice")
    async with bare.http.post(path, data=endless(), headers=headers) as answer:
        assert answer.status == 400
        assert (await answer.json())["error"] == "body: longer than 64 KiB"
