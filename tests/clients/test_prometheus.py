"""The metrics port against a server that answers as Prometheus does, and as others do."""

import json
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import pytest

from paramedic.clients.prometheus import LARGEST, MOST_MOMENTS, PrometheusClient
from paramedic.clients.series import MOST_SERIES
from paramedic.errors import Fault, Permanent, Temporary
from paramedic.plugin import Measured, Sample
from tests.clients.servers import Peer, Server, serving, unused_port

NOW = datetime(2026, 5, 12, 9, 14, tzinfo=UTC)
STAMP = NOW.timestamp()


class Clock:
    """A clock that stands."""

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        raise AssertionError


def success(kind: str, result: Any, **more: Any) -> bytes:
    return json.dumps({"status": "success", "data": {"resultType": kind, "result": result}, **more}).encode()


def vector(*values: str, **more: Any) -> bytes:
    series = [{"metric": {"n": str(n)}, "value": [STAMP, value]} for n, value in enumerate(values)]
    return success("vector", series, **more)


def says(status: int, body: bytes, **headers: str) -> Callable[[Peer], Any]:
    async def script(peer: Peer) -> None:
        while await peer.take() is not None:
            peer.answer(status, body, **headers)

    return script


@asynccontextmanager
async def prometheus(
    script: Callable[[Peer], Any], *, prefix: str = "", user: str = "", token: str = ""
) -> AsyncIterator[tuple[PrometheusClient, Server]]:
    async with (
        serving(script) as server,
        PrometheusClient(f"http://{user}127.0.0.1:{server.port}{prefix}", token, Clock()) as client,
    ):
        yield client, server


async def instant(client: PrometheusClient, query: str = "up", *, timeout: float = 5.0) -> Measured:
    return await client.instant("up_now", query, max_age=120.0, timeout=timeout)


def form(server: Server) -> dict[str, str]:
    return {key: value for key, [value] in parse_qs(server.requests[0].body.decode()).items()}


# -- what is asked ----------------------------------------------------------------------------------------------------


async def test_an_instant_query_is_posted_with_its_bounds() -> None:
    async with prometheus(says(200, vector("1"))) as (client, server):
        await instant(client, 'up{a="ä b&c"}')

    assert (server.requests[0].method, server.requests[0].target) == ("POST", "/api/v1/query")
    assert server.requests[0].headers["content-type"] == "application/x-www-form-urlencoded"
    assert "authorization" not in server.requests[0].headers
    assert form(server) == {
        "query": 'up{a="ä b&c"}',
        "lookback_delta": "120.000",
        "limit": "1001",
        "timeout": "4.500",
    }


async def test_a_question_about_a_stretch_of_time_ends_now() -> None:
    matrix = success("matrix", [{"metric": {}, "values": [[STAMP - 60, "1"], [STAMP - 30, "2"], [STAMP, "3"]]}])
    async with prometheus(says(200, matrix), prefix="/prom/") as (client, server):
        measured = await client.over("x", "x", seconds=60, step=30, max_age=90, timeout=5)

    assert server.requests[0].target == "/prom/api/v1/query_range"
    asked = form(server)
    assert float(asked["end"]) - float(asked["start"]) == 60.0
    assert (asked["end"], asked["step"], asked["lookback_delta"]) == (f"{STAMP:.3f}", "30.000", "90.000")
    assert [each.samples[0].value for each in measured] == [1.0, 2.0, 3.0]
    assert [(each.at - NOW).total_seconds() for each in measured] == [-60.0, -30.0, 0.0]


async def test_credentials_go_into_a_header_and_nowhere_else() -> None:
    async with prometheus(says(200, vector("1")), user="ann:p%40ss@") as (client, server):
        await instant(client)
    async with prometheus(says(200, vector("1")), token="t0ken") as (client, other):
        await instant(client)

    assert server.requests[0].headers["authorization"] == "Basic YW5uOnBAc3M="
    assert other.requests[0].headers["authorization"] == "Bearer t0ken"
    assert "ann" not in server.requests[0].target


async def test_errors_never_show_credentials() -> None:
    async with PrometheusClient(f"http://ann:s3cret@127.0.0.1:{unused_port()}", "", Clock()) as client:
        with pytest.raises(Temporary) as caught:
            await instant(client)

    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "token", "said"),
    [
        ("prometheus:9090", "", "is not http:// or https://"),
        ("ftp://x", "", "is not http:// or https://"),
        ("http://[::1", "", "is not an address"),
        ("http://ann:s3cret@", "", "is not http:// or https://"),
        ("http://x/?q=1", "", "is not http:// or https://"),
        ("http://x/../y", "", 'holds the part "."'),
        ("http://ann:s3cret@x", "t", "PARAMEDIC_PROMETHEUS_TOKEN is set as well"),
        ("http://x", "a\nb", "is not printable ASCII"),
    ],
)
async def test_an_address_that_is_none_is_a_fault_without_its_secrets(url: str, token: str, said: str) -> None:
    with pytest.raises(Fault) as caught:
        PrometheusClient(url, token, Clock())

    assert said in str(caught.value)
    assert "s3cret" not in str(caught.value)


# -- what comes back --------------------------------------------------------------------------------------------------


async def test_a_vector_is_its_series() -> None:
    async with prometheus(says(200, vector("0.5", "NaN", "+Inf", "-Inf"))) as (client, _):
        measured = await instant(client)

    assert measured.at == NOW
    assert measured.samples[0] == Sample({"n": "0"}, 0.5)
    assert math.isnan(measured.samples[1].value)
    assert [sample.value for sample in measured.samples[2:]] == [math.inf, -math.inf]


async def test_a_scalar_is_one_sample_without_labels() -> None:
    async with prometheus(says(200, success("scalar", [STAMP - 5, "3"]))) as (client, _):
        measured = await instant(client)

    assert measured.samples == (Sample({}, 3.0),)
    assert (NOW - measured.at).total_seconds() == 5.0


async def test_an_empty_answer_is_empty_and_of_now() -> None:
    async with prometheus(says(200, vector())) as (client, _):
        assert await instant(client) == Measured(NOW, ())


async def test_warnings_are_kept_and_infos_are_not() -> None:
    body = vector("1", warnings=["a store\nis down"] * 20, infos=["might not be a counter"])
    async with prometheus(says(200, body)) as (client, _):
        measured = await instant(client)

    assert measured.warnings == ("a store is down",) * 10


async def test_a_moment_without_a_value_is_a_moment_all_the_same() -> None:
    matrix = success("matrix", [{"metric": {"a": "1"}, "values": [[STAMP, "3"]]}, {"metric": {}, "values": [[1, "9"]]}])
    async with prometheus(says(200, matrix)) as (client, _):
        measured = await client.over("x", "x", seconds=30, step=15, max_age=90, timeout=5)

    assert [each.samples for each in measured] == [(), (), (Sample({"a": "1"}, 3.0),)]


async def test_its_version_is_told() -> None:
    body = json.dumps({"status": "success", "data": {"version": "2.53.0", "revision": "x"}}).encode()
    async with prometheus(says(200, body)) as (client, server):
        assert await client.version(timeout=5) == "2.53.0"

    assert (server.requests[0].method, server.requests[0].target) == ("GET", "/api/v1/status/buildinfo")


# -- what goes wrong --------------------------------------------------------------------------------------------------


def error(kind: str, said: str) -> bytes:
    return json.dumps({"status": "error", "errorType": kind, "error": said}).encode()


PARSE = 'invalid parameter "query": 1:5: parse error: unexpected end of input'
REFUSED = [
    (400, error("bad_data", PARSE), f"this is not a query that it takes: {PARSE}"),
    (422, error("execution", "many-to-many matching"), "cannot be evaluated: many-to-many matching"),
    (401, b"Unauthorized", "it answered 401: Unauthorized; check PARAMEDIC_PROMETHEUS_TOKEN"),
    (403, b"", "it answered 403; check PARAMEDIC_PROMETHEUS_TOKEN"),
    (404, b"404 page not found", "is PARAMEDIC_PROMETHEUS_URL the address of Prometheus?"),
    (302, b"", "it answered 302"),
    (200, b"<html>", "it answered 200: <html>; is PARAMEDIC_PROMETHEUS_URL"),
    (200, b"[]", "is PARAMEDIC_PROMETHEUS_URL the address of Prometheus?"),
    (200, b'{"status": "success"}', "its answer cannot be read"),
    (200, success("vector", 5), "its answer cannot be read"),
    (200, success("vector", [{"metric": {}, "value": [STAMP, "x"]}]), "x, which is not a number"),
    (200, success("vector", [{"metric": {}, "value": [1e300, "1"]}]), "with a moment that is none"),
    (200, success("vector", [{"metric": {}, "histogram": [STAMP, {}]}]), "up_now comes to histograms, not to numbers"),
    (200, success("matrix", []), "up_now comes to a matrix, not to a number for each series"),
    (200, success("string", [STAMP, "a"]), "up_now comes to a string, not to a number for each series"),
    (200, vector(*["1"] * (MOST_SERIES + 1)), "up_now comes to more than 1000 series; aggregate in the query"),
]


@pytest.mark.parametrize(("status", "body", "said"), REFUSED, ids=[f"{s}-{t[:24]}" for s, _, t in REFUSED])
async def test_what_asking_again_cannot_mend(status: int, body: bytes, said: str) -> None:
    async with prometheus(says(status, body)) as (client, server):
        with pytest.raises(Permanent) as caught:
            await instant(client)

    assert said in str(caught.value)
    assert len(server.requests) == 1


LATER = [
    (503, error("timeout", "query timed out in expression evaluation"), "query timed out"),
    (503, error("canceled", "query was canceled"), "query was canceled"),
    (503, b"Service Unavailable", "it answered 503: Service Unavailable"),
    (500, error("internal", "disk"), "it answered 500: disk"),
    (429, b"", "it answered 429"),
    (502, b"bad gateway", "it answered 502"),
]


@pytest.mark.parametrize(("status", "body", "said"), LATER, ids=[f"{s}-{t[:16]}" for s, _, t in LATER])
async def test_what_may_be_better_later(status: int, body: bytes, said: str) -> None:
    async with prometheus(says(status, body, Retry_After="7")) as (client, _):
        with pytest.raises(Temporary) as caught:
            await instant(client)

    assert said in str(caught.value)
    assert caught.value.delay == 7.0


async def test_the_most_series_are_not_too_many() -> None:
    async with prometheus(says(200, vector(*["1"] * MOST_SERIES))) as (client, _):
        assert len((await instant(client)).samples) == MOST_SERIES


async def test_an_answer_that_is_too_large_is_not_read_to_its_end() -> None:
    async def endless(peer: Peer) -> None:
        await peer.take()
        peer.say(b"HTTP/1.1 200 X\r\nContent-Length: 999999999\r\n\r\n")
        for _ in range(2 * LARGEST // 65536):
            peer.say(b" " * 65536)
            await peer.writer.drain()

    async with prometheus(endless) as (client, _):
        with pytest.raises(Permanent, match="more than 4 MiB; aggregate"):
            await instant(client)


async def test_more_moments_than_are_sensible_are_not_asked_for() -> None:
    async with prometheus(says(200, b"")) as (client, server):
        with pytest.raises(Permanent, match=f"{MOST_MOMENTS + 1} moments are asked for"):
            await client.over("x", "x", seconds=MOST_MOMENTS, step=1, max_age=90, timeout=5)

    assert server.requests == []


async def test_a_histogram_over_time_is_no_number() -> None:
    body = success("matrix", [{"metric": {}, "histograms": [[STAMP, {}]]}])
    async with prometheus(says(200, body)) as (client, _):
        with pytest.raises(Permanent, match="histograms"):
            await client.over("x", "x", seconds=30, step=15, max_age=90, timeout=5)


async def test_no_answer_is_temporary_and_says_after_how_long() -> None:
    async def silent(peer: Peer) -> None:
        await peer.take()
        await peer.server.quiet.wait()

    async with prometheus(silent) as (client, _):
        with pytest.raises(Temporary, match=r"asked for up_now: no answer within 0\.05s"):
            await instant(client, timeout=0.05)


async def test_a_kept_connection_that_was_just_closed_is_no_failure() -> None:
    async def once(peer: Peer) -> None:
        if peer.server.connections == 1:
            await peer.take()
            peer.answer(200, vector("1"))
            await peer.take()
            peer.reset()
        else:
            await says(200, vector("2"))(peer)

    async with prometheus(once) as (client, server):
        assert (await instant(client)).samples[0].value == 1.0
        assert (await instant(client)).samples[0].value == 2.0

    assert len(server.requests) == 3


async def test_a_server_that_always_hangs_up_is_temporary_after_two_tries() -> None:
    async def rude(peer: Peer) -> None:
        await peer.take()
        peer.reset()

    async with prometheus(rude) as (client, server):
        with pytest.raises(Temporary, match="asked for up_now"):
            await instant(client)

    assert len(server.requests) == 2


async def test_nobody_there_and_nothing_left() -> None:
    async with PrometheusClient(f"http://127.0.0.1:{unused_port()}", "", Clock()) as client:
        with pytest.raises(Temporary, match="asked for up_now"):
            await instant(client)
    with pytest.raises(Temporary, match="this process is closing"):
        await instant(client)


async def test_a_query_that_utf8_cannot_carry_is_not_sent() -> None:
    async with prometheus(says(200, b"")) as (client, server):
        with pytest.raises(Permanent, match="UTF-8"):
            await instant(client, "a\ud800")

    assert server.requests == []
