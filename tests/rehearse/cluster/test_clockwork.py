"""What is due happens in its order, each thing at its own moment, whenever somebody asks."""

from datetime import UTC, datetime, timedelta
from functools import partial

from paramedic.rehearse.cluster.clockwork import Clockwork, read_stamp


class Still:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 500.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def test_things_happen_in_the_order_of_their_moments() -> None:
    clock = Still()
    work = Clockwork(clock)
    seen: list[tuple[float, str]] = []
    for moment, name in ((5.0, "c"), (1.0, "a"), (1.0, "b"), (60.0, "later")):
        work.at(moment, partial(lambda which: seen.append((work.time, which)), name))
    work.catch_up()
    assert seen == []
    clock.seconds += 10
    work.catch_up()
    assert seen == [(1.0, "a"), (1.0, "b"), (5.0, "c")]
    assert (work.time, work.next_due()) == (10.0, 60.0)


def test_what_happens_may_ask_for_more_and_for_catching_up() -> None:
    clock = Still()
    work = Clockwork(clock)
    seen: list[float] = []

    def again() -> None:
        work.catch_up()
        seen.append(work.time)
        work.after(2.0, again)

    work.after(2.0, again)
    clock.seconds += 7
    work.catch_up()
    assert seen == [2.0, 4.0, 6.0]


def test_a_past_is_played_before_the_present() -> None:
    work = Clockwork(Still(), begins=-600.0)
    seen: list[str] = []
    work.at(-600.0, lambda: seen.append(work.stamp()))
    work.at(-60.0, lambda: seen.append(work.stamp(90)))
    assert work.time == -600.0
    work.catch_up()
    assert seen == ["2025-12-31T23:58:20Z", "2026-01-01T00:08:50Z"]
    assert work.time == 0.0
    assert work.since("2026-01-01T00:08:10Z") == 10.0


def test_who_listens_hears_only_of_what_is_sooner() -> None:
    work = Clockwork(Still())
    heard: list[float | None] = []
    work.listeners.append(lambda: heard.append(work.next_due()))
    for moment in (50.0, 60.0, 40.0, 40.0):
        work.at(moment, lambda: None)
    assert heard == [50.0, 40.0]


def test_a_failure_does_not_stop_the_clockwork_for_good() -> None:
    clock = Still()
    work = Clockwork(clock)
    seen: list[str] = []
    work.at(1.0, lambda: 1 / 0)
    work.at(2.0, lambda: seen.append("on"))
    clock.seconds += 5
    try:
        work.catch_up()
    except ZeroDivisionError:
        seen.append("off")
    work.catch_up()
    assert seen == ["off", "on"]


def test_a_stamp_is_read_as_it_was_written() -> None:
    work = Clockwork(Still())
    assert read_stamp(work.stamp()) == datetime(2026, 1, 1, 0, 8, 20, tzinfo=UTC)
