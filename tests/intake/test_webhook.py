"""The webhook over HTTP: 200 after the commit, a 4xx for what can never succeed, 503 and Retry-After for any doubt."""

import asyncio
import json
import logging
from collections.abc import Callable

import aiohttp
import pytest

from paramedic.core.bundle import Bundle, Source
from paramedic.errors import Fault, Permanent, Refused, Temporary, UnknownOutcome
from tests.intake.bodies import body, element, labelled, payload
from tests.intake.serving import NOT_NOW, PATH, QUICK, Desk, bundle_of, serving

MAIN = Source("main", token="MAIN_TOKEN")


async def test_a_delivery_is_answered_with_its_number_after_the_commit() -> None:
    """Promise 1."""
    desk = Desk(hangs=True)
    async with serving(desk) as served, asyncio.TaskGroup() as group:
        asked = group.create_task(served.post(payload("firing_two_alerts")))
        await asyncio.wait_for(desk.arrived.wait(), 5)
        assert not asked.done(), "no answer before the commit"
        desk.free.set()
        reply = await asked

        assert reply.status == 200
        assert json.loads(reply.body) == {"delivery": 68_719_476_737, "alerts": 2}
        assert reply.headers["Content-Type"].startswith("application/json")


async def test_the_engine_gets_the_body_as_it_came_and_the_alerts() -> None:
    sent = payload("mixed_one_resolved_one_firing")
    async with serving() as served:
        await served.post(sent)

        [delivery] = served.desk.deliveries
        assert delivery.body == sent
        assert delivery.source == "default"
        assert sorted(alert.firing for alert in delivery.alerts) == [False, True]


async def test_the_token_says_which_source_it_is() -> None:
    async with serving(tokens=("common",), sources=(MAIN,), MAIN_TOKEN="own") as served:
        for token in ("own", "common"):
            assert (await served.post(body(element()), Authorization=f"Bearer {token}")).status == 200
        basic = aiohttp.encode_basic_auth("alertmanager", "own")
        assert (await served.post(payload("firing_basic_auth_route"), Authorization=basic)).status == 200

        assert [delivery.source for delivery in served.desk.deliveries] == ["main", "default", "main"]
        assert {alert.source for alert in served.desk.deliveries[0].alerts} == {"main"}


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic x"}])
async def test_without_a_good_token_the_body_is_not_even_looked_at(headers: dict[str, str]) -> None:
    async with serving(tokens=("t",)) as served:
        reply = await served.post(body(element()), **headers)

        assert reply.status == 401
        assert reply.headers["WWW-Authenticate"] == 'Bearer realm="paramedic", Basic realm="paramedic"'
        assert json.loads(reply.body) == {"error": "no known token; Authorization: Bearer TOKEN, or basic with it"}
        assert not served.desk.deliveries
        assert not served.desk.bodies
        assert served.counted("paramedic_deliveries_total", source="unknown", result="unauthorized") == 1


async def test_a_page_in_a_browser_cannot_post_where_no_token_is_asked_for() -> None:
    """A form on any site may post to this machine without asking first; Alertmanager sends no Origin."""
    async with serving() as served:
        reply = await served.post(body(element()), Origin="https://evil.example", Content_Type="text/plain")

        assert reply.status == 401
        assert not served.desk.deliveries


async def test_with_a_token_the_origin_does_not_matter() -> None:
    async with serving(tokens=("t",)) as served:
        assert (await served.post(body(), Origin="null", Authorization="Bearer t")).status == 200


async def test_a_body_that_is_no_delivery_is_kept_and_counted() -> None:
    async with serving(tokens=("t",)) as served:
        reply = await served.post(b'{"version":"3"}', Authorization="Bearer t")

        message = "version: is '3'; the webhook format of Alertmanager, version \"4\""
        assert reply.status == 400
        assert json.loads(reply.body) == {"error": message}
        assert served.desk.bodies == [("default", message, b'{"version":"3"}')]
        assert served.counted("paramedic_deliveries_total", source="default", result="rejected") == 1


async def test_a_bad_body_that_cannot_be_kept_is_sent_again() -> None:
    """Promise 1: 400 says that it is kept. If it is not, the sender must come again."""
    async with serving(Desk(fails=NOT_NOW)) as served:
        assert (await served.post(b"{}")).status == 503


async def test_elements_that_are_no_alerts_are_handed_on_apart() -> None:
    async with serving() as served:
        reply = await served.post(body(labelled(alertname="A"), element(labels={}), labelled(alertname="B")))

        assert json.loads(reply.body) == {"delivery": 68_719_476_737, "alerts": 2, "rejected": 1}
        [delivery] = served.desk.deliveries
        assert [rejected.reason.split(":")[0] for rejected in delivery.rejected] == ["alerts[1].labels"]


DOUBTS: dict[str, tuple[Callable[[], Desk], str, str]] = {
    "the backlog is full": (lambda: Desk(fails=NOT_NOW), "3", "the backlog is over its bound"),
    "temporary without a delay": (lambda: Desk(fails=Temporary("not live", delay=0)), "1", "not live"),
    "the commit hangs": (lambda: Desk(hangs=True), "1", "the database did not commit in time"),
    "the engine's own deadline": (lambda: Desk(fails=TimeoutError()), "1", "the database did not commit in time"),
    "the engine starts over": (
        lambda: Desk(fails=asyncio.CancelledError()),
        "1",
        "the delivery was dropped before it was committed",
    ),
    "a connection breaks": (lambda: Desk(fails=ConnectionResetError()), "1", "the body was cut off"),
    "an error nobody thought of": (
        lambda: Desk(fails=ZeroDivisionError("a bug")),
        "1",
        "an unexpected error; it is in the log",
    ),
    "a recursion": (lambda: Desk(fails=RecursionError()), "1", "an unexpected error; it is in the log"),
    "permanent": (lambda: Desk(fails=Permanent("no")), "1", "an unexpected error; it is in the log"),
    "refused": (lambda: Desk(fails=Refused("no")), "1", "an unexpected error; it is in the log"),
    "unknown": (lambda: Desk(fails=UnknownOutcome("?")), "1", "an unexpected error; it is in the log"),
    "a fault": (lambda: Desk(fails=Fault("a", "b")), "1", "an unexpected error; it is in the log"),
}


@pytest.mark.parametrize("doubt", DOUBTS)
async def test_any_doubt_is_503_with_retry_after(doubt: str) -> None:
    """Promise 1: Alertmanager repeats a 503 within seconds; any other answer could lose the delivery."""
    desk, after, said = DOUBTS[doubt]
    engine = desk()
    async with serving(engine, limits=QUICK if engine.hangs else None) as served:
        for sent in (body(element()), b"not JSON"):
            reply = await served.post(sent)

            assert reply.status == 503
            assert reply.headers["Retry-After"] == after
            assert json.loads(reply.body) == {"error": said}


async def test_the_server_lives_on_after_each_doubt() -> None:
    desk = Desk(fails=ZeroDivisionError())
    async with serving(desk) as served:
        assert (await served.post(body())).status == 503
        desk.fails = None

        assert (await served.post(body())).status == 200


async def test_an_unexpected_error_is_logged_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(Desk(fails=ZeroDivisionError("a bug"))) as served:
        await served.post(body(element()))

        assert served.counted("paramedic_failures_total", where="intake") == 1
        assert served.counted("paramedic_deliveries_total", source="default", result="failed") == 1
        assert "ZeroDivisionError: a bug" in caplog.text


async def test_before_the_catalog_is_loaded_nobody_is_turned_away() -> None:
    """The token of a source is not known yet: 401 would lose its delivery, and it must not pass as another source's."""
    loaded: list[Bundle | None] = [None]
    async with serving(tokens=("t",), bundle=lambda: loaded[0], MAIN_TOKEN="own") as served:
        for header in ("Bearer own", "Bearer t", "Bearer wrong"):
            reply = await served.post(body(), Authorization=header)
            assert (reply.status, reply.headers["Retry-After"]) == (503, "1")
        loaded[0] = bundle_of(MAIN)

        assert (await served.post(body(), Authorization="Bearer own")).status == 200
        assert served.desk.deliveries[0].source == "main"


async def test_the_token_of_a_source_that_cannot_be_read_is_a_doubt() -> None:
    async with serving(tokens=("t",), sources=(MAIN,)) as served:
        assert (await served.post(body(), Authorization="Bearer own")).status == 503
        assert (await served.post(body(), Authorization="Bearer t")).status == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
async def test_other_methods_are_told_so(method: str) -> None:
    async with serving() as served:
        assert (await served.ask(method, PATH)).status == 405


async def test_what_was_taken_is_counted() -> None:
    async with serving(tokens=("t",), sources=(MAIN,), MAIN_TOKEN="own") as served:
        for token in ("own", "own", "t"):
            await served.post(payload("firing_two_alerts"), Authorization=f"Bearer {token}")

        assert served.counted("paramedic_deliveries_total", source="main", result="accepted") == 2
        assert served.counted("paramedic_deliveries_total", source="default", result="accepted") == 1
        assert served.counted("paramedic_alerts_total", source="main") == 4
        assert served.counted("paramedic_intake_seconds_count") == 3


async def test_what_the_sender_left_out_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """`max_alerts` hides alerts that then never fire and never resolve; whoever set it should know."""
    async with serving() as served:
        await served.post(payload("firing_truncated_max_alerts"))

    assert "3 alerts of group" in caplog.text
    assert "were left out (max_alerts)" in caplog.text


async def test_a_flood_of_refusals_is_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    async with serving(tokens=("t",)) as served:
        for _ in range(50):
            await served.post(body())

    assert len([record for record in caplog.records if "401" in record.getMessage()]) == 1


async def test_hundreds_at_once() -> None:
    async with serving() as served:
        replies = await asyncio.gather(*(served.post(body(labelled(n=str(n)))) for n in range(300)))

        assert {reply.status for reply in replies} == {200}
        assert len({json.loads(reply.body)["delivery"] for reply in replies}) == 300
        assert {delivery.alerts[0].labels["n"] for delivery in served.desk.deliveries} == {str(n) for n in range(300)}
