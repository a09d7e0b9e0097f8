"""A stand-in for Slack's Web API: channels with messages, threads and metadata, and the limits of the real one.

It is stricter in one thing: a field that it does not know is refused. Errors come as Slack's do: 200 and `"ok": false`.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.vendors.vendor import Vendor

TOKEN = "xoxb-not-a-real-one"
CHANNEL = "C0123456789"

POST = {
    "channel", "text", "blocks", "attachments", "metadata", "thread_ts", "reply_broadcast", "parse", "link_names",
    "mrkdwn", "unfurl_links", "unfurl_media",
}  # fmt: skip
UPDATE = {"channel", "ts", "text", "blocks", "attachments", "metadata", "parse", "link_names"}
READ = {"channel", "ts", "oldest", "latest", "limit", "cursor", "inclusive", "include_all_metadata"}
BLOCKS = {"header": {"text"}, "section": {"text", "fields"}, "context": {"elements"}}
LONGEST_TEXT = {"header": 150, "section": 3000, "context": 3000}


class Refused(Exception):
    """What `"ok": false` says."""


@dataclass
class Channel:
    """A channel and what stands in it, oldest first."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    archived: bool = False
    member: bool = True


class Slack(Vendor):
    """`scopes` are the bot's; `error` refuses the next requests with these words."""

    def __init__(self) -> None:
        super().__init__()
        self.channels = {CHANNEL: Channel()}
        self.scopes = {"chat:write", "channels:history"}
        self.errors: list[str] = []
        self.padding = ""
        self.posted = 0

    def roots(self, channel: str = CHANNEL) -> list[dict[str, Any]]:
        """The messages of a channel that stand in no thread."""
        return [one for one in self.channels[channel].messages if "thread_ts" not in one]

    def thread(self, channel: str = CHANNEL) -> list[str]:
        """What stands in threads, as plain lines."""
        return [shown(one) for one in self.channels[channel].messages if "thread_ts" in one]

    async def answer(self, request: web.Request) -> web.Response:
        method = request.path.removeprefix("/api/")
        sent = json.loads(await request.read()) if request.method == "POST" else dict(request.query)
        self.requests.append((method, sent))
        try:
            if request.headers.get("Authorization") != f"Bearer {TOKEN}":
                raise Refused("invalid_auth")
            if self.errors:
                raise Refused(self.errors.pop(0))
            told = self._method(method, request.method)(sent)
        except Refused as refused:
            return web.json_response({"ok": False, "error": str(refused), "needed": self._needed(str(refused))})
        return web.json_response({"ok": True, "padding": self.padding, **told})

    @staticmethod
    def _needed(error: str) -> str:
        return "channels:history" if error == "missing_scope" else ""

    def _method(self, name: str, verb: str) -> Any:
        methods = {
            ("chat.postMessage", "POST"): self._post,
            ("chat.update", "POST"): self._update,
            ("conversations.history", "GET"): self._history,
            ("conversations.replies", "GET"): self._history,
        }
        if (name, verb) not in methods:
            raise Refused("unknown_method")
        return methods[name, verb]

    def _channel(self, sent: Mapping[str, Any]) -> Channel:
        to = sent["channel"]
        if to.startswith("U"):
            return self.channels.setdefault(f"D{to[1:]}", Channel())
        channel = self.channels.get(to)
        if channel is None:
            raise Refused("channel_not_found")
        if channel.archived:
            raise Refused("is_archived")
        if not channel.member:
            raise Refused("not_in_channel")
        return channel

    def _post(self, sent: dict[str, Any]) -> dict[str, Any]:
        check_message(sent, POST)
        channel = self._channel(sent)
        self.posted += 1
        ts = f"{time.time() + self.posted / 1000:.6f}"
        if "thread_ts" in sent and not any(one["ts"] == sent["thread_ts"] for one in channel.messages):
            raise Refused("thread_not_found")
        channel.messages.append({**sent, "ts": ts})
        name = next(name for name, one in self.channels.items() if one is channel)
        return {"channel": name, "ts": ts, "message": {"text": sent["text"]}}

    def _update(self, sent: dict[str, Any]) -> dict[str, Any]:
        check_message(sent, UPDATE)
        for message in self._channel(sent).messages:
            if message["ts"] == sent["ts"]:
                message.update(sent)
                return {"channel": sent["channel"], "ts": sent["ts"], "text": sent["text"]}
        raise Refused("message_not_found")

    def _history(self, sent: dict[str, str]) -> dict[str, Any]:
        """A page of a channel or a thread, newest first; metadata only where it is asked for."""
        if unknown := sent.keys() - READ:
            raise Refused(f"invalid_arguments {sorted(unknown)}")
        if "channels:history" not in self.scopes:
            raise Refused("missing_scope")
        messages = [
            one
            for one in reversed(self._channel(sent).messages)
            if one.get("thread_ts", "") == sent.get("ts", "") and float(one["ts"]) >= float(sent.get("oldest", "0"))
        ]
        start, limit = int(sent.get("cursor", "0=").rstrip("=")), int(sent.get("limit", "100"))
        page = [dict(one) for one in messages[start : start + limit]]
        if sent.get("include_all_metadata") != "true":
            for one in page:
                one.pop("metadata", None)
        more = start + limit < len(messages)
        cursor = {"response_metadata": {"next_cursor": f"{start + limit}="}} if more else {}
        return {"messages": page, "has_more": more, **cursor}


def check_message(sent: Mapping[str, Any], allowed: set[str]) -> None:
    """Refuse what Slack would refuse."""
    if unknown := sent.keys() - allowed:
        raise Refused(f"invalid_arguments {sorted(unknown)}")
    blocks = sent.get("blocks", [])
    if not sent.get("text") and not blocks:
        raise Refused("no_text")
    if len(sent.get("text", "")) > 40_000:
        raise Refused("msg_too_long")
    if len(blocks) > 50:
        raise Refused("invalid_blocks")
    for block in blocks:
        check_block(block)
    if sum(len(text["text"]) for block in blocks for text in texts_of(block)) > 13_000:
        raise Refused("msg_blocks_too_long")
    metadata = sent.get("metadata", {})
    if metadata.keys() - {"event_type", "event_payload"} or (metadata and not metadata.get("event_type")):
        raise Refused("invalid_metadata_format")


def check_block(block: Mapping[str, Any]) -> None:
    kind = block.get("type", "")
    if kind not in BLOCKS or block.keys() - BLOCKS[kind] - {"type", "block_id"}:
        raise Refused("invalid_blocks")
    texts = texts_of(block)
    if not texts or len(texts) > 10:
        raise Refused("invalid_blocks")
    for text in texts:
        plain = text.get("type") == "plain_text"
        if text.keys() - {"type", "text", "emoji" if plain else "verbatim"} or (kind == "header" and not plain):
            raise Refused("invalid_blocks")
        if not 0 < len(text["text"]) <= LONGEST_TEXT[kind]:
            raise Refused("invalid_blocks")


def texts_of(block: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The texts of a block."""
    return block["elements"] if block["type"] == "context" else [block["text"]]


def shown(message: Mapping[str, Any]) -> str:
    """What people read of a message: the texts of its blocks, one a line, with Slack's entities undone."""
    texts = [text["text"] for block in message["blocks"] for text in texts_of(block)]
    return "\n".join(texts).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
