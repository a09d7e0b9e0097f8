"""The commands reach the service over its private socket or its address, and pass on its refusals as they are."""

import asyncio
import json
import os
import pwd
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from paramedic.cli import client as under_test
from paramedic.cli.client import Client, client_of
from paramedic.errors import Fault, Permanent, Temporary
from paramedic.settings import Settings
from paramedic.store.connect import Connection
from tests.console.seed import HOSTILE, an_incident, keep_evidence, write
from tests.console.serving import Serving


def through_the_door(service: Serving) -> Client:
    return Client(Settings(data=service.data))


def by_address(service: Serving, who: str = "bob") -> Client:
    return Client(Settings(url=service.url, token=f"token-of-{who}", data=Path("nowhere")))


@pytest.mark.parametrize("way", [through_the_door, by_address])
async def test_both_ways_lead_to_the_service(service: Serving, seeding: Connection, way: Callable[..., Client]) -> None:
    about = await keep_evidence(seeding, "logs", "größer".encode())
    await write(seeding, an_incident(7, title=HOSTILE))
    client = way(service)

    assert (await asyncio.to_thread(client.get, "incidents", "INC-7"))["title"] == HOSTILE
    assert (await asyncio.to_thread(client.get, "incidents", q="alert(1)"))["incidents"][0]["id"] == "INC-7"
    assert await asyncio.to_thread(client.text, "evidence", about.digest) == "größer"
    assert await asyncio.to_thread(client.post, "incidents", "7", "ack") == {"done": "ack done"}
    assert (await asyncio.to_thread(client.put, "switch", mode="off", reason=None))["mode"] == "off"


async def test_through_the_door_one_is_oneself_and_by_address_who_the_token_says(bare: Serving) -> None:
    await asyncio.to_thread(through_the_door(bare).post, "incidents", "7", "ack")
    await asyncio.to_thread(by_address(bare).post, "incidents", "7", "ack")

    assert [act.who for _, act in bare.engine.acts] == [pwd.getpwuid(os.getuid()).pw_name, "bob"]


async def test_what_is_not_given_is_not_sent(bare: Serving) -> None:
    """A missing parameter and an empty one are different things to the service; nobody types an empty one."""
    await asyncio.to_thread(through_the_door(bare).get, "incidents", phase=None, q="", limit=5)
    await asyncio.to_thread(through_the_door(bare).post, "incidents", "7", "close", text=None)

    assert bare.engine.acts[0][1].text == ""


async def test_an_id_cannot_lead_elsewhere(bare: Serving) -> None:
    for name in ("../switch", "7/../../switch", "7?x=1", "7#x", "%2e%2e", "\r\nX: y"):
        with pytest.raises((Fault, Permanent)):
            await asyncio.to_thread(through_the_door(bare).get, "incidents", name)


@pytest.mark.parametrize(
    ("path", "query", "kind", "said"),
    [
        (("incidents", "99"), {}, Permanent, "INC-99: there is no such incident; paramedic incidents lists them"),
        (("incidents", "x"), {}, Fault, "incident: 'x' is not the id of an incident; write INC-12 or 12"),
        (("incidents",), {"severity": "P9"}, Fault, "severity: Input should be 'P0', 'P1', 'P2' or 'P3'"),
        (("nothing",), {}, Permanent, "answered 404; is it Paramedic?"),
    ],
)
async def test_a_refusal_is_passed_on(
    bare: Serving, path: tuple[str, ...], query: dict[str, Any], kind: type[Exception], said: str
) -> None:
    with pytest.raises(kind) as caught:
        await asyncio.to_thread(lambda: through_the_door(bare).get(*path, **query))

    assert str(caught.value).endswith(said)


async def test_without_the_role_or_a_known_token_one_is_told(bare: Serving) -> None:
    for who, said in (("vera", "vera is no operator"), ("nobody", "this token is nobody's")):
        with pytest.raises(Permanent, match=said):
            await asyncio.to_thread(by_address(bare, who).post, "incidents", "7", "ack")


async def test_a_service_that_cannot_answer_now_may_later(bare: Serving) -> None:
    bare.engine.raises = Temporary("starting over")

    with pytest.raises(Temporary, match="starting over; ask again in a moment"):
        await asyncio.to_thread(through_the_door(bare).post, "incidents", "7", "ack")


def test_no_service_in_this_folder(tmp_path: Path) -> None:
    with pytest.raises(Temporary, match=r"no service is running with PARAMEDIC_DATA=.*nowhere: start it"):
        Client(Settings(data=tmp_path / "nowhere")).get("incidents")


def test_no_service_at_this_address() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(Temporary, match=f"{url} does not answer: .*refused"):
            Client(Settings(url=url)).get("incidents")


@pytest.mark.parametrize(
    "url", ["127.0.0.1:8080", "ftp://x", "http://", "http://x:port", "file:///etc/passwd", "http://[::1"]
)
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises((Fault, ValueError)) as caught:
        Client(Settings(url=url)).get("incidents")

    assert str(caught.value).startswith("PARAMEDIC_URL: is not the address of a service; for example http://")


@contextmanager
def answering(raw: bytes) -> Iterator[str]:
    """A server that answers one request with these bytes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(raw)

        thread = threading.Thread(target=answer)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join(10)


def http(status: str, body: bytes) -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (status.encode(), len(body), body)


@pytest.mark.parametrize(
    ("raw", "kind", "said"),
    [
        (b"", Temporary, "does not answer"),
        (b"SSH-2.0-OpenSSH\r\n", Temporary, "does not answer"),
        (http("500 Oops", b"<html>"), Permanent, "answered 500; is it Paramedic?"),
        (http("403 No", b"[]"), Permanent, "answered 403; is it Paramedic?"),
        (http("403 No", b'{"error": "a"}'), Permanent, "a"),
        (http("302 Found", b""), Permanent, "answered 302; is it Paramedic?"),
        (http("400 Wrong", json.dumps({"error": "x", "right": ""}).encode()), Fault, "x"),
    ],
    ids=["nothing", "ssh", "500", "list", "problem", "redirect", "400"],
)
def test_what_is_not_paramedic_is_said_so(raw: bytes, kind: type[Exception], said: str) -> None:
    with answering(raw) as url, pytest.raises(kind) as caught:
        Client(Settings(url=url)).get("incidents")

    assert said in str(caught.value)


def test_an_answer_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_test, "TIMEOUT", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(Temporary, match="does not answer: timed out"):
            Client(Settings(url=url)).get("incidents")


def test_a_path_in_the_address_is_kept() -> None:
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                heard.append(connection.recv(65536))
                connection.sendall(http("200 OK", b"{}"))

        thread = threading.Thread(target=answer)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/below/"
        assert client_of({"PARAMEDIC_URL": url, "PARAMEDIC_TOKEN": "t"}).get("switch") == {}
        thread.join(10)

    assert heard[0].startswith(b"GET /below/api/v1/switch HTTP/1.1\r\n")
    assert b"Authorization: Bearer t\r\n" in heard[0]


def test_a_token_is_not_sent_through_the_door(tmp_path: Path) -> None:
    """There, the operating system says who it is."""
    heard: list[bytes] = []
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "paramedic.sock"))
        server.listen()

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                heard.append(connection.recv(65536))
                connection.sendall(http("200 OK", b"{}"))

        thread = threading.Thread(target=answer)
        thread.start()
        client_of({"PARAMEDIC_DATA": str(tmp_path), "PARAMEDIC_TOKEN": "secret"}).get("switch")
        thread.join(10)

    assert b"secret" not in heard[0]
