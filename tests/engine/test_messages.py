"""Messages through the engine: behind the pages, in slots of their own, and after a crash nothing is said twice.

Promise 7: a page is attempted before any message.
"""

import asyncio
from typing import Any

import pytest

from paramedic.core.effects import Message
from paramedic.core.events import Messaged
from paramedic.engine.inputs import Result
from paramedic.engine.shell import Options
from paramedic.errors import Permanent, Temporary
from paramedic.plugin import Reply
from tests.engine.boards import Board, parts, told
from tests.engine.stage import Stage
from tests.engine.texts import element, plugins


def test_an_audience_is_told_after_the_page_and_until_it_is_over() -> None:
    board = Board()

    async def story(stage: Stage) -> None:
        number = await stage.fire("api")
        await stage.pass_(20.0)
        assert len(stage.world.pages()) == 1
        assert parts(board) == ["root", "detail"]
        assert board.posted[0].link == "https://paramedic.example/incidents/INC-1"
        await stage.resolve("api")
        await stage.pass_(20.0)
        assert parts(board) == ["root", "detail", "root", "detail"]
        assert board.hanging["INC-1/engineering"].lines[0].endswith("resolved")
        assert stage.incident(number).told["engineering"].ref == "C01/INC-1/engineering"
        assert stage.told(number, "message") == ["engineering is being told"]
        assert stage.report.of("messaged") == [("board", "sent")] * 4

    told(story, board, options=Options(jitter=float, signs=3600.0, public_url="https://paramedic.example"))


def test_a_message_does_not_leave_while_a_page_of_its_incident_waits() -> None:
    board = Board()
    pager = asyncio.Event()

    async def story(stage: Stage) -> None:
        async def answer(call: Any) -> Any:
            if call.endpoint == "pager":
                await pager.wait()
            return Reply(200, {}, b"")

        stage.world.answer = answer
        await stage.fire("first")  # its page keeps the only slot
        await stage.pass_(1.0)
        await stage.fire("second")
        await stage.pass_(8.0)
        assert {message.incident for message in board.posted} == {"INC-1"}
        assert len(stage.world.pages()) == 1
        pager.set()
        await stage.pass_(8.0)
        assert {message.incident for message in board.posted} == {"INC-1", "INC-2"}

    slots = {"read": 64, "write": 256, "page": 1, "message": 8}
    told(story, board, options=Options(jitter=float, signs=3600.0, slots=slots))


def test_messages_that_hang_hold_no_page_and_have_slots_of_their_own() -> None:
    board = Board()
    board.open.clear()

    async def story(stage: Stage) -> None:
        await asyncio.gather(*(stage.deliver(element(f"job-{n}")) for n in range(6)))
        await stage.pass_(10.0)
        assert len(stage.world.pages()) == 6
        assert len(board.posted) == 2
        waiting = [row for row in stage.disk.effects.values() if row.lane == "message"]
        assert sorted(row.intended for row in waiting) == [False] * 4 + [True] * 2
        board.open.set()
        await stage.pass_(10.0)
        assert len({message.incident for message in board.posted}) == 6

    slots = {"read": 64, "write": 256, "page": 16, "message": 2}
    told(story, board, options=Options(jitter=float, signs=3600.0, slots=slots))


# -- crashes ----------------------------------------------------------------------------------------------------------


def test_posted_and_never_recorded_it_is_found_again() -> None:
    """The process dies between the post and the commit of what it came to."""
    board = Board()
    board.open.clear()

    async def story(stage: Stage) -> None:
        number = await stage.fire("api")
        await stage.pass_(5.0)
        assert parts(board) == ["root"]
        stage.store.dead = True
        board.open.set()
        await stage.pass_(1.0)
        assert list(board.hanging) == ["INC-1/engineering"]
        assert stage.incident(number).told["engineering"].ref == ""
        await stage.restart()
        await stage.pass_(60.0)
        assert parts(board)[:2] == ["root", "root"]
        assert [message.doubtful for message in board.posted[:3]] == [False, True, False]
        assert stage.incident(number).told["engineering"].ref == "C01/INC-1/engineering"

    told(story, board)


def test_a_message_is_not_asked_again_while_its_call_may_still_be_under_way() -> None:
    board = Board()
    board.open.clear()

    async def story(stage: Stage) -> None:
        await stage.fire("api")
        await stage.pass_(5.0)
        board.open.set()
        await stage.restart()
        await stage.pass_(20.0)
        assert len(board.posted) == 1
        await stage.pass_(15.0)
        assert len(board.posted) > 1
        assert board.posted[1].doubtful

    told(story, board)


def test_what_had_not_left_is_not_in_doubt() -> None:
    board = Board()

    async def story(stage: Stage) -> None:
        await stage.fire("api")
        await stage.pass_(5.0)
        assert board.posted == []
        stage.options = Options(jitter=float, signs=3600.0)
        await stage.restart()
        await stage.pass_(5.0)
        assert [message.doubtful for message in board.posted][:1] == [False]

    slots = {"read": 64, "write": 256, "page": 16, "message": 0}
    told(story, board, options=Options(jitter=float, signs=3600.0, slots=slots))


def test_an_orderly_end_leaves_no_doubt() -> None:
    board = Board()
    board.open.clear()

    async def story(stage: Stage) -> None:
        number = await stage.fire("api")
        await stage.pass_(5.0)
        ending = asyncio.ensure_future(stage.stop())
        await stage.pass_(1.0)
        board.open.set()
        await ending
        assert stage.incident(number).told["engineering"].ref == "C01/INC-1/engineering"
        await stage.restart()
        await stage.pass_(60.0)
        assert not any(message.doubtful for message in board.posted)

    told(story, board)


# -- failures ---------------------------------------------------------------------------------------------------------


def test_an_answer_that_was_lost_is_looked_for() -> None:
    board = Board()
    board.lost = True

    async def story(stage: Stage) -> None:
        number = await stage.fire("api")
        await stage.pass_(30.0)
        assert parts(board) == ["root", "root", "detail"]
        assert [message.doubtful for message in board.posted] == [False, True, False]
        assert stage.told(number, "message") == ["engineering is being told"]
        assert stage.report.of("messaged") == [("board", "failed"), ("board", "sent"), ("board", "sent")]

    told(story, board)


def test_an_answer_that_never_comes_is_taken_as_lost() -> None:
    board = Board()
    board.open.clear()

    async def story(stage: Stage) -> None:
        await stage.fire("api")
        await stage.pass_(35.0)
        assert [message.doubtful for message in board.posted] == [False, True]

    told(story, board)


def test_a_notifier_that_says_when_is_asked_again_then() -> None:
    board = Board()
    board.answers = [Temporary("too many messages", delay=30.0)]

    async def story(stage: Stage) -> None:
        await stage.fire("api")
        await stage.pass_(30.0)
        assert len(board.posted) == 1
        await stage.pass_(5.0)
        assert len(board.posted) == 2

    told(story, board)


@pytest.mark.parametrize("error", [Permanent("the channel is archived"), ValueError("a defect")])
def test_a_message_that_fails_is_noted_and_pages_nobody(error: Exception) -> None:
    board = Board()
    board.answers = [error]

    async def story(stage: Stage) -> None:
        number = await stage.fire("api")
        await stage.pass_(60.0)
        assert len(stage.world.pages()) == 1
        (said,) = stage.told(number, "message")
        assert said.startswith("engineering could not be told: ")
        assert str(error) in said
        await stage.act(number, "ack")
        await stage.pass_(10.0)
        assert parts(board)[-2:] == ["root", "detail"]

    told(story, board)


def test_a_dry_notifier_is_counted_as_what_it_is() -> None:
    board = Board()
    board.unset = True

    async def story(stage: Stage) -> None:
        number = await stage.fire("api")
        await stage.pass_(20.0)
        assert stage.report.of("messaged") == [("board", "dry")] * 2
        assert stage.told(number, "message") == ["engineering: nobody is reached: nothing is set"]

    told(story, board)


def test_a_notifier_that_is_gone_is_a_failure_like_others() -> None:
    board = Board()

    async def story(stage: Stage) -> None:
        stage.engine._performer._notices._plugins = plugins()
        number = await stage.fire("api")
        await stage.pass_(10.0)
        assert stage.told(number, "message") == ['engineering could not be told: there is no notifier "board"']

    told(story, board)


def test_an_answer_that_comes_late_changes_nothing() -> None:
    board = Board()

    async def story(stage: Stage) -> None:
        number = await stage.fire("api")
        await stage.pass_(20.0)
        before = stage.incident(number)
        late = Messaged(stage.clock.now(), before.run.mode if before.run else stage.options.mode, 99, ref="C01/late")
        shell = stage.engine._shell
        assert shell is not None
        effect = Message(99, "engineering", "board", "C01", "root", "k", (), stage.clock.now())
        shell.inbox.put(Result(number, effect, late, (), 0.1))
        await stage.pass_(5.0)
        assert stage.incident(number).told == before.told

    told(story, board)
