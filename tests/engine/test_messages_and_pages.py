"""A message and a page that are asked for at the same time: the page leaves first. Promise 7."""

import asyncio

from tests.engine.boards import Board, told
from tests.engine.stage import Stage


def test_a_message_does_not_overtake_a_page_that_is_still_being_committed() -> None:
    """The page is asked for when the message could leave: it is in no queue yet, and goes first all the same."""
    board = Board()

    async def story(stage: Stage) -> None:
        stage.store.latency = 0.3
        number = await stage.fire("api")
        acts: list[asyncio.Task[str]] = []

        def escalate(_: int) -> None:
            if not acts and any(row.lane == "message" for row in stage.batches[-1].effects):
                acts.append(stage.loop.create_task(stage.act(number, "escalate")))

        stage.store.on_commit = escalate
        await stage.pass_(20.0)
        assert await acts[0]
        asked = {row.n: (batch, row.lane) for batch, one in enumerate(stage.batches) for row in one.effects}
        left = {n: batch for batch, one in enumerate(stage.batches) for _, n, _ in one.intents}
        overtaken = [
            (message, page)
            for message, at in left.items()
            for page, (since, lane) in asked.items()
            if asked[message][1] == "message" and lane == "page" and since <= at < left[page]
        ]
        assert len(stage.world.pages()) == 2
        assert len(board.posted) >= 2
        assert not overtaken

    told(story, board)
