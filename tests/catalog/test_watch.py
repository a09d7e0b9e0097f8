"""The catalog of a running service: read again when files change or somebody asks, and the last good bundle stays."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from paramedic.catalog.load import Loaded
from paramedic.catalog.watch import EVERY, SETTLED, Catalog
from tests.catalog.texts import BOOK, HOOK, PLUGINS


class HandClock:
    """Time that passes when the test says so. `asked` is how long the sleeper wants to sleep."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 5, 12, tzinfo=UTC)
        self.asked: asyncio.Queue[float] = asyncio.Queue()
        self._go: asyncio.Future[None] | None = None

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.moment.timestamp()

    async def sleep(self, seconds: float) -> None:
        self._go = asyncio.get_running_loop().create_future()
        self.asked.put_nowait(seconds)
        await self._go
        self.moment += timedelta(seconds=seconds)

    async def asleep(self) -> float:
        """Wait until somebody sleeps; says how long he wants to."""
        async with asyncio.timeout(10):
            return await self.asked.get()

    def wake(self) -> None:
        """His time has passed."""
        assert self._go is not None
        self._go.set_result(None)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    rules, playbooks = tmp_path / "rules", tmp_path / "playbooks"
    rules.mkdir()
    playbooks.mkdir()
    (rules / "a.yaml").write_text(HOOK)
    (playbooks / "b.yaml").write_text(BOOK)
    return rules, playbooks


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def catalog(folders: tuple[Path, Path], clock: HandClock) -> Catalog:
    return Catalog(*folders, PLUGINS, clock)


@asynccontextmanager
async def watching(catalog: Catalog) -> AsyncIterator["asyncio.Queue[Loaded]"]:
    """What `changes` yields, as it comes; ended at the end."""
    seen: asyncio.Queue[Loaded] = asyncio.Queue()

    async def follow() -> None:
        async for loaded in catalog.changes():
            seen.put_nowait(loaded)

    task = asyncio.create_task(follow())
    try:
        yield seen
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def next_of(seen: "asyncio.Queue[Loaded]") -> Loaded:
    async with asyncio.timeout(10):
        return await seen.get()


async def test_the_first_reading(catalog: Catalog, clock: HandClock) -> None:
    assert (catalog.bundle, catalog.since, catalog.faults, catalog.latest) == (None, None, (), None)
    loaded = await catalog.reload()

    assert loaded.bundle is catalog.bundle is not None
    assert catalog.since == clock.now()
    assert catalog.faults == ()
    assert set(loaded.files) == {"rules/a.yaml", "playbooks/b.yaml"}


async def test_the_last_good_bundle_stays(catalog: Catalog, clock: HandClock, folders: tuple[Path, Path]) -> None:
    """Promise 10: the last good bundle keeps serving."""
    await catalog.reload()
    good, since = catalog.bundle, catalog.since
    (folders[0] / "a.yaml").write_text("rulez: []\n")
    clock.moment += timedelta(minutes=1)
    loaded = await catalog.reload()

    assert loaded.bundle is None
    assert (catalog.bundle, catalog.since) == (good, since)
    assert catalog.faults[0].what == 'there is no endpoint "hook"'
    (folders[0] / "a.yaml").write_text(HOOK + "people: [{name: a}]\n")
    await catalog.reload()
    assert catalog.faults == ()
    assert catalog.bundle is not good
    assert catalog.since == clock.now()


async def test_reading_the_same_again_changes_nothing(catalog: Catalog, clock: HandClock) -> None:
    await catalog.reload()
    good, since = catalog.bundle, catalog.since
    clock.moment += timedelta(minutes=1)
    await catalog.reload()

    assert catalog.bundle is good
    assert catalog.since == since


async def test_a_changed_file_is_read_once_it_has_settled(
    catalog: Catalog, clock: HandClock, folders: tuple[Path, Path]
) -> None:
    await catalog.reload()
    async with watching(catalog) as seen:
        assert await clock.asleep() == EVERY
        (folders[0] / "c.yaml").write_text("people: [{name: al")
        clock.wake()
        assert await clock.asleep() == SETTLED
        (folders[0] / "c.yaml").write_text("people: [{name: alice}]\n")
        clock.wake()
        assert await clock.asleep() == SETTLED
        assert seen.empty()  # it had changed again, so it was not read
        clock.wake()
        loaded = await next_of(seen)
        assert await clock.asleep() == EVERY

    assert loaded.faults == ()
    assert loaded.bundle is catalog.bundle is not None
    assert set(catalog.bundle.people) == {"alice"}


async def test_nothing_is_read_while_nothing_changes(catalog: Catalog, clock: HandClock) -> None:
    await catalog.reload()
    before = catalog.latest
    async with watching(catalog) as seen:
        for _ in range(5):
            assert await clock.asleep() == EVERY
            clock.wake()
        assert await clock.asleep() == EVERY
        assert seen.empty()

    assert catalog.latest is before


async def test_a_file_that_was_only_touched_is_no_change(
    catalog: Catalog, clock: HandClock, folders: tuple[Path, Path]
) -> None:
    await catalog.reload()
    async with watching(catalog) as seen:
        await clock.asleep()
        os.utime(folders[0] / "a.yaml", ns=(1, 1))
        clock.wake()
        assert await clock.asleep() == SETTLED
        clock.wake()
        assert await clock.asleep() == EVERY
        assert seen.empty()


async def changed(clock: HandClock, seen: "asyncio.Queue[Loaded]") -> Loaded:
    """What comes of a change that was made while the watcher slept."""
    clock.wake()
    assert await clock.asleep() == SETTLED
    clock.wake()
    return await next_of(seen)


async def test_faults_come_and_go_while_the_bundle_stays(
    catalog: Catalog, clock: HandClock, folders: tuple[Path, Path]
) -> None:
    await catalog.reload()
    good = catalog.bundle
    async with watching(catalog) as seen:
        await clock.asleep()
        (folders[0] / "c.yaml").write_text("rulez: []\n")
        assert len((await changed(clock, seen)).faults) == 1
        assert catalog.bundle is good
        await clock.asleep()
        (folders[0] / "c.yaml").unlink()
        assert (await changed(clock, seen)).faults == ()
        assert catalog.bundle is good


async def test_whoever_asks_is_answered_at_once(catalog: Catalog, clock: HandClock) -> None:
    """SIGHUP: also when nothing has changed, so that the one who asked sees that he was heard."""
    await catalog.reload()
    async with watching(catalog) as seen:
        assert await clock.asleep() == EVERY
        catalog.ask()
        loaded = await next_of(seen)
        assert loaded.bundle is not None
        assert await clock.asleep() == EVERY
        assert seen.empty()


async def test_asking_before_anybody_listens_is_not_lost(catalog: Catalog) -> None:
    await catalog.reload()
    catalog.ask()
    async with watching(catalog) as seen:
        assert (await next_of(seen)).bundle is not None


async def test_a_folder_that_appears_later_is_found(tmp_path: Path, clock: HandClock) -> None:
    catalog = Catalog(tmp_path / "rules", tmp_path / "playbooks", PLUGINS, clock)
    loaded = await catalog.reload()
    assert [fault.what for fault in loaded.faults] == ["there is no such folder"] * 2
    async with watching(catalog) as seen:
        await clock.asleep()
        (tmp_path / "rules").mkdir()
        (tmp_path / "rules" / "a.yaml").write_text(HOOK)
        assert (await changed(clock, seen)).bundle is not None


async def test_it_ends_when_it_is_cancelled(catalog: Catalog, clock: HandClock) -> None:
    await catalog.reload()
    async with watching(catalog):
        await clock.asleep()
    waiting = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]

    assert waiting == []
