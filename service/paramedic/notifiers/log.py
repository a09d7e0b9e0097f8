"""Notifier `log`: the dry one. A page or a message becomes one line of the log, and reaches nobody."""

import logging
from collections.abc import Mapping

from paramedic.core.bundle import Endpoint
from paramedic.core.text import one_line
from paramedic.plugin import MessageText, Notifier, PageText, Params, Tools

__all__ = ["LogNotifier"]

_log = logging.getLogger(__name__)


class LogParams(Params):
    """`log` takes no parameters."""


class LogNotifier(Notifier):
    """Writes each page as one line at INFO: what, how bad, to whom, under which key, the title and the text. Messages
    to an audience are lines, too: to whom, under which key, what they say.

    It needs no contact, so it is what people have until they are given another notifier.
    """

    name = "log"
    example = "log: {}"
    Params = LogParams
    messages = True
    dry = True

    async def send(self, page: PageText, endpoints: Mapping[str, Endpoint], tools: Tools) -> str:
        """Write the line; the receipt is `dry`."""
        _log.info(
            "page %s %s level %d to %s (%s, key %s): %s; %s",
            page.verb,
            page.severity,
            page.level,
            one_line(page.to, 100),
            page.incident,
            one_line(page.dedup_key, 200),
            one_line(page.title, 200),
            one_line(page.text, 1000),
        )
        return "dry"

    async def post(self, message: MessageText, endpoints: Mapping[str, Endpoint], tools: Tools) -> str:
        """Write the line; the receipt is `dry`."""
        _log.info(
            "message to %s (%s, key %s): %s",
            one_line(message.audience, 100),
            message.incident,
            one_line(message.key, 200),
            one_line("; ".join(line for line in message.lines if line), 2000),
        )
        return "dry"
