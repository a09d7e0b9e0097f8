"""The last look before each write. Promise 5: switch and modes, fence and reservation, and for a remedy the alert."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from paramedic.core.bundle import Endpoint
from paramedic.core.words import Mode
from paramedic.engine.gate import FRESH, SwitchReading
from paramedic.engine.gated import Asking, GatedHttp
from paramedic.engine.shell import Options
from paramedic.errors import Permanent, Refused, Temporary, UnknownOutcome
from paramedic.plugin import Reply
from paramedic.store.port import Switch
from tests.engine.stage import Call, Stage, play
from tests.engine.texts import catalog


class Doorstep:
    """Holds a write back before its action is called, so that a story can change the world before it leaves."""

    def __init__(self, stage: Stage) -> None:
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()
        real = stage.engine._performer._apply

        async def apply(*args):  # type: ignore[no-untyped-def]
            self.reached.set()
            await self.go_on.wait()
            return await real(*args)

        stage.engine._performer._apply = apply  # type: ignore[method-assign]


async def at_the_door(stage: Stage, **labels: Any) -> tuple[Doorstep, int]:
    """An incident whose write has its intent and is about to leave."""
    door = Doorstep(stage)
    number = await stage.fire("api", **labels)
    await door.reached.wait()
    return door, number


def refused(stage: Stage, number: int) -> str:
    """Why the run was refused; nothing has been sent."""
    assert not stage.world.to("hook")
    assert stage.outcome(number) in ("refused", "cleared", "cancelled"), stage.incident(number)
    return stage.incident(number).past[-1].reason


async def switch(stage: Stage, mode: Mode, seconds: float | None = None) -> None:
    until = None if seconds is None else stage.clock.now() + timedelta(seconds=seconds)
    await stage.engine.set_switch(mode, who="alice", reason="test", until=until)


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        (Mode.FREEZE, "the switch is at freeze: nothing writes"),
        (Mode.OFF, "the mode is off by now"),
        (Mode.SHADOW, "the mode is shadow by now"),
        (Mode.APPROVE, "the mode is approve by now"),
    ],
)
def test_a_switch_moved_between_plan_and_write_stops_the_write(mode: Mode, reason: str) -> None:
    async def story(stage: Stage) -> None:
        door, number = await at_the_door(stage)
        await switch(stage, mode)
        door.go_on.set()
        await stage.pass_(5.0)
        assert refused(stage, number) == f"{reason} (alice: test)"

    play(story)


def test_a_switch_moved_by_somebody_else_is_seen_within_a_second() -> None:
    async def story(stage: Stage) -> None:
        door, number = await at_the_door(stage)
        stage.disk.switch = Switch(Mode.FREEZE, version=7)
        await stage.pass_(FRESH + 0.1)
        door.go_on.set()
        await stage.pass_(5.0)
        assert "freeze" in refused(stage, number)

    play(story)


def test_a_reading_younger_than_a_second_is_not_repeated() -> None:
    async def story(stage: Stage) -> None:
        async def unreadable() -> Switch:
            raise Temporary("the database is away")

        stage.store.switch = unreadable  # type: ignore[method-assign]
        number = await stage.fire("api")
        await stage.pass_(1.0)
        assert stage.outcome(number) == "done"

    play(story)


def test_an_unreadable_switch_is_freeze() -> None:
    """Nothing is written by it. Once a commit has brought its position back, the run is tried again."""

    async def story(stage: Stage) -> None:
        async def unreadable() -> Switch:
            raise Temporary("the database is away")

        door, number = await at_the_door(stage)
        stage.store.switch = unreadable  # type: ignore[method-assign]
        await stage.pass_(FRESH + 0.1)
        door.go_on.set()
        await stage.pass_(0.3)
        assert not stage.world.to("hook")
        assert "cannot be read, which counts as freeze" in stage.told(number, "apply")[0]
        await stage.pass_(5.0)
        assert (stage.outcome(number), len(stage.world.to("hook"))) == ("done", 1)

    play(story)


def test_a_switch_whose_time_is_over_falls_back() -> None:
    async def story(stage: Stage) -> None:
        await switch(stage, Mode.FREEZE, 60.0)
        first = await stage.fire("first")
        await stage.pass_(30.0)
        assert not stage.world.to("hook")
        assert stage.outcome(first) == "-" or stage.outcome(first) == "refused"
        await stage.pass_(31.0)
        second = await stage.fire("second")
        await stage.pass_(5.0)
        assert stage.outcome(second) == "done"

    play(story)


def test_a_switch_whose_time_is_over_falls_back_to_the_limit_of_the_process() -> None:
    async def story(stage: Stage) -> None:
        await switch(stage, Mode.OFF, 60.0)
        await stage.pass_(61.0)
        number = await stage.fire("api")
        await stage.pass_(5.0)
        assert stage.outcome(number) == "shadowed"

    play(story, options=Options(mode=Mode.SHADOW, jitter=float, signs=3600.0))


def test_the_switch_can_not_raise_what_the_process_may_do() -> None:
    async def story(stage: Stage) -> None:
        await switch(stage, Mode.AUTO)
        number = await stage.fire("api")
        await stage.pass_(5.0)
        assert stage.outcome(number) == "shadowed"
        assert not stage.world.to("hook")

    play(story, options=Options(mode=Mode.SHADOW, jitter=float, signs=3600.0))


@pytest.mark.parametrize("text", [catalog(mode="shadow"), catalog(rule="mode: shadow")])
def test_rule_and_playbook_may_lower_the_mode(text: str) -> None:
    """Promise 12: shadow changes nothing, and pages say what it would have done."""

    async def story(stage: Stage) -> None:
        number = await stage.fire("api")
        await stage.pass_(5.0)
        assert stage.outcome(number) == "shadowed"
        assert not stage.world.to("hook")
        assert "it would have done: POST hook/act?job=api" in stage.world.pages()[0].body["text"]

    play(story, text)


def test_what_a_person_approved_may_be_written_in_mode_approve() -> None:
    async def story(stage: Stage) -> None:
        number = await stage.fire("api")
        await stage.pass_(5.0)
        assert not stage.world.to("hook")
        await stage.act(number, "approve", run=1)
        await stage.pass_(5.0)
        assert stage.outcome(number) == "done"
        assert len(stage.world.to("hook")) == 1

    play(story, catalog(mode="approve"))


def test_an_alert_that_cleared_on_the_way_is_not_treated() -> None:
    async def story(stage: Stage) -> None:
        door, number = await at_the_door(stage)
        await stage.resolve("api")
        door.go_on.set()
        await stage.pass_(5.0)
        assert not stage.world.to("hook")
        assert stage.outcome(number) == "cleared"
        assert "not written: the run was stopped: the alert cleared" in stage.told(number, "apply")

    play(story)


@pytest.mark.parametrize("what", ["take", "close", "cancel"])
def test_what_a_person_stopped_is_not_written(what: str) -> None:
    async def story(stage: Stage) -> None:
        door, number = await at_the_door(stage)
        await stage.act(number, what, run=1 if what == "cancel" else None)
        door.go_on.set()
        await stage.pass_(5.0)
        assert "alice" in refused(stage, number)
        assert stage.outcome(number) == "cancelled"

    play(story)


def test_a_write_whose_target_is_reserved_for_somebody_else_is_refused() -> None:
    async def story(stage: Stage) -> None:
        door, number = await at_the_door(stage)
        shell = stage.engine._shell
        assert shell is not None
        shell.holdings.ledger.hold("target/svc/api", 99, 1)
        door.go_on.set()
        await stage.pass_(5.0)
        assert refused(stage, number) == "target/svc/api is not reserved for this run"

    play(story)


@pytest.mark.parametrize(
    ("guard", "slot", "scope"),
    [
        ('one_at_a_time: {domain: "db/a"}', "domain/db/a", "domain/db/a"),
        ("concurrent: {max: 2, across: all}", "slot/1/concurrent/all/", "concurrent/all/"),
    ],
)
def test_so_is_one_whose_domain_or_place_is_somebody_elses_by_now(guard: str, slot: str, scope: str) -> None:
    async def story(stage: Stage) -> None:
        door, number = await at_the_door(stage)
        shell = stage.engine._shell
        assert shell is not None
        assert shell.holdings.ledger.holder(slot) == f"INC-{number}.1"
        shell.holdings.ledger.hold(slot, 99, 1)
        door.go_on.set()
        await stage.pass_(5.0)
        assert refused(stage, number) == f"{scope} is not reserved for this run"

    play(story, catalog(guards=guard))


def test_a_member_whose_lease_is_in_doubt_writes_nothing() -> None:
    """That says nothing against the run: whoever may write tries again."""

    async def story(stage: Stage) -> None:
        async def gone() -> bool:
            return False

        door, number = await at_the_door(stage)
        alive, stage.store.alive = stage.store.alive, gone  # type: ignore[method-assign]
        door.go_on.set()
        await stage.pass_(0.3)
        assert not stage.world.to("hook")
        assert "no longer the one that may write" in stage.told(number, "apply")[0]
        stage.store.alive = alive  # type: ignore[method-assign]
        await stage.pass_(5.0)
        assert (stage.outcome(number), len(stage.world.to("hook"))) == ("done", 1)

    play(story)


UNDO = ', undo: {path: "/undo?job=${params.job}"}'
FAILING = "verify: [{alert_cleared: {within: 10s, every: 1s}}]\n    on_failure: undo"


@pytest.mark.parametrize("mode", [Mode.OFF, Mode.SHADOW, Mode.APPROVE])
def test_taking_our_own_change_back_goes_on_in_every_mode(mode: Mode) -> None:
    async def story(stage: Stage) -> None:
        number = await stage.fire("api")
        await stage.pass_(2.0)
        await switch(stage, mode)
        await stage.pass_(30.0)
        assert [call.path for call in stage.world.to("hook")] == ["/act?job=api", "/undo?job=api"]
        assert stage.world.to("hook")[1].key == f"INC-{number}/1/1/1/undo"
        assert stage.outcome(number) == "ineffective"

    play(story, catalog(undo=UNDO, verify=FAILING))


def test_in_freeze_not_even_our_own_change_is_taken_back_and_a_person_is_told() -> None:
    async def story(stage: Stage) -> None:
        number = await stage.fire("api")
        await stage.pass_(2.0)
        await switch(stage, Mode.FREEZE)
        await stage.pass_(30.0)
        assert [call.path for call in stage.world.to("hook")] == ["/act?job=api"]
        assert stage.outcome(number) == "failed"
        assert "could not be taken back" in stage.world.pages()[-1].body["text"]

    play(story, catalog(undo=UNDO, verify=FAILING))


def test_a_read_does_not_ask_the_gate_and_each_write_does() -> None:
    async def story(stage: Stage) -> None:
        asked: list[int] = []

        class Gate:
            async def ask(self, number: int, *_: object, **__: object) -> None:
                asked.append(number)
                raise Refused("no")

        http = GatedHttp(stage.port, Asking(Gate(), 7, None, stage.bundle))  # type: ignore[arg-type]
        hook = Endpoint("hook", "http://127.0.0.1:9000")
        for method in ("GET", "HEAD"):
            await http.request(hook, method, "/", timeout=1.0)
        assert not asked
        for method in ("POST", "PUT", "PATCH", "DELETE", "get", "PURGE"):
            with pytest.raises(Refused):
                await http.request(hook, method, "/", timeout=1.0)
        assert asked == [7] * 6
        assert len(stage.world.to("hook")) == 2

    play(story)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(Temporary("refused the connection"), "failed"), (Permanent("no"), "failed"), (UnknownOutcome("?"), "unknown")],
)
def test_what_a_write_came_to_is_told_as_it_is(error: Exception, outcome: str) -> None:
    async def story(stage: Stage) -> None:
        async def answer(call: Call) -> Reply:
            if call.endpoint == "raw":
                raise error
            return Reply(200, {}, b"")

        stage.world.answer = answer
        number = await stage.fire("api")
        await stage.pass_(60.0)
        assert stage.outcome(number) == outcome
        assert {call.key for call in stage.world.to("raw")} == {f"INC-{number}/1/1/1"}

    play(story, catalog("raw"))


def test_a_reading_never_goes_back_to_an_older_position() -> None:
    reading = SwitchReading(Switch(Mode.FREEZE, version=4), 10.0)
    reading.take(Switch(Mode.AUTO, version=3), 11.0)
    assert (reading.switch.mode, reading.at) == (Mode.FREEZE, 11.0)
    reading.take(Switch(Mode.OFF, version=5), 12.0)
    assert reading.switch.mode is Mode.OFF
    reading.take(Switch(Mode.OFF, version=5), 9.0)
    assert reading.at == 12.0, "an answer that was asked for long ago makes nothing older"
