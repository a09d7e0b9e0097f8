"""Action `http` through the real client to real servers: what a crash, a proxy or a slow target leaves behind."""

from collections.abc import AsyncIterator

import pytest

from paramedic.actions.http import HttpAction
from paramedic.clients.http import HttpClient
from paramedic.errors import Permanent, Temporary, UnknownOutcome
from paramedic.plugin import Applied, Tools
from tests.clients.servers import Peer, Script, Server, serving
from tests.contract.plugin_scene import seen

ACTION = HttpAction()


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    async with HttpClient({"HOOK_TOKEN": "s3cret"}.__getitem__) as made:
        yield made


async def act(client: HttpClient, server: Server, *, idempotent: bool, **given: object) -> Applied:
    """Plan and apply one step against this server."""
    scene = seen(endpoints={"hook": server.endpoint(idempotent=idempotent, token="HOOK_TOKEN")})
    params = ACTION.Params.model_validate(
        {"endpoint": "hook", "path": "/act?id=7", "body": {"id": "7"}, "timeout": "2s"} | given
    )
    change = await ACTION.plan(params, scene, Tools(http=client))
    return await ACTION.apply(change.write, "INC-12/1/1/1", scene, Tools(http=client))


async def test_a_step_arrives_whole(client: HttpClient) -> None:
    async with serving() as server:
        applied = await act(client, server, idempotent=True)

    [request] = server.requests
    assert (request.method, request.target, request.body) == ("POST", "/act?id=7", b'{"id":"7"}')
    assert request.headers["idempotency-key"] == "INC-12/1/1/1"
    assert request.headers["authorization"] == "Bearer s3cret"
    assert request.headers["content-type"] == "application/json"
    assert applied.seen == {"status": 200, "answer": "ok"}


async def takes_it_and_dies(peer: Peer) -> None:
    await peer.take()
    peer.reset()


async def takes_it_and_says_nothing(peer: Peer) -> None:
    await peer.take()
    await peer.server.quiet.wait()


async def breaks_behind_a_proxy(peer: Peer) -> None:
    while await peer.take() is not None:
        peer.answer(502, b"bad gateway")


@pytest.mark.parametrize("script", [takes_it_and_dies, takes_it_and_says_nothing, breaks_behind_a_proxy])
async def test_an_outcome_that_nobody_knows_is_unknown(client: HttpClient, script: Script) -> None:
    async with serving(script) as server:
        with pytest.raises(UnknownOutcome, match="may have been done"):
            await act(client, server, idempotent=False, timeout=0.5)

    assert len(server.requests) == 1


@pytest.mark.parametrize("script", [takes_it_and_dies, takes_it_and_says_nothing, breaks_behind_a_proxy])
async def test_where_the_key_is_known_the_same_request_goes_out_again(client: HttpClient, script: Script) -> None:
    async with serving(script) as server:
        for _ in range(2):
            with pytest.raises(Temporary):
                await act(client, server, idempotent=True, timeout=0.5)

    first, second = server.requests
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"] == "INC-12/1/1/1"
    assert (first.target, first.body) == (second.target, second.body)


async def test_a_target_that_is_busy_says_when(client: HttpClient) -> None:
    async def busy(peer: Peer) -> None:
        await peer.take()
        peer.answer(429, b"slow down", retry_after="7")

    async with serving(busy) as server:
        with pytest.raises(Temporary, match="answered 429: slow down") as caught:
            await act(client, server, idempotent=False)

    assert caught.value.delay == 7


async def test_a_redirect_to_a_login_page_is_no_success(client: HttpClient) -> None:
    async def login(peer: Peer) -> None:
        while await peer.take() is not None:
            peer.answer(302, b"", location="/login")

    async with serving(login) as server:
        with pytest.raises(Permanent, match="answered 302; redirects are not followed"):
            await act(client, server, idempotent=True)

    assert [request.target for request in server.requests] == ["/act?id=7"]


async def test_a_huge_answer_leaves_a_bounded_exhibit(client: HttpClient) -> None:
    async def talkative(peer: Peer) -> None:
        await peer.take()
        peer.answer(200, b"word " * 1_000_000)

    async with serving(talkative) as server:
        applied = await act(client, server, idempotent=True)

    assert len(applied.exhibits[0].body) == 64 * 1024
