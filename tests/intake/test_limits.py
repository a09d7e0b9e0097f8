"""Too large, too slow, packed, cut off: each has its answer within the deadline, and memory stays within bounds."""

import asyncio
import gzip
import json
import time

import pytest

from paramedic.intake.webhook import Limits
from tests.intake.bodies import body, element
from tests.intake.serving import PATH, QUICK, Desk, Served, serving

MIB = 1024 * 1024
HEAD = f"POST {PATH} HTTP/1.1\r\nHost: x\r\n".encode()
SMALL = Limits(body=2000)


def padded(size: int) -> bytes:
    """A good body of exactly so many bytes."""
    sent = body(element(), pad="")
    return sent.replace(b'"pad": ""', b'"pad": "' + b"x" * (size - len(sent)) + b'"')


async def status_of(reader: asyncio.StreamReader) -> int:
    """The status of the answer on a raw connection."""
    line = await asyncio.wait_for(reader.readline(), 10)
    return int(line.split()[1])


async def chunked(served: Served, sent: bytes, size: int = 512) -> int:
    """POST in chunks, without a Content-Length; the status."""
    parts = [b"%x\r\n%s\r\n" % (len(part), part) for part in (sent[n : n + size] for n in range(0, len(sent), size))]
    reader, writer = await served.raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *parts, b"0\r\n\r\n")
    try:
        return await status_of(reader)
    finally:
        writer.close()


def test_the_defaults_are_those_that_were_promised() -> None:
    """8 MiB; 503 when a commit takes 2 s; never an answer after 5 s."""
    limits = Limits()

    assert limits.body == 8 * MIB
    assert limits.commit == 2.0
    assert limits.read + limits.commit < 5


class TestSize:
    async def test_eight_mebibytes_are_taken_and_one_byte_more_is_not(self) -> None:
        async with serving() as served:
            assert (await served.post(padded(8 * MIB))).status == 200
            refused = await served.post(padded(8 * MIB + 1))

            assert refused.status == 413
            assert json.loads(refused.body)["error"] == (
                "the body has more than 8388608 bytes; set max_alerts in Alertmanager, or group by more labels"
            )
            assert len(served.desk.deliveries) == 1
            assert served.counted("paramedic_deliveries_total", source="default", result="too_large") == 1

    async def test_a_length_that_is_too_large_is_refused_before_the_body_comes(self) -> None:
        async with serving() as served:
            reader, writer = await served.raw(HEAD + b"Content-Length: %d\r\n\r\n" % (8 * MIB + 1))

            assert await status_of(reader) == 413
            writer.close()

    async def test_the_same_bound_holds_for_a_body_in_chunks(self) -> None:
        async with serving(limits=SMALL) as served:
            assert await chunked(served, padded(2000)) == 200
            assert await chunked(served, padded(2001)) == 413
            assert await chunked(served, padded(5000), size=5000) == 413, "in a single chunk"

            assert [len(delivery.body) for delivery in served.desk.deliveries] == [2000]

    async def test_a_body_without_end_is_ended(self) -> None:
        """The answer comes when the bound is passed, not when the sender is done."""
        async with serving(limits=SMALL) as served:
            part = b"400\r\n" + b"x" * 1024 + b"\r\n"
            reader, writer = await served.raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", part, part)

            assert await status_of(reader) == 413
            writer.close()

    async def test_the_token_comes_before_the_size(self) -> None:
        async with serving(tokens=("t",)) as served:
            assert (await served.post(padded(8 * MIB + 1))).status == 401

    async def test_a_large_body_does_not_hold_up_the_others(self) -> None:
        async with serving(limits=Limits(large=100)) as served:
            replies = await asyncio.gather(*(served.post(padded(2 * MIB)) for _ in range(3)), served.post(body()))

            assert {reply.status for reply in replies} == {200}

    async def test_there_is_room_for_so_many_bytes_at_once(self) -> None:
        """Beyond it, 503: the sender comes again, and the process does not run out of memory."""
        desk = Desk(hangs=True)
        async with serving(desk, limits=Limits(room=3000)) as served, asyncio.TaskGroup() as group:
            first = group.create_task(served.post(padded(2000)))
            await asyncio.wait_for(desk.arrived.wait(), 5)
            assert (await served.post(padded(2000))).status == 503
            desk.free.set()
            assert (await first).status == 200

            assert (await served.post(padded(2000))).status == 200, "the room is given back"

    @pytest.mark.parametrize("fails", [ZeroDivisionError(), asyncio.CancelledError()])
    async def test_the_room_is_given_back_after_a_failure(self, fails: BaseException) -> None:
        desk = Desk(fails=fails)
        async with serving(desk, limits=Limits(room=3000)) as served:
            for _ in range(3):
                assert (await served.post(padded(2000))).status == 503
            desk.fails = None

            assert (await served.post(padded(2000))).status == 200


class TestTime:
    @pytest.mark.parametrize("head", [b"Content-Length: 500\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"])
    async def test_a_body_that_does_not_arrive_is_not_waited_for(self, head: bytes) -> None:
        async with serving(limits=QUICK) as served:
            began = time.monotonic()
            reader, writer = await served.raw(HEAD + head)

            assert await status_of(reader) == 503
            assert time.monotonic() - began < 5
            assert served.counted("paramedic_deliveries_total", source="default", result="unavailable") == 1
            writer.close()

    async def test_a_body_that_trickles_is_cut_off(self) -> None:
        """Each byte comes in time, the whole does not: the deadline is the whole's."""
        async with serving(limits=QUICK) as served:
            reader, writer = await served.raw(HEAD + b"Content-Length: 500\r\n\r\n")
            answer = asyncio.ensure_future(status_of(reader))
            while not answer.done():
                writer.write(b" ")
                await asyncio.sleep(0.02)

            assert await answer == 503
            writer.close()

    async def test_a_commit_that_hangs_is_not_waited_for(self) -> None:
        desk = Desk(hangs=True)
        async with serving(desk, limits=QUICK) as served:
            began = time.monotonic()
            reply = await served.post(body(element()))

            assert reply.status == 503
            assert QUICK.commit <= time.monotonic() - began < 5

    async def test_a_slow_body_does_not_use_up_the_time_for_the_commit(self) -> None:
        """The clock for the commit starts when the body is there."""
        desk = Desk(hangs=True)
        async with serving(desk, limits=Limits(read=0.5, commit=4.0)) as served:
            sent = body(element())
            reader, writer = await served.raw(HEAD + b"Content-Length: %d\r\n\r\n" % len(sent), sent)
            await asyncio.wait_for(desk.arrived.wait(), 5)
            since = time.monotonic()
            while time.monotonic() - since < 0.6:
                await asyncio.sleep(0.02)
            desk.free.set()

            assert await status_of(reader) == 200
            writer.close()

    async def test_a_sender_that_leaves_takes_nothing_with_it(self) -> None:
        async with serving() as served:
            _, writer = await served.raw(HEAD + b"Content-Length: 500\r\n\r\n{")
            writer.transport.abort()

            assert (await served.post(body())).status == 200
            assert len(served.desk.deliveries) == 1


class TestEncoding:
    @pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "GZIP", "identity, gzip", "nonsense"])
    async def test_packed_bodies_are_refused_before_they_are_unpacked(self, encoding: str) -> None:
        async with serving() as served:
            reply = await served.post(body(element()), Content_Encoding=encoding)

            assert reply.status == 415
            said = f"Content-Encoding '{encoding}' is not taken; send the body as it is"
            assert json.loads(reply.body) == {"error": said}

    async def test_a_bomb_does_not_go_off(self) -> None:
        """64 MiB of nothing in 64 KiB: refused by its header."""
        async with serving() as served:
            began = time.monotonic()
            reply = await served.post(gzip.compress(b"0" * 64 * MIB), Content_Encoding="gzip")

            assert reply.status == 415
            assert time.monotonic() - began < 5
            assert not served.desk.bodies

    @pytest.mark.parametrize("encoding", ["identity", "Identity", ""])
    async def test_identity_is_no_encoding(self, encoding: str) -> None:
        async with serving() as served:
            assert (await served.post(body(element()), Content_Encoding=encoding)).status == 200


class TestBrokenRequests:
    @pytest.mark.parametrize(
        "head",
        [
            b"Content-Length: -1\r\n\r\n",
            b"Content-Length: many\r\n\r\n",
            b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
            b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
            b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"Expect: the-unexpected\r\nContent-Length: 2\r\n\r\n{}",
            b"X: " + b"x" * 100_000 + b"\r\n\r\n",
            b"Bad\x00Header: 1\r\n\r\n",
            b"\r\n",
        ],
    )
    async def test_what_is_hardly_http_is_answered_below_500_or_503(self, head: bytes) -> None:
        async with serving(limits=QUICK) as served:
            reader, writer = await served.raw(HEAD + head)
            status = await status_of(reader)

            assert 400 <= status <= 499 or status == 503
            assert not served.desk.deliveries
            writer.close()
