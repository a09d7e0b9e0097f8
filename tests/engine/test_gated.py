"""What stands between an action and a cluster: a call that changes something asks first, a read or dry run does not."""

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from paramedic.cluster.port import Json, Kube
from paramedic.cluster.resources import DEPLOYMENTS, PODS, Place
from paramedic.engine.gated import Asking, GatedKube
from paramedic.errors import Refused
from tests.engine.stage import Stage, play
from tests.engine.texts import catalog

API, POD = Place("main", DEPLOYMENTS, "shop", "api"), Place("main", PODS, "shop", "api-1")


class Recorder:
    """A port that keeps what it was asked, and answers with it."""

    clusters = ("main",)

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[Any, ...], Json]] = []

    def __getattr__(self, name: str) -> Any:
        async def call(*values: Any, **named: Any) -> Any:
            self.asked.append((name, values, named))
            return {"said": name}

        return call


class Door:
    """A gate that is shut or open."""

    def __init__(self, *, open_: bool) -> None:
        self.open, self.asked = open_, 0

    async def ask(self, number: int, *_: object, **__: object) -> None:
        assert number == 7
        self.asked += 1
        if not self.open:
            raise Refused("shut")


def gated(*, open_: bool) -> tuple[GatedKube, Recorder, Door]:
    port, door = Recorder(), Door(open_=open_)
    return GatedKube(port, Asking(door, 7, None, None)), port, door  # type: ignore[arg-type]


Call = Callable[[Kube, bool], Coroutine[Any, Any, Any]]

WRITES: dict[str, Call] = {
    "patch": lambda kube, dry: kube.patch(API, [], "json", subresource="scale", dry_run=dry, timeout=3.0),
    "create": lambda kube, dry: kube.create(API, {"a": 1}, dry_run=dry, timeout=3.0),
    "delete": lambda kube, dry: kube.delete(POD, uid="u", grace=1.0, dry_run=dry, timeout=3.0),
    "evict": lambda kube, dry: kube.evict(POD, uid="u", grace=1.0, dry_run=dry, timeout=3.0),
}
READS: dict[str, Call] = {
    "get": lambda kube, _: kube.get(API, subresource="scale", max_age=2.0, timeout=3.0),
    "list": lambda kube, _: kube.list(API, labels="a=b", fields="c=d", limit=5, max_age=2.0, timeout=3.0),
    "logs": lambda kube, _: kube.logs(POD, container="c", previous=True, most=9, timeout=3.0),
}


@pytest.mark.parametrize("name", WRITES)
async def test_no_write_leaves_while_the_gate_says_no(name: str) -> None:
    """Promise 5."""
    kube, port, door = gated(open_=False)

    with pytest.raises(Refused):
        await WRITES[name](kube, False)

    assert (port.asked, door.asked) == ([], 1)


@pytest.mark.parametrize("name", WRITES)
async def test_each_write_asks_again(name: str) -> None:
    kube, port, door = gated(open_=True)

    await WRITES[name](kube, False)
    await WRITES[name](kube, False)

    assert (len(port.asked), door.asked) == (2, 2)


@pytest.mark.parametrize("name", WRITES)
async def test_a_dry_run_asks_nobody(name: str) -> None:
    kube, port, door = gated(open_=False)

    await WRITES[name](kube, True)

    assert (port.asked[0][2]["dry_run"], door.asked) == (True, 0)


@pytest.mark.parametrize("name", READS)
async def test_reads_ask_nobody(name: str) -> None:
    kube, _, door = gated(open_=False)

    assert await READS[name](kube, False) == {"said": name}
    assert (door.asked, kube.clusters) == (0, ("main",))


@pytest.mark.parametrize("name", [*WRITES, *READS])
async def test_what_is_asked_for_arrives_as_it_was(name: str) -> None:
    kube, port, _ = gated(open_=True)
    call = {**WRITES, **READS}[name]
    plain = Recorder()

    await call(kube, False)
    await call(plain, False)

    assert port.asked == plain.asked


def test_time_that_is_over_before_anything_left_leaves_nothing_unknown() -> None:
    """The gate's last look takes longer than the write may: nothing was sent, so that it may be tried again."""

    async def story(stage: Stage) -> None:
        alive, looks = stage.store.alive, 0

        async def slowly() -> bool:
            nonlocal looks
            looks += 1
            await stage.clock.sleep(15.0 if looks == 1 else 0.0)
            return await alive()

        await stage.pass_(1.0)
        stage.store.alive = slowly  # type: ignore[method-assign]
        number = await stage.fire("api")
        await stage.pass_(60.0)
        assert looks == 2
        assert stage.outcome(number) == "done"
        assert len(stage.world.to("raw")) == 1
        assert any("its time was over before anything was sent" in text for text in stage.told(number, "apply"))

    play(story, catalog("raw"))
