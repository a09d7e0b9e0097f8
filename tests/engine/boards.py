"""A notifier whose messages a test can hold back, fail and read, and stories told with it."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from paramedic.core.bundle import Endpoint
from paramedic.engine.shell import Options
from paramedic.errors import UnknownOutcome
from paramedic.plugin import MessageText, Notifier, PageText, Params, Plugins, Tools
from tests.engine.stage import play
from tests.engine.texts import catalog, plugins

PLAN = """\
communication:
  - name: outage
    tell:
      - {audience: engineering, by: board, to: C01}
"""


class Board(Notifier):
    """Where messages hang, for all processes: it looks before it posts in doubt, as Slack's notifier does."""

    name = "board"
    example = "board: {}"
    Params = Params
    messages = True
    writes = frozenset({"http"})

    def __init__(self) -> None:
        self.posted: list[MessageText] = []
        self.hanging: dict[str, MessageText] = {}
        self.answers: list[Exception] = []
        self.lost = self.unset = False
        self.open = asyncio.Event()
        self.open.set()

    async def send(self, page: PageText, endpoints: Mapping[str, Endpoint], tools: Tools) -> str:
        raise AssertionError("nobody is paged by it")

    async def post(self, message: MessageText, endpoints: Mapping[str, Endpoint], tools: Tools) -> str:
        self.posted.append(message)
        await self.open.wait()
        if self.unset:
            return "dry: nothing is set"
        if self.answers:
            raise self.answers.pop(0)
        if not message.ref and message.part == "root" and message.key in self.hanging:
            assert message.doubtful, "it posts twice"
        self.hanging[message.key] = message
        if self.lost:
            self.lost = False
            raise UnknownOutcome("the answer never came")
        return message.ref or f"C01/{message.key}"


def with_board(board: Board) -> Plugins:
    known = plugins()
    return replace(known, notifiers={**known.notifiers, "board": board})


def told(story: Any, board: Board, *, options: Options | None = None, **about: Any) -> Any:
    """Play a story in which engineering is told by the board."""
    text = catalog(rule="communication: outage", **about).replace("rules:\n", f"{PLAN}rules:\n")
    return play(story, text, used=with_board(board), options=options)


def parts(board: Board) -> list[str]:
    return [message.part for message in board.posted]


# -- behind the pages -------------------------------------------------------------------------------------------------
