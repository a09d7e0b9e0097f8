"""Guards of one phase that read are asked at the same time, under one deadline, and nothing is left behind."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import pytest

from paramedic.core.bundle import GuardSpec
from paramedic.core.model import Verdict
from paramedic.core.words import Answer
from paramedic.engine.jury import DEADLINE, Jury
from paramedic.errors import Fault, Permanent, Refused, Temporary, UnknownOutcome
from paramedic.plugin import Guard, Params, Plugins, Seen, Tools
from paramedic.rehearse.loop import VirtualClock, VirtualLoop, virtually
from paramedic.telemetry import Telemetry
from tests.contract.plugin_scene import at_once, seen, tools
from tests.core.builders import Given


class Nothing(Params):
    """No parameters."""


@dataclass
class Log:
    began: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)


def guard_of(kind: str, answer: Callable[[], Coroutine[Any, Any, Verdict]], log: Log) -> Guard:
    """A guard that does this when asked, and says in `log` when it began and whether it was stopped."""

    class Asked(Guard):
        name = kind
        Params = Nothing
        reads: ClassVar[frozenset[str]] = frozenset({"kube"})

        async def judge(self, params: Nothing, seen: Seen, tools: Tools) -> Verdict:
            log.began.append(kind)
            try:
                return await answer()
            except asyncio.CancelledError:
                log.cancelled.append(kind)
                raise

    return Asked()


def after(kind: str, seconds: float) -> Callable[[], Coroutine[Any, Any, Verdict]]:
    async def answer() -> Verdict:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        await VirtualClock(loop).sleep(seconds)
        return Verdict(kind, Answer.ALLOW, f"after {seconds:g}s")

    return answer


def raising(error: BaseException) -> Callable[[], Coroutine[Any, Any, Verdict]]:
    async def answer() -> Verdict:
        raise error

    return answer


def jury(*guards: Guard) -> tuple[Jury, list[GuardSpec]]:
    found: Mapping[str, Guard] = {guard.name: guard for guard in guards}
    specs = [GuardSpec(guard.name, Given({}), inline=not guard.reads) for guard in guards]
    return Jury(Plugins({}, found, {}, {}), tools(), Telemetry()), specs


def test_those_that_read_are_asked_at_the_same_time_and_answer_in_order() -> None:
    log = Log()
    sworn, specs = jury(*(guard_of(name, after(name, wait), log) for name, wait in (("a", 9), ("b", 1), ("c", 5))))

    async def story(loop: VirtualLoop) -> tuple[tuple[Verdict, ...], float]:
        began = loop.time()
        return await sworn.ask(specs, {}, seen()), loop.time() - began

    verdicts, took = virtually(story)

    assert [one.name for one in verdicts] == ["a", "b", "c"]
    assert [one.reason for one in verdicts] == ["after 9s", "after 1s", "after 5s"]
    assert took == pytest.approx(9.0)


def test_the_deadline_is_for_all_of_them_together_and_the_late_one_is_unknown() -> None:
    log = Log()
    slow = (("a", 20), ("b", 1000), ("c", 29), ("d", 1000))
    sworn, specs = jury(*(guard_of(name, after(name, wait), log) for name, wait in slow))

    async def story(loop: VirtualLoop) -> tuple[tuple[Verdict, ...], float]:
        began = loop.time()
        return await sworn.ask(specs, {}, seen()), loop.time() - began

    verdicts, took = virtually(story)

    assert [str(one.answer) for one in verdicts] == ["allow", "unknown", "allow", "unknown"]
    assert verdicts[1].reason == "no answer within 30s"
    assert took == pytest.approx(DEADLINE)
    assert log.cancelled == ["b", "d"]


def test_who_stops_asking_leaves_nobody_behind() -> None:
    log = Log()
    sworn, specs = jury(guard_of("a", after("a", 1000), log), guard_of("b", after("b", 1000), log))

    async def story(loop: VirtualLoop) -> int:
        asking = asyncio.ensure_future(sworn.ask(specs, {}, seen()))
        await VirtualClock(loop).sleep(1)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        return len(asyncio.all_tasks()) - 1

    assert virtually(story) == 0
    assert log.cancelled == ["a", "b"]


@pytest.mark.parametrize(
    ("error", "answer", "reason"),
    [
        (Temporary("connection refused"), Answer.UNKNOWN, "connection refused"),
        (UnknownOutcome("lost"), Answer.UNKNOWN, "lost"),
        (Permanent("forbidden"), Answer.ERROR, "forbidden"),
        (Refused("no"), Answer.ERROR, "no"),
        (Fault("query", "is empty"), Answer.ERROR, "query: is empty"),
        (TimeoutError(), Answer.UNKNOWN, "no answer within its time"),
        (ZeroDivisionError("one\ntwo"), Answer.ERROR, "ZeroDivisionError: one two"),
    ],
)
@pytest.mark.parametrize("reads", [True, False])
def test_what_one_raises_is_its_answer_and_the_others_go_on(
    error: BaseException, answer: Answer, reason: str, reads: bool
) -> None:
    log = Log()
    sworn, specs = jury(guard_of("a", raising(error), log), guard_of("b", after("b", 1), log))
    specs[0] = replace(specs[0], inline=not reads)

    async def story(loop: VirtualLoop) -> tuple[Verdict, ...]:
        return await sworn.ask(specs, {}, seen())

    verdicts = virtually(story)

    assert (verdicts[0].answer, verdicts[0].reason) == (answer, reason)
    assert verdicts[1].answer is Answer.ALLOW


def test_a_guard_that_is_not_there_any_more_is_an_error() -> None:
    sworn, specs = jury()

    verdicts = at_once(sworn.ask([*specs, GuardSpec("gone", Given({}), inline=True)], {}, seen()))

    assert (verdicts[0].name, verdicts[0].answer) == ("gone", Answer.ERROR)


def test_those_that_read_nothing_are_answered_without_waiting() -> None:
    async def fine() -> Verdict:
        return Verdict("else", Answer.ALLOW, "fine\n", {"x": "\x1b[2J"})

    sworn, specs = jury(guard_of("a", fine, Log()))

    verdicts = at_once(sworn.ask([replace(specs[0], inline=True)], {}, seen()))

    assert verdicts == (Verdict("a", Answer.ALLOW, "fine", {"x": "[2J"}),)
