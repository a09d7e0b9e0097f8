"""The simulated world: endpoints answer as told, change state, know keys; what is not said does not exist."""

import json
from typing import Any

import pytest

from paramedic.core.bundle import Endpoint
from paramedic.errors import Temporary, UnknownOutcome
from paramedic.plugin import Reply
from paramedic.rehearse.loop import VirtualClock, VirtualLoop, virtually
from paramedic.rehearse.scenery import Consequence, World
from paramedic.rehearse.world import SimulatedHttp, SimulatedWorld


class Play:
    """A world on a loop, with what requests brought about."""

    def __init__(self, loop: VirtualLoop, **spec: Any) -> None:
        self.clock = VirtualClock(loop)
        self.caused: list[tuple[float, Consequence]] = []
        self.world = SimulatedWorld(
            World.model_validate(spec), self.clock, lambda one: self.caused.append((self.clock.monotonic(), one))
        )
        self.http = SimulatedHttp(self.world)

    async def ask(
        self, method: str = "GET", path: str = "/", key: str = "", *, idempotent: bool = False, timeout: float = 10.0
    ) -> Reply:
        endpoint = Endpoint("hook", "http://unused", idempotent=idempotent)
        headers = {"Idempotency-Key": key} if key else None
        return await self.http.request(endpoint, method, path, headers=headers, body=b"{}", timeout=timeout)


def hook(*answers: Any, **rest: Any) -> dict[str, Any]:
    return {"endpoints": {"hook": {"answers": answers, **rest}}}


def test_an_endpoint_says_200_where_nothing_else_is_said() -> None:
    async def story(loop: VirtualLoop) -> None:
        play = Play(loop, **hook())
        assert (await play.ask("POST", "/restart")).status == 200
        assert loop.time() == pytest.approx(0.02)
        (request,) = play.world.requests
        assert (request.method, request.path, request.did) == ("POST", "/restart", True)

    virtually(story)


def test_an_endpoint_that_is_not_named_refuses_connections() -> None:
    async def story(loop: VirtualLoop) -> None:
        play = Play(loop)
        with pytest.raises(Temporary, match="no such endpoint"):
            await play.ask()

    virtually(story)


def test_the_first_answer_that_applies_is_taken() -> None:
    async def story(loop: VirtualLoop) -> list[int]:
        play = Play(
            loop,
            **hook(
                {"on": "POST *", "times": 2, "status": 503},
                {"on": "GET /health", "to": "1m", "status": 500},
                {"on": "GET /health", "from": "5m", "status": 418},
                {"on": "GET /health", "status": 204, "body": {"ok": True}},
            ),
        )
        said = [(await play.ask("POST", "/a")).status for _ in range(3)]
        said.append((await play.ask("GET", "/health")).status)
        await play.clock.sleep(60)
        reply = await play.ask("GET", "/health")
        assert json.loads(reply.body) == {"ok": True}
        said.append(reply.status)
        await play.clock.sleep(300)
        return [*said, (await play.ask("GET", "/health")).status]

    assert virtually(story) == [503, 503, 200, 500, 204, 418]


def test_an_endpoint_changes_its_state_by_itself_and_by_what_is_asked_of_it() -> None:
    async def story(loop: VirtualLoop) -> list[tuple[str, int]]:
        spec = hook(
            {"on": "GET *", "while": "down", "status": 503},
            state=[["-5m", "down"], ["10m", "down"]],
            effects=[{"on": "POST /restart*", "becomes": "up", "after": "20s"}],
        )
        play = Play(loop, **spec)

        async def look() -> tuple[str, int]:
            return play.world.state("hook"), (await play.ask()).status

        seen = [await look()]
        await play.ask("POST", "/restart?id=1")
        seen.append(await look())
        await play.clock.sleep(20)
        seen.append(await look())
        await play.clock.sleep(600)
        return [*seen, await look()]

    assert virtually(story) == [("down", 503), ("down", 503), ("up", 200), ("down", 503)]


@pytest.mark.parametrize(
    ("fails", "raised", "arrived", "took"),
    [("refused", Temporary, 0, 0.0), ("dropped", UnknownOutcome, 0, 3.0), ("lost", UnknownOutcome, 1, 3.0)],
)
def test_how_a_request_can_fail(fails: str, raised: type[Exception], arrived: int, took: float) -> None:
    async def story(loop: VirtualLoop) -> None:
        play = Play(loop, **hook({"on": "*", "fails": fails}, effects=[{"resolves": "Down"}]))
        with pytest.raises(raised):
            await play.ask("POST", "/x", timeout=3.0)
        assert (len(play.world.requests), len(play.caused), loop.time()) == (arrived, arrived, took)

    virtually(story)


def test_an_answer_that_comes_too_late_is_no_answer_but_the_request_took_effect() -> None:
    async def story(loop: VirtualLoop) -> None:
        play = Play(loop, **hook({"delay": "30s"}, effects=[{"resolves": "Down"}]))
        with pytest.raises(UnknownOutcome, match="within 5s"):
            await play.ask("POST", "/x", timeout=5.0)
        assert loop.time() == pytest.approx(5.0)
        assert play.world.requests[0].did
        assert len(play.caused) == 1

    virtually(story)


def test_what_is_answered_with_an_error_takes_no_effect() -> None:
    async def story(loop: VirtualLoop) -> None:
        play = Play(loop, **hook({"times": 1, "status": 500}, effects=[{"on": "POST *", "resolves": "Down"}]))
        await play.ask("POST", "/x")
        assert (play.caused, play.world.requests[0].did) == ([], False)
        await play.ask("POST", "/x")
        assert len(play.caused) == 1

    virtually(story)


@pytest.mark.parametrize(("idempotent", "did"), [(True, [True, False, True]), (False, [True, True, True])])
def test_an_endpoint_that_knows_keys_does_nothing_twice(idempotent: bool, did: list[bool]) -> None:
    async def story(loop: VirtualLoop) -> None:
        play = Play(
            loop, **hook({"on": "POST *", "times": 1, "body": "first"}, effects=[{"fires": {"alertname": "A"}}])
        )
        said = [await play.ask("POST", "/x", key, idempotent=idempotent) for key in ("k/1", "k/1", "k/2")]
        assert [request.did for request in play.world.requests] == did
        assert len(play.caused) == sum(did)
        assert (said[1].body == said[0].body) is idempotent

    virtually(story)


def test_a_metric_has_the_value_of_its_last_point() -> None:
    async def story(loop: VirtualLoop) -> None:
        play = Play(loop, metrics={"load": [["-5m", 3], ["4m", 0.5], ["10m", None]], "late": [["1m", 1]]})
        values = [play.world.value("load", at) for at in (-301, -300, 0, 239.9, 240, 600)]
        assert values == [None, 3, 3, 3, 0.5, None]
        assert play.world.value("late") is None
        assert play.world.value("other") is None
        await play.clock.sleep(60)
        assert play.world.value("late") == 1

    virtually(story)


def test_an_endpoint_reports_a_metric() -> None:
    async def story(loop: VirtualLoop) -> None:
        spec = hook({"on": "GET /metrics/load", "reports": "load"})
        play = Play(loop, **spec, metrics={"load": [["0s", 3], ["1m", None]]})
        reply = await play.ask("GET", "/metrics/load")
        assert (reply.status, json.loads(reply.body)) == (200, {"metric": "load", "value": 3})
        await play.clock.sleep(60)
        assert (await play.ask("GET", "/metrics/load")).status == 404

    virtually(story)


def test_a_dead_process_sends_nothing_more() -> None:
    async def story(loop: VirtualLoop) -> None:
        play = Play(loop, **hook())
        play.http.dead = True
        with pytest.raises(Temporary, match="the process is gone"):
            await play.ask("POST", "/x")
        assert not play.world.requests

    virtually(story)


def test_an_answer_is_at_most_64_kib() -> None:
    async def story(loop: VirtualLoop) -> None:
        assert len((await Play(loop, **hook({"body": "x" * 100_000})).ask()).body) == 65_536

    virtually(story)
