"""The client of clusters when no answer comes: each way of failing says exactly what it proves about the write.

Promise 3: a write that may have been done is never sent again by the client.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from paramedic.clients.kube.client import KubeClient
from paramedic.errors import Permanent, Temporary, UnknownOutcome
from tests.clients.kube.clusters import API, POD, kubeconfig, opened
from tests.clients.servers import Peer, Script, Server, serving, unused_port

OBJECT = b'{"metadata":{"name":"api"}}'


async def resets(peer: Peer) -> None:
    await peer.take()
    peer.reset()


async def hangs_up(peer: Peer) -> None:
    await peer.take()


async def silent(peer: Peer) -> None:
    await peer.take()
    await peer.server.quiet.wait()


async def cut_off(peer: Peer) -> None:
    await peer.take()
    peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + OBJECT)


async def nonsense(peer: Peer) -> None:
    await peer.take()
    peer.say(b"220 mail.example.org ESMTP\r\n\r\n")


async def endless(peer: Peer) -> None:
    await peer.take()
    peer.say(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    with suppress(ConnectionError):
        while True:
            peer.say(b" " * 65536)
            await peer.writer.drain()


async def good(peer: Peer) -> None:
    while await peer.take() is not None:
        peer.answer(body=OBJECT)


Calling = Callable[[KubeClient], Awaitable[Any]]
WRITES: dict[str, Calling] = {
    "patch": lambda kube: kube.patch(API, {"a": 1}, "merge", timeout=0.3),
    "create": lambda kube: kube.create(API, {"a": 1}, timeout=0.3),
    "delete": lambda kube: kube.delete(POD, uid="u", timeout=0.3),
    "evict": lambda kube: kube.evict(POD, uid="u", timeout=0.3),
}
HARMLESS: dict[str, Calling] = {
    "get": lambda kube: kube.get(API, timeout=0.3),
    "list": lambda kube: kube.list(API, timeout=0.3),
    "logs": lambda kube: kube.logs(POD, timeout=0.3),
    "dry patch": lambda kube: kube.patch(API, {"a": 1}, "merge", dry_run=True, timeout=0.3),
    "dry delete": lambda kube: kube.delete(POD, uid="u", dry_run=True, timeout=0.3),
}
LOSING: dict[str, Script] = {
    "reset": resets,
    "hangs up": hangs_up,
    "silent": silent,
    "cut off": cut_off,
    "nonsense": nonsense,
}


@pytest.fixture
def client(tmp_path: Path) -> Callable[[str], Awaitable[KubeClient]]:
    async def to(url: str) -> KubeClient:
        return await opened(kubeconfig(tmp_path, url))

    return to


@pytest.fixture
async def losing(request: pytest.FixtureRequest) -> AsyncIterator[Server]:
    async with serving(LOSING[request.param]) as server:
        yield server


@pytest.mark.parametrize(
    ("losing", "write"),
    [(losing, write) for losing in LOSING for write in WRITES if losing != "silent" or write == "patch"],
    indirect=["losing"],
)
async def test_a_write_without_an_answer_is_unknown_and_sent_once(
    client: Callable[[str], Awaitable[KubeClient]], losing: Server, write: str
) -> None:
    async with await client(f"http://127.0.0.1:{losing.port}") as kube:
        with pytest.raises(UnknownOutcome):
            await WRITES[write](kube)

    assert len(losing.requests) == 1


@pytest.mark.parametrize(
    ("losing", "call"),
    [(losing, call) for losing in LOSING for call in HARMLESS if losing != "silent" or call == "dry patch"],
    indirect=["losing"],
)
async def test_what_changes_nothing_may_be_tried_again(
    client: Callable[[str], Awaitable[KubeClient]], losing: Server, call: str
) -> None:
    async with await client(f"http://127.0.0.1:{losing.port}") as kube:
        with pytest.raises(Temporary):
            await HARMLESS[call](kube)

    assert len(losing.requests) == 1


@pytest.mark.parametrize("write", WRITES)
async def test_who_cannot_be_reached_was_sent_nothing(
    client: Callable[[str], Awaitable[KubeClient]], write: str
) -> None:
    for url in (f"http://127.0.0.1:{unused_port()}", "http://nowhere.invalid"):
        async with await client(url) as kube:
            with pytest.raises(Temporary, match="nothing was sent"):
                await WRITES[write](kube)


async def test_each_write_has_a_connection_of_its_own_and_reads_share_one(
    client: Callable[[str], Awaitable[KubeClient]],
) -> None:
    """A kept connection can be closed while a request is on its way; then nobody would know."""
    async with serving(good) as server, await client(f"http://127.0.0.1:{server.port}") as kube:
        for _ in range(3):
            await kube.get(API)
        assert server.connections == 1
        for _ in range(3):
            await kube.patch(API, {"a": 1}, "merge")
        assert server.connections == 4
        await kube.patch(API, {"a": 1}, "merge", dry_run=True)
        assert server.connections == 4


async def test_an_answer_without_an_end_is_not_read_to_its_end(client: Callable[[str], Awaitable[KubeClient]]) -> None:
    async with serving(endless) as server, await client(f"http://127.0.0.1:{server.port}") as kube:
        with pytest.raises(Permanent, match="larger than 4194304 bytes"):
            await kube.get(API)
        assert len(await kube.logs(POD, most=10)) == 10


async def test_redirects_are_not_followed(client: Callable[[str], Awaitable[KubeClient]]) -> None:
    async def elsewhere(peer: Peer) -> None:
        await peer.take()
        peer.answer(302, Location="http://127.0.0.1:1/stolen")

    async with serving(elsewhere) as server, await client(f"http://127.0.0.1:{server.port}") as kube:
        with pytest.raises(Permanent, match="302"):
            await kube.get(API)


async def test_a_client_that_is_closed_sends_nothing(client: Callable[[str], Awaitable[KubeClient]]) -> None:
    async with serving(good) as server:
        kube = await client(f"http://127.0.0.1:{server.port}")
        await kube.get(API)
        await kube.close()
        with pytest.raises(Temporary, match="closing; nothing was sent"):
            await kube.patch(API, {"a": 1}, "merge")

    assert len(server.requests) == 1
