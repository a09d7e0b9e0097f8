"""Notifier `slack`: one message an incident and audience, edited as things change, its details in its thread.

It also pages, by a direct message. Whatever comes out of alerts is plain text in Slack: nothing in it is a link, a
mention or formatting.
"""

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from paramedic.clients.slack import TOKEN, Slack
from paramedic.core.bundle import Endpoint
from paramedic.core.text import one_line
from paramedic.errors import Missing, Permanent, Temporary, UnknownOutcome
from paramedic.plugin import MessageText, Notifier, PageText, Params, Tools

__all__ = ["SlackNotifier"]

_log = logging.getLogger(__name__)

_URL = "https://slack.com/api"
_CHANNEL = re.compile(r"[CG][A-Z0-9]{2,30}")
_DRY = "dry"
_HEADER = 150
_SECTION = 3000
_SECTIONS = 4
"""Sections of one message at most: with what stands around them they stay below 13,000 characters in all."""

_FALLBACK = 500
_SKEW = timedelta(minutes=5)
"""What Slack's clock may be behind ours."""

_ENTITIES: Mapping[str, str] = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


class SlackParams(Params):
    """`slack` takes no parameters: the plan names the channel, the person's contact `slack` the user."""


class SlackNotifier(Notifier):
    """Posts an incident's root message into a channel, edits it, and answers in its thread; pages by direct message.

    `communication: [{name: outage, tell: [{audience: engineering, by: slack, to: C0123456789}]}]` names a channel by
    its id, and the bot must be in it. The token is `SLACK_BOT_TOKEN`, with the scopes `chat:write` and
    `channels:history`: after a crash the channel is read, so that nothing is posted twice. A person's contact `slack`
    is the id of a user. Without a token it is dry: nobody is reached, and the timeline says so.
    """

    name = "slack"
    example = "slack: {}"
    Params = SlackParams
    contact = "slack"
    messages = True
    reads = frozenset({"http"})
    writes = frozenset({"http"})

    def address_fault(self, to: str) -> tuple[str, str]:
        """A channel's id: its name can change, and Slack cannot be asked by it what was posted."""
        right = "write the channel's id, such as C0123456789; Slack shows it in the channel's details"
        if not to:
            return "slack needs a channel", f"add to:, and {right}"
        return ("", "") if _CHANNEL.fullmatch(to) else (f'"{one_line(to, 60)}" is not the id of a channel', right)

    async def send(self, page: PageText, endpoints: Mapping[str, Endpoint], tools: Tools) -> str:
        """Send a direct message; the receipt is where it stands. Raises `Temporary` or `Permanent`."""
        slack = _slack(tools)
        if slack is None:
            return f"{_DRY}: {TOKEN} is not set"
        lines = [f"{page.severity} · {page.title}", page.text, f"level {page.level}"]
        if page.verb != "trigger":
            lines = [f"{page.title}: {'resolved' if page.verb == 'resolve' else 'acknowledged'}", "", ""]
        about = {"incident": page.incident, "audience": page.to, "key": f"{page.dedup_key}/{page.verb}"}
        try:
            return await slack.post(page.contact, _root(lines, page.incident, page.link), about)
        except UnknownOutcome as error:  # two messages are better than none
            raise Temporary(str(error)) from error

    async def post(self, message: MessageText, endpoints: Mapping[str, Endpoint], tools: Tools) -> str:
        """Post it, edit it, or answer in its thread; returns where the root stands. Raises any of the four kinds."""
        slack = _slack(tools)
        if slack is None:
            return f"{_DRY}: {TOKEN} is not set"
        ref = "" if message.ref.startswith(_DRY) else message.ref
        about = {"incident": message.incident, "audience": message.audience, "key": message.key}
        since = (message.since - _SKEW).timestamp()
        if message.part == "root":
            return await _post_root(slack, message, ref, about, since)
        channel, _, ts = ref.partition("/")
        if not ref:
            return _DRY  # its root was never posted
        if message.doubtful and await _found(slack, channel, message.key, since, ts):
            return ref
        await slack.post(channel, _detail(message.lines), about, ts)
        return ref


async def _post_root(slack: Slack, message: MessageText, ref: str, about: Mapping[str, str], since: float) -> str:
    """Edit the root where it stands; post it where it stands nowhere, or somebody has deleted it."""
    body = _root(message.lines, message.incident, message.link)
    try:
        if ref:
            await slack.edit(ref, body, about)
            return ref
    except Missing:
        pass
    if message.doubtful and (found := await _found(slack, message.to, message.key, since)):
        await slack.edit(found, body, about)
        return found
    return await slack.post(message.to, body, about)


async def _found(slack: Slack, channel: str, key: str, since: float, thread: str = "") -> str:
    """Where an earlier try has posted it; "" if it has not, or the bot may not look: twice is better than never."""
    try:
        return await slack.find(channel, key, since, thread)
    except Permanent as error:
        _log.warning("what was posted cannot be looked for: %s", error)
        return ""


def _slack(tools: Tools) -> Slack | None:
    """The API, if there is a token for it."""
    return Slack(tools.http, tools.setting("SLACK_API_URL") or _URL) if tools.setting(TOKEN) else None


# -- as Slack takes it ------------------------------------------------------------------------------------------------


def _root(lines: Sequence[str], incident: str, link: str) -> dict[str, Any]:
    title, doing, foot = lines
    head = {"type": "header", "text": _plain(title)} if len(_escaped(title)) <= _HEADER else _section(title)
    named = {"type": "mrkdwn", "text": f"<{_address(link)}|{incident}>"} if link else _plain(incident)
    context = {"type": "context", "elements": [*([_plain(foot, 1000)] if foot else []), named]}
    blocks = [head, *([_section(doing)] if doing else []), context]
    return {"text": _escaped(" · ".join(part for part in (title, doing) if part), _FALLBACK), "blocks": blocks}


def _detail(lines: Sequence[str]) -> dict[str, Any]:
    blocks = [{"type": "section", "text": _text(part)} for part in _parts(lines)]
    return {"text": _escaped(one_line(lines[0]) if lines else "", _FALLBACK), "blocks": blocks}


def _parts(lines: Iterable[str]) -> list[str]:
    """The lines, escaped, in as few texts as hold them; what does not fit any more is only counted."""
    parts = [""]
    left_out = 0
    for line in lines:
        text = _escaped(line, 1000)
        if left_out or (len(parts) == _SECTIONS and len(parts[-1]) + len(text) > _SECTION - 60):
            left_out += 1
        elif len(parts[-1]) + 1 + len(text) > _SECTION - 60:
            parts.append(text)
        else:
            parts[-1] += f"\n{text}" if parts[-1] else text
    if left_out:
        parts[-1] += f"\n{left_out} more in the timeline"
    return parts


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _plain(text, _SECTION)}


def _plain(text: str, most: int = _HEADER) -> dict[str, Any]:
    return _text(_escaped(text, most))


def _text(escaped: str) -> dict[str, Any]:
    """Text in which Slack looks for neither formatting nor emoji."""
    return {"type": "plain_text", "text": escaped or "-", "emoji": False}


def _escaped(text: str, most: int = _SECTION) -> str:
    """The text on one line, with Slack's three control characters escaped, cut at `most` characters as it is sent."""
    clean = one_line(text, most)
    whole = "".join(_ENTITIES.get(char, char) for char in clean)
    if len(whole) <= most:
        return whole
    room = most - 1
    kept = []
    for char in clean:
        piece = _ENTITIES.get(char, char)
        room -= len(piece)
        if room < 0:
            break
        kept.append(piece)
    return "".join(kept) + "…"


def _address(link: str) -> str:
    return _escaped(link, _SECTION).replace("|", "%7C").replace(" ", "%20")
