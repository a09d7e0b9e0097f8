"""The HTTP client against real servers that answer: what is sent, what comes back, what never happens."""

import gzip
from collections.abc import AsyncIterator

import pytest

from paramedic.clients.http import HttpClient
from paramedic.core.bundle import Endpoint
from paramedic.errors import Fault, Permanent, Temporary
from tests.clients.servers import Peer, always_ok, serving

TOKENS = {"HOOK_TOKEN": "s3cret", "TORN_TOKEN": "s3cret\r\nX-Evil: 1"}


def secret(name: str) -> str:
    if name not in TOKENS:
        raise Fault(name, "is not set", f"set {name}")
    return TOKENS[name]


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    async with HttpClient(secret) as made:
        yield made


async def test_a_request_arrives_as_it_was_asked_for(client: HttpClient) -> None:
    async with serving() as server:
        reply = await client.request(
            server.endpoint(token="HOOK_TOKEN", path="/base"),
            "POST",
            "/act%2Fnow?id=a%20b&x=%26",
            headers={"Idempotency-Key": "INC-1/1/1/1", "Content-Type": "application/json"},
            body=b'{"id": 1}',
            timeout=5,
        )

    assert (reply.status, reply.body) == (200, b"ok")
    [request] = server.requests
    assert (request.method, request.target) == ("POST", "/base/act%2Fnow?id=a%20b&x=%26")
    assert request.body == b'{"id": 1}'
    assert request.headers["host"] == f"127.0.0.1:{server.port}"
    assert request.headers["authorization"] == "Bearer s3cret"
    assert request.headers["idempotency-key"] == "INC-1/1/1/1"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"] == "paramedic"


async def test_no_token_no_authorization_and_no_invented_content_type(client: HttpClient) -> None:
    async with serving() as server:
        await client.request(server.endpoint(), "POST", "/act", timeout=5)

    assert "authorization" not in server.requests[0].headers
    assert "content-type" not in server.requests[0].headers
    assert server.requests[0].headers["content-length"] == "0"


async def test_an_empty_path_is_the_endpoint_itself(client: HttpClient) -> None:
    async with serving() as server:
        await client.request(server.endpoint(path="/page"), "POST", "", timeout=5)
        await client.request(server.endpoint(), "POST", "", timeout=5)

    assert [request.target for request in server.requests] == ["/page", "/"]


async def test_headers_of_the_answer_are_read_whatever_their_case(client: HttpClient) -> None:
    async def busy(peer: Peer) -> None:
        await peer.take()
        peer.answer(429, b"", retry_after="7")

    async with serving(busy) as server:
        reply = await client.request(server.endpoint(), "POST", "/", timeout=5)

    assert reply.status == 429
    assert reply.headers["Retry-After"] == "7"


async def test_redirects_are_answers_and_not_followed(client: HttpClient) -> None:
    async def elsewhere(peer: Peer) -> None:
        await peer.take()
        peer.answer(302, b"", location="/elsewhere")

    async with serving(elsewhere) as server:
        reply = await client.request(server.endpoint(idempotent=True), "GET", "/", timeout=5)

    assert reply.status == 302
    assert len(server.requests) == 1


async def test_a_huge_answer_is_read_up_to_64_kib(client: HttpClient) -> None:
    async def huge(peer: Peer) -> None:
        await peer.take()
        peer.answer(200, b"x" * (4 * 1024 * 1024))
        await peer.writer.drain()

    async with serving(huge) as server:
        reply = await client.request(server.endpoint(idempotent=True), "POST", "/", timeout=5)

    assert reply.body == b"x" * (64 * 1024)


async def test_compressed_answers_are_neither_asked_for_nor_unpacked(client: HttpClient) -> None:
    """Ten megabytes of zeros would fit into ten kilobytes."""
    bomb = gzip.compress(b"\0" * 10_000_000)

    async def packed(peer: Peer) -> None:
        await peer.take()
        peer.answer(200, bomb, content_encoding="gzip")

    async with serving(packed) as server:
        reply = await client.request(server.endpoint(), "GET", "/", timeout=5)

    assert server.requests[0].headers["accept-encoding"] == "identity"
    assert reply.body == bomb


async def test_cookies_are_not_kept(client: HttpClient) -> None:
    async def sticky(peer: Peer) -> None:
        while await peer.take() is not None:
            peer.answer(200, b"", set_cookie="session=1; Path=/")

    async with serving(sticky) as server:
        for _ in range(2):
            await client.request(server.endpoint(idempotent=True), "POST", "/", timeout=5)

    assert all("cookie" not in request.headers for request in server.requests)


async def test_proxies_of_the_environment_are_ignored(client: HttpClient, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with serving() as server:
        reply = await client.request(server.endpoint(), "POST", "/act", timeout=5)

    assert reply.status == 200
    assert server.requests[0].target == "/act"


@pytest.mark.parametrize(("idempotent", "connections"), [(True, 1), (False, 3)])
async def test_only_targets_that_know_our_key_get_kept_connections(
    client: HttpClient, idempotent: bool, connections: int
) -> None:
    """Promise 3: a kept connection may be closed under a request; then nobody knows whether it arrived."""
    async with serving() as server:
        for _ in range(3):
            await client.request(server.endpoint(idempotent=idempotent), "POST", "/act", timeout=5)

    assert server.connections == connections
    assert len(server.requests) == 3


async def test_reading_keeps_connections_whatever_the_endpoint_knows(client: HttpClient) -> None:
    async with serving() as server:
        for _ in range(3):
            await client.request(server.endpoint(), "GET", "/health", timeout=5)

    assert server.connections == 1


HOSTILE = [
    "//evil.example/x",
    "@evil.example/x",
    "evil.example/x",
    "http://evil.example/x",
    "/\\evil.example",
    "/x%0d%0aX-Evil:%201",
    "/x\r\nX-Evil: 1",
    "/x y",
    "/caf\u00e9",
    "/x?a#b",
    "/a/../b",
    "/a/%2e%2e/b",
    "/a/..%2f..%2fb",
    "/%00",
    "/100%",
    "/x\u2028y",
    "/[::1]",
]


@pytest.mark.parametrize("path", HOSTILE)
async def test_a_hostile_path_goes_nowhere(client: HttpClient, path: str) -> None:
    async with serving() as server:
        with pytest.raises(Permanent, match=r"POST to hook: path: .+; nothing was sent"):
            await client.request(server.endpoint(), "POST", path, timeout=5)

    assert server.connections == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"X-A": "b\r\nX-Evil: 1"},
        {"X-A": "b\0"},
        {"X-A": "\u00e9"},
        {"X-A: b\r\nX-Evil": "1"},
        {"": "1"},
        {"X A": "1"},
    ],
)
async def test_a_header_cannot_carry_another(client: HttpClient, headers: dict[str, str]) -> None:
    async with serving() as server:
        with pytest.raises(Permanent, match="printable ASCII"):
            await client.request(server.endpoint(), "POST", "/", headers=headers, timeout=5)

    assert server.connections == 0


@pytest.mark.parametrize(("token", "said"), [("NO_TOKEN", "NO_TOKEN: is not set"), ("TORN_TOKEN", "Authorization")])
async def test_a_token_that_cannot_be_used_sends_nothing_and_is_not_shown(
    client: HttpClient, token: str, said: str
) -> None:
    async with serving() as server:
        with pytest.raises(Permanent, match=said) as caught:
            await client.request(server.endpoint(token=token), "POST", "/", timeout=5)

    assert server.connections == 0
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/x", "http://user:pw@127.0.0.1/x", "http://", "127.0.0.1:80"])
async def test_an_endpoint_that_is_no_address_sends_nothing(client: HttpClient, url: str) -> None:
    with pytest.raises(Permanent, match="url"):
        await client.request(Endpoint("hook", url), "POST", "/", timeout=5)


async def test_a_client_that_is_closing_sends_nothing() -> None:
    client = HttpClient(secret)
    await client.close()
    async with serving(always_ok) as server:
        for method in ("GET", "POST"):
            with pytest.raises(Temporary, match="closing; nothing was sent"):
                await client.request(server.endpoint(), method, "/", timeout=5)

    assert server.connections == 0
