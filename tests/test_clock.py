"""Time, ids and randomness come from one module. Here is what its users rely on."""

import asyncio
import string
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paramedic.clock import Clock, Numbers, SystemClock, jittered, new_secret, seconds_until

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class TestSystemClock:
    def test_it_is_a_clock(self) -> None:
        clock: Clock = SystemClock()

        assert clock.now().tzinfo is UTC

    def test_now_is_the_time_of_this_machine_until_the_offset_is_known(self) -> None:
        clock = SystemClock()
        before = datetime.now(UTC)

        assert before <= clock.local() <= clock.now() <= datetime.now(UTC)

    def test_now_moves_onto_the_clock_of_the_database(self) -> None:
        clock = SystemClock()
        clock.adjust(timedelta(hours=-1))

        assert timedelta(minutes=59) < clock.local() - clock.now() < timedelta(minutes=61)

    def test_an_offset_replaces_the_one_before(self) -> None:
        clock = SystemClock()
        clock.adjust(timedelta(hours=5))
        clock.adjust(timedelta(seconds=0))

        assert abs(clock.now() - clock.local()) < timedelta(seconds=10)

    def test_the_offset_does_not_touch_the_monotonic_count(self) -> None:
        """A lease that jumped with the wall clock could end early, or never."""
        clock = SystemClock()
        before = clock.monotonic()
        clock.adjust(timedelta(days=400))

        assert 0 <= clock.monotonic() - before < 60

    def test_the_monotonic_count_never_runs_backwards(self) -> None:
        clock = SystemClock()
        seen = [clock.monotonic() for _ in range(1000)]

        assert seen == sorted(seen)

    def test_time_in_suspension_counts(self) -> None:
        """A lease must not outlive a machine that slept, so the count is the one since boot where there is one."""
        if not hasattr(time, "CLOCK_BOOTTIME"):
            pytest.skip("this system has no clock that counts suspension")

        assert abs(SystemClock().monotonic() - time.clock_gettime(time.CLOCK_BOOTTIME)) < 10

    def test_where_there_is_no_such_clock_another_does(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delattr(time, "CLOCK_BOOTTIME", raising=False)

        assert abs(SystemClock().monotonic() - time.monotonic()) < 10

    async def test_sleep_lets_at_least_so_much_time_pass(self) -> None:
        clock = SystemClock()
        began = clock.monotonic()
        await asyncio.wait_for(clock.sleep(0.02), 10)

        assert clock.monotonic() - began >= 0.019


class TestNumbers:
    def test_they_count_up_within_a_member(self) -> None:
        numbers = Numbers(3)

        assert [numbers.take() for _ in range(3)] == [(3 << 36) + 1, (3 << 36) + 2, (3 << 36) + 3]

    def test_two_members_never_meet(self) -> None:
        """68 billion ids a member: at 10,000 a second, 79 days without joining again."""
        assert Numbers(4).take() - Numbers(3).take() == 1 << 36
        assert (1 << 36) / 10_000 / 86_400 > 79

    def test_the_member_can_be_read_from_the_id(self) -> None:
        assert Numbers(17).take() >> 36 == 17


class TestJitter:
    @pytest.mark.parametrize(("drawn", "wanted"), [(0.0, 5.0), (0.5, 10.0), (1.0, 15.0)])
    def test_it_goes_half_either_way(self, drawn: float, wanted: float) -> None:
        assert jittered(10.0, lambda: drawn) == wanted

    @settings(deadline=None)
    @given(st.floats(0, 1e6))
    def test_it_never_leaves_its_bounds(self, seconds: float) -> None:
        assert seconds * 0.5 <= jittered(seconds) <= seconds * 1.5

    def test_waiters_do_not_return_at_once(self) -> None:
        assert len({jittered(10.0) for _ in range(50)}) > 40


class TestSecrets:
    @pytest.mark.parametrize("size", [8, 32])
    def test_they_are_hex_of_so_many_bytes(self, size: int) -> None:
        secret = new_secret(size)

        assert len(secret) == 2 * size
        assert set(secret) <= set(string.hexdigits.lower())

    def test_no_two_are_alike(self) -> None:
        assert len({new_secret() for _ in range(100)}) == 100


@pytest.mark.parametrize(("due", "wanted"), [(90, 90.0), (0, 0.0), (-90, 0.0)])
def test_what_is_overdue_is_due_now(due: int, wanted: float) -> None:
    assert seconds_until(NOON + timedelta(seconds=due), NOON) == wanted
