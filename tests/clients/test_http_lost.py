"""The HTTP client when no answer comes: each way of failing says exactly what it proves about the write (promise 3)."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from paramedic.clients.http import HttpClient
from paramedic.core.bundle import Endpoint
from paramedic.errors import Temporary, UnknownOutcome
from tests.clients.servers import Peer, Script, serving, unused_port


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    async with HttpClient(str) as made:
        yield made


async def never_answers(peer: Peer) -> None:
    await peer.take()
    await peer.server.quiet.wait()


async def resets(peer: Peer) -> None:
    await peer.take()
    peer.reset()


async def hangs_up(peer: Peer) -> None:
    await peer.take()


async def talks_nonsense(peer: Peer) -> None:
    await peer.take()
    peer.say(b"220 mail.example.org ESMTP\r\n\r\n")


async def endless_header(peer: Peer) -> None:
    await peer.take()
    peer.say(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 200_000 + b"\r\n\r\n")


LOST: dict[str, tuple[Script, str]] = {
    "reset": (resets, "reset by peer"),
    "hang-up": (hangs_up, "Server disconnected"),
    "nonsense": (talks_nonsense, "not HTTP"),
    "endless header": (endless_header, "not HTTP"),
}


@pytest.mark.parametrize("how", LOST)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("idempotent", [True, False])
async def test_a_write_without_an_answer_is_unknown_and_sent_once(
    client: HttpClient, how: str, method: str, idempotent: bool
) -> None:
    script, said = LOST[how]
    async with serving(script) as server:
        with pytest.raises(UnknownOutcome, match=f"{method} to hook: .*{said}.*; it was sent, and may have been done"):
            await client.request(server.endpoint(idempotent=idempotent), method, "/act", body=b"{}", timeout=5)

    assert len(server.requests) == 1


@pytest.mark.parametrize("idempotent", [True, False])
async def test_a_write_that_is_not_answered_in_time_is_unknown(client: HttpClient, idempotent: bool) -> None:
    async with serving(never_answers) as server:
        with pytest.raises(UnknownOutcome, match=r"no answer within 0\.5s; it was sent, and may have been done"):
            await client.request(server.endpoint(idempotent=idempotent), "POST", "/act", timeout=0.5)

    assert len(server.requests) == 1


async def test_a_question_that_is_not_answered_in_time_may_be_asked_again(client: HttpClient) -> None:
    async with serving(never_answers) as server:
        with pytest.raises(Temporary, match=r"GET to hook: no answer within 0\.5s"):
            await client.request(server.endpoint(), "GET", "/health", timeout=0.5)


@pytest.mark.parametrize("how", LOST)
async def test_a_question_without_an_answer_may_be_asked_again_by_whoever_asks(client: HttpClient, how: str) -> None:
    script, said = LOST[how]
    async with serving(script) as server:
        with pytest.raises(Temporary, match=said):
            await client.request(server.endpoint(), "GET", "/health", timeout=5)

    assert len(server.requests) == 1


@pytest.mark.parametrize("method", ["PUT", "DELETE", "GET"])
async def test_the_library_never_sends_again_on_a_kept_connection_that_broke(client: HttpClient, method: str) -> None:
    """aiohttp repeats such requests by itself: then a write would happen twice under one attempt."""

    async def answers_once(peer: Peer) -> None:
        if await peer.take() is not None:
            peer.answer()
        await peer.take()

    async with serving(answers_once) as server:
        endpoint = server.endpoint(idempotent=True)
        await client.request(endpoint, method, "/1", timeout=5)
        with pytest.raises((UnknownOutcome, Temporary)):
            await client.request(endpoint, method, "/2", timeout=5)

    assert [request.target for request in server.requests] == ["/1", "/2"]
    assert server.connections == 1


async def test_a_connection_refused_has_sent_nothing(client: HttpClient) -> None:
    endpoint = Endpoint("hook", f"http://127.0.0.1:{unused_port()}")
    with pytest.raises(Temporary, match=r"POST to hook: no connection \(.+\); nothing was sent"):
        await client.request(endpoint, "POST", "/act", timeout=5)


async def test_a_name_that_does_not_resolve_has_sent_nothing(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    with pytest.raises(Temporary, match=r"no connection \(Name or service not known\); nothing was sent"):
        await client.request(Endpoint("hook", "http://hooks.example.invalid"), "POST", "/act", timeout=5)


@pytest.mark.parametrize("idempotent", [True, False])
async def test_no_free_connection_in_time_has_sent_nothing(idempotent: bool) -> None:
    async def answers_late(peer: Peer) -> None:
        await peer.take()
        await peer.server.quiet.wait()
        peer.answer()

    async with HttpClient(str, most=1) as client, serving(answers_late) as server, asyncio.TaskGroup() as group:
        endpoint = server.endpoint(idempotent=idempotent)
        first = group.create_task(client.request(endpoint, "POST", "/first", timeout=10))
        await asyncio.wait_for(server.arrived.wait(), 5)
        with pytest.raises(Temporary, match=r"no connection within 0\.05s; nothing was sent"):
            await client.request(endpoint, "POST", "/second", timeout=0.1)
        server.quiet.set()
        reply = await first

    assert reply.status == 200
    assert [request.target for request in server.requests] == ["/first"]


async def stops_in_the_body(peer: Peer) -> None:
    await peer.take()
    peer.say(b"HTTP/1.1 202 Accepted\r\nContent-Length: 100\r\n\r\ntaken")


async def stalls_in_the_body(peer: Peer) -> None:
    await stops_in_the_body(peer)
    await peer.server.quiet.wait()


@pytest.mark.parametrize("script", [stops_in_the_body, stalls_in_the_body])
async def test_a_write_that_was_answered_is_known_though_the_body_breaks_off(
    client: HttpClient, script: Script
) -> None:
    async with serving(script) as server:
        for _ in range(2):
            reply = await client.request(server.endpoint(idempotent=True), "POST", "/act", timeout=0.3)
            assert (reply.status, reply.body) == (202, b"taken")

    assert server.connections == 2  # what is left of the first answer never becomes the second one's


@pytest.mark.parametrize("script", [stops_in_the_body, stalls_in_the_body])
async def test_a_question_whose_answer_breaks_off_has_no_answer(client: HttpClient, script: Script) -> None:
    """A check would otherwise miss what it looks for in the part that never came."""
    async with serving(script) as server:
        with pytest.raises(Temporary):
            await client.request(server.endpoint(), "GET", "/health", timeout=0.5)


async def test_whoever_stops_waiting_is_obeyed(client: HttpClient) -> None:
    async with serving(never_answers) as server:
        task = asyncio.ensure_future(client.request(server.endpoint(), "POST", "/act", timeout=30))
        await asyncio.wait_for(server.arrived.wait(), 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.mark.parametrize("timeout", [0.0, -1.0])
async def test_no_time_is_no_time_and_not_for_ever(client: HttpClient, timeout: float) -> None:
    async with serving(never_answers) as server:
        with pytest.raises((Temporary, UnknownOutcome)):
            await asyncio.wait_for(client.request(server.endpoint(), "POST", "/", timeout=timeout), 5)
