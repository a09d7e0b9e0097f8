"""Live pages are told of every change, share what they are told, and can neither hold up the engine nor each other."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from paramedic.console import live as under_test
from paramedic.console.live import Live, Watch
from paramedic.errors import Temporary
from paramedic.store.connect import Connection
from tests.console.seed import an_incident, write
from tests.console.serving import Serving, serving


class TestBroadcaster:
    """Numbers of incidents from one end to the other."""

    async def test_a_change_is_told_to_whoever_looks(self) -> None:
        live = Live()
        with live.watch() as everything, live.watch(7) as seven, live.watch(8) as eight:
            live.publish([7, 9])

            assert await everything.next(5) == [7, 9]
            assert await seven.next(5) == [7]
            assert await eight.next(0.001) == []

    async def test_nobody_looks_and_nothing_is_kept(self) -> None:
        live = Live()
        live.publish(range(1000))

        with live.watch() as watch:
            assert await watch.next(0.001) == []

    async def test_what_happens_while_a_reader_is_busy_is_told_at_once(self) -> None:
        live = Live()
        with live.watch() as watch:
            for number in (3, 1, 3, 2):
                live.publish([number])

            assert await watch.next(5) == [1, 2, 3]
            assert await watch.next(0.001) == []

    async def test_a_waiting_reader_wakes(self) -> None:
        live = Live()
        with live.watch(7) as watch:
            waiting = asyncio.create_task(watch.next(10))
            await asyncio.sleep(0)
            live.publish([7])

            assert await waiting == [7]

    async def test_what_is_remembered_for_a_reader_is_bounded(self) -> None:
        watch = Watch(None)
        for start in range(0, 100_000, 1000):
            watch.note(range(start, start + 1000))

        assert len(await watch.next(5)) == under_test.NUMBERS + 1

    async def test_readers_are_bounded_and_leave_room_when_they_go(self) -> None:
        live = Live(most=2)
        with live.watch(), live.watch():
            assert live.watching == 2
            with pytest.raises(Temporary, match="2 pages are live already; this one works without"):
                live.watch().__enter__()
        with live.watch():
            assert live.watching == 1

    async def test_the_end_wakes_everybody_and_lets_nobody_in(self) -> None:
        live = Live()
        with live.watch() as watch:
            waiting = asyncio.create_task(watch.next(10))
            await asyncio.sleep(0)
            live.close()

            assert await waiting == []
            assert watch.over()
            with pytest.raises(Temporary):
                live.watch().__enter__()

    async def test_publishing_neither_waits_nor_fails(self) -> None:
        live = Live()
        with live.watch() as watch:
            live.close()
            live.publish([1])

            assert watch.over()


Stream = aiohttp.StreamReader


@asynccontextmanager
async def events(console: Serving, path: str) -> AsyncIterator[Stream]:
    """The stream at `path`, after its greeting."""
    async with console.http.get(console.url + path) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/event-stream"
        assert await block(answer.content) == "retry: 3000"
        yield answer.content


async def block(stream: Stream) -> str:
    """The next event or comment; "" at the end of the stream."""
    lines: list[str] = []
    async with asyncio.timeout(10):
        while line := (await stream.readline()).decode():
            if line == "\n":
                break
            lines.append(line.rstrip("\n"))
    return "\n".join(lines)


async def named(stream: Stream) -> list[str]:
    """The incidents that the next event names."""
    kind, data = (await block(stream)).split("\n")
    assert kind == "event: changed"
    incidents: list[str] = json.loads(data.removeprefix("data: "))["incidents"]
    return incidents


async def test_a_page_is_told_what_changed(console: Serving, seeding: Connection) -> None:
    await write(seeding, an_incident(7))
    async with events(console, "/events") as everything, events(console, "/incidents/INC-7/events") as seven:
        console.live.publish([8])
        assert await named(everything) == ["INC-8"]
        console.live.publish([7, 9])
        assert await named(everything) == ["INC-7", "INC-9"]
        assert await named(seven) == ["INC-7"]


async def test_a_storm_is_one_event_without_names(bare: Serving) -> None:
    async with events(bare, "/events") as stream:
        bare.live.publish(range(1000))

        assert await named(stream) == []


async def test_silence_is_filled_so_that_both_ends_know(bare: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_test, "HEARTBEAT", 0.01)
    async with events(bare, "/events") as stream:
        assert await block(stream) == ": still here"
        bare.live.publish([1])
        heard = [await block(stream) for _ in range(3)]

    assert any(each.startswith("event: changed") for each in heard)


async def test_a_stream_of_an_incident_that_does_not_exist(bare: Serving) -> None:
    assert await bare.status("/incidents/99/events") == 404
    assert await bare.status("/incidents/x/events") == 400
    assert bare.live.watching == 0


async def until_watching(console: Serving, count: int) -> None:
    async with asyncio.timeout(10):
        while console.live.watching != count:
            await asyncio.sleep(0.005)


async def test_a_reader_that_goes_is_forgotten(bare: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_test, "HEARTBEAT", 0.01)
    async with events(bare, "/events"):
        await until_watching(bare, 1)

    await until_watching(bare, 0)


async def test_a_reader_that_does_not_read_is_dropped(bare: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody reads must not pile up: the page connects again when it can, and fetches what it missed."""
    monkeypatch.setattr(under_test, "PATIENCE", 0.05)
    monkeypatch.setattr(under_test, "NUMBERS", 20_000)
    lazy = socket.create_connection(("127.0.0.1", int(bare.url.rpartition(":")[2])))
    lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
    lazy.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await until_watching(bare, 1)

    async with asyncio.timeout(20):
        while bare.live.watching:
            bare.live.publish(range(10_000, 30_000))
            await asyncio.sleep(0.005)
    lazy.close()


async def test_one_page_too_many_works_without(database: str, tmp_path: Path) -> None:
    async with serving(database, tmp_path, most_live=1) as console, events(console, "/events"):
        await until_watching(console, 1)

        assert await console.status("/events") == 503
        await console.page("/")


async def test_streams_end_when_the_service_does(database: str, tmp_path: Path) -> None:
    async with serving(database, tmp_path) as console:
        async with events(console, "/events") as stream:
            console.live.close()

            assert await block(stream) == ""
        assert await console.status("/events") == 503
