"""A Slack workspace, a process that knows it, and messages to send: for the tests of the notifier."""

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from paramedic.clients.http import HttpClient
from paramedic.notifiers.slack import SlackNotifier
from paramedic.plugin import MessageText, Tools
from tests.vendors.slack import CHANNEL, TOKEN, Slack
from tests.vendors.vendor import serving

NOTIFIER = SlackNotifier()
SINCE = datetime.fromtimestamp(1_700_000_000, UTC)
LINES = (
    "P1 · HighErrorRate shop/api · responding",
    "Being done: roll back deployment/api.shop: image api:42 → api:41",
    "Acknowledged by nobody yet · next update 02:29 UTC",
)
KEY = "INC-12/engineering"
LINK = "https://paramedic.example.org/incidents/INC-12"


def root(ref: str = "", lines: tuple[str, ...] = LINES, **changes: Any) -> MessageText:
    """The root message."""
    about: dict[str, Any] = {"doubtful": False, "link": LINK, "to": CHANNEL, **changes}
    return MessageText(
        part="root", key=KEY, incident="INC-12", audience="engineering", lines=lines, since=SINCE, ref=ref, **about
    )


def detail(ref: str, *lines: str, part: int = 1, **changes: Any) -> MessageText:
    """A message of its thread."""
    return MessageText(
        part="detail",
        key=f"{KEY}/{part}",
        incident="INC-12",
        audience="engineering",
        to=CHANNEL,
        lines=lines,
        since=SINCE,
        ref=ref,
        **changes,
    )


@contextlib.asynccontextmanager
async def workspace(tls: Path | None = None, **more: str) -> AsyncIterator[tuple[Slack, Tools]]:
    """The workspace, and the ports of a process that knows it."""
    slack = Slack()
    async with serving(slack, tls):
        known = {"SLACK_API_URL": f"{slack.url}/api", "SLACK_BOT_TOKEN": TOKEN, **more}
        async with HttpClient(known.__getitem__) as client:
            yield slack, Tools(http=client, setting=lambda name: known.get(name, ""))
