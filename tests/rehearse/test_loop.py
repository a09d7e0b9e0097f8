"""Virtual time: it jumps, it is the same each time, it never hangs, and it refuses what is real."""

import asyncio
import gc
import socket
import time
from datetime import UTC, datetime, timedelta

import pytest

from paramedic.rehearse.loop import RESTLESS, START, Standstill, Unsimulated, VirtualClock, VirtualLoop, virtually


def test_sleeping_takes_virtual_time_only() -> None:
    async def story(loop: VirtualLoop) -> float:
        await VirtualClock(loop).sleep(86_400.0)
        return loop.time()

    before = time.perf_counter()
    assert virtually(story) == pytest.approx(86_400.0)
    assert time.perf_counter() - before < 60  # a day was not waited for


def test_the_clock_counts_from_its_start() -> None:
    start = datetime(2026, 3, 29, 0, 59, 59, 999_999, tzinfo=UTC)

    async def story(loop: VirtualLoop) -> tuple[datetime, float]:
        clock = VirtualClock(loop, start)
        assert clock.now() == start
        await clock.sleep(90.000_001)
        return clock.now(), clock.monotonic()

    now, monotonic = virtually(story)
    assert now == start + timedelta(seconds=90, microseconds=1)
    assert monotonic == pytest.approx(90.000_001)


def test_two_loops_do_not_share_their_time() -> None:
    async def long(loop: VirtualLoop) -> datetime:
        await VirtualClock(loop).sleep(1000.0)
        return VirtualClock(loop).now()

    async def now(loop: VirtualLoop) -> datetime:
        return VirtualClock(loop).now()

    assert virtually(long) == START + timedelta(seconds=1000)
    assert virtually(now) == START


def test_a_moment_a_year_away_is_met_to_the_microsecond() -> None:
    due = START + timedelta(days=365, microseconds=1)

    async def story(loop: VirtualLoop) -> datetime:
        clock = VirtualClock(loop)
        await clock.sleep(0.1)
        await clock.sleep((due - clock.now()).total_seconds())
        return clock.now()

    assert virtually(story) == due


def test_timeouts_and_groups_work_as_in_real_time() -> None:
    async def story(loop: VirtualLoop) -> list[str]:
        clock, told = VirtualClock(loop), list[str]()

        async def worker(name: str, seconds: float) -> None:
            await clock.sleep(seconds)
            told.append(f"{name} at {loop.time():.0f}")

        async with asyncio.TaskGroup() as group:
            group.create_task(worker("slow", 30.0))
            group.create_task(worker("quick", 10.0))
        try:
            async with asyncio.timeout(5):
                await worker("never", 60.0)
        except TimeoutError:
            told.append(f"timeout at {loop.time():.0f}")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 300)
        told.append(f"gave up at {loop.time():.0f}")
        return told

    assert virtually(story) == ["quick at 10", "slow at 30", "timeout at 35", "gave up at 335"]


def test_a_cancelled_sleep_leaves_no_alarm_behind() -> None:
    seen: list[VirtualLoop] = []

    async def story(loop: VirtualLoop) -> None:
        seen.append(loop)
        sleeper = asyncio.create_task(VirtualClock(loop).sleep(1_000_000.0))
        await loop.rest()
        sleeper.cancel()
        await asyncio.Event().wait()

    with pytest.raises(Standstill):
        virtually(story)
    assert seen[0].time() == 0.0


def test_waiting_for_what_never_comes_is_an_error() -> None:
    async def story(loop: VirtualLoop) -> None:
        await asyncio.Event().wait()

    with pytest.raises(Standstill, match="nothing is scheduled"):
        virtually(story)


def test_waiting_without_letting_time_pass_is_an_error() -> None:
    async def story(loop: VirtualLoop) -> None:
        while True:
            await asyncio.sleep(0)

    with pytest.raises(Standstill, match=f"{RESTLESS} rounds"):
        virtually(story)


def test_much_work_at_one_moment_is_no_error_when_time_moves_between() -> None:
    async def story(loop: VirtualLoop) -> float:
        for _ in range(3):
            for _ in range(RESTLESS // 2):
                await asyncio.sleep(0)
            await VirtualClock(loop).sleep(1.0)
        return loop.time()

    assert virtually(story) == pytest.approx(3.0)


def test_rest_returns_when_this_moment_holds_nothing_more() -> None:
    async def story(loop: VirtualLoop) -> list[str]:
        clock, told, gate = VirtualClock(loop), list[str](), asyncio.Event()

        async def chain() -> None:
            await gate.wait()
            for step in range(50):
                await asyncio.sleep(0)
                told.append(f"{step}")
            await clock.sleep(0.001)
            told.append("later")

        task = asyncio.create_task(chain())
        gate.set()
        await loop.rest()
        assert loop.time() == 0.0
        assert told[-1] == "49"
        await clock.sleep(1.0)
        await task
        return told

    assert virtually(story)[-1] == "later"


def test_two_may_rest_at_once() -> None:
    async def story(loop: VirtualLoop) -> float:
        await asyncio.gather(loop.rest(), loop.rest())
        return loop.time()

    assert virtually(story) == 0.0


@pytest.mark.parametrize("kind", ["socket", "thread", "name"])
def test_what_is_real_is_refused(kind: str) -> None:
    async def story(loop: VirtualLoop) -> None:
        if kind == "thread":
            await asyncio.to_thread(time.sleep, 0)
        elif kind == "name":
            await loop.getaddrinfo("localhost", 80)
        else:
            ours, theirs = socket.socketpair()
            with ours, theirs:
                ours.setblocking(False)
                await loop.sock_recv(ours, 1)

    with pytest.raises(Unsimulated, match=r"virtual time"):
        virtually(story)


def test_what_a_story_left_running_is_ended() -> None:
    ended: list[str] = []

    async def story(loop: VirtualLoop) -> None:
        async def forever() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("forever")

        running = asyncio.create_task(forever())
        await loop.rest()
        assert not running.done()

    virtually(story)
    gc.collect()
    assert ended == ["forever"]


def test_the_same_story_happens_at_the_same_moments() -> None:
    async def story(loop: VirtualLoop) -> list[tuple[str, float]]:
        clock, told = VirtualClock(loop), list[tuple[str, float]]()

        async def knock(name: str, every: float) -> None:
            for _ in range(20):
                await clock.sleep(every)
                told.append((name, loop.time()))

        async with asyncio.TaskGroup() as group:
            for position in range(5):
                group.create_task(knock(f"{position}", 0.1 + position * 0.3))
        return told

    assert virtually(story) == virtually(story)


def test_thirty_days_with_two_thousand_timers() -> None:
    """The figure (well under a second) is in bench/rehearsal.py; here it only has to be complete."""
    fired: list[float] = []

    async def story(loop: VirtualLoop) -> float:
        clock = VirtualClock(loop)

        async def timer(position: int) -> None:
            await clock.sleep(position * 30 * 86_400 / 2_000)
            fired.append(loop.time())

        async with asyncio.TaskGroup() as group:
            for position in range(1, 2_001):
                group.create_task(timer(position))
        return loop.time()

    assert virtually(story) == pytest.approx(30 * 86_400.0)
    assert len(fired) == 2_000
    assert fired == sorted(fired)
