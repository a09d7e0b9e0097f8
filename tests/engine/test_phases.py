"""The phases of judgement with all that is around them: reads at the same time, and those asked right before."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from paramedic.cluster.resources import Place
from paramedic.core.model import Verdict
from paramedic.core.words import Answer
from paramedic.plugin import Guard, Plugins, Seen, Tools
from tests.cluster.held import HeldCluster
from tests.engine.growing import API, NoParams, Small, api, growing, rules, shop
from tests.engine.stage import Stage, play

Tale = Callable[[Stage, HeldCluster], Awaitable[None]]


class Latest(Small):
    """As `small`, but asked right before the write."""

    name = "latest"
    example = "latest: {}"
    asked = "last"


class Slow(Guard):
    """Takes seven seconds to say yes, in a world whose time is virtual."""

    name = "slow"
    example = "slow: {}"
    Params = NoParams
    reads = frozenset({"kube"})

    async def judge(self, params: Any, seen: Seen, tools: Tools) -> Verdict:
        await tools.wait(7.0)
        return Verdict(self.name, Answer.ALLOW, "at last", {"waited": 7})


def with_these() -> Plugins:
    known = growing()
    return replace(known, guards={**known.guards, "latest": Latest(), "slow": Slow()})


def tell(tale: Tale, guards: str, *, mode: str = "auto") -> None:
    held = shop()

    async def story(stage: Stage) -> None:
        await tale(stage, held)
        assert not stage.disk.effects

    play(story, rules(mode).replace("[small: {}]", guards), used=with_these(), kube=held)


def test_one_asked_last_is_asked_between_the_plan_and_the_write() -> None:
    async def tale(stage: Stage, cluster: HeldCluster) -> None:
        number = await stage.fire("api", target=API)
        await stage.pass_(5.0)

        assert stage.outcome(number) == "done"
        kinds = [entry.kind for entry in stage.entries(number) if entry.kind in ("guards", "plan", "apply")]
        assert kinds == ["guards", "plan", "guards", "apply"]
        assert stage.told(number, "guards")[-1] == "1 of 1 allow right before the write: 3 replicas"

    tell(tale, "[latest: {}]")


def test_what_somebody_changes_after_the_plan_it_sees() -> None:
    async def tale(stage: Stage, cluster: HeldCluster) -> None:
        async def grown(call: str, place: Place) -> None:
            if call == "get" and stage.disk.incidents and stage.told(1, "plan"):
                cluster.put(API, {"replicas": 40})

        cluster.before = grown
        number = await stage.fire("api", target=API)
        await stage.pass_(5.0)

        assert stage.told(number, "guards")[-1] == "refused by latest: 40 replicas"
        assert (stage.outcome(number), api(cluster)["replicas"]) == ("refused", 40)

    tell(tale, "[latest: {}]")


def test_after_an_approval_all_are_asked_again_and_then_those_asked_last() -> None:
    async def tale(stage: Stage, cluster: HeldCluster) -> None:
        number = await stage.fire("api", target=API)
        await stage.pass_(30.0)
        assert [text.split(":")[0] for text in stage.told(number, "guards")] == ["1 of 2 allow so far", "2 of 2 allow"]
        await stage.act(number, "approve", run=1)
        await stage.pass_(5.0)

        assert [text.split(":")[0] for text in stage.told(number, "guards")[2:]] == [
            "1 of 3 allow so far",
            "2 of 3 allow so far",
            "3 of 3 allow right before the write",
            "1 of 1 allow right before the write",  # of what was planned once more, since it was approved a while ago
        ]
        assert stage.outcome(number) == "done"

    tell(tale, "[still_firing: {}, small: {}, latest: {}]", mode="approve")


def test_a_process_that_dies_while_they_are_asked_asks_them_again() -> None:
    async def tale(stage: Stage, cluster: HeldCluster) -> None:
        reached = asyncio.Event()

        async def held_up(call: str, place: Place) -> None:
            if call == "get" and stage.told(1, "plan"):
                reached.set()
                await asyncio.Event().wait()

        cluster.before = held_up
        number = await stage.fire("api", target=API)
        await stage.pass_(1.0)
        assert reached.is_set()
        cluster.before = HeldCluster().before
        await stage.restart()
        await stage.pass_(60.0)

        assert (stage.outcome(number), api(cluster)["replicas"]) == ("done", 6)
        assert stage.told(number, "guards")[-1] == "1 of 1 allow right before the write: 3 replicas"

    tell(tale, "[latest: {}]")


@pytest.mark.parametrize("many", [2, 6])
def test_however_many_read_it_takes_as_long_as_the_slowest(many: int) -> None:
    async def tale(stage: Stage, cluster: HeldCluster) -> None:
        began = stage.clock.monotonic()
        number = await stage.fire("api", target=API)
        while not stage.told(number, "plan"):
            await stage.pass_(0.5)

        assert stage.clock.monotonic() - began < 8.0
        await stage.pass_(30.0)
        assert stage.outcome(number) == "done"

    tell(tale, f"[{', '.join(['slow: {}'] * many)}]")
