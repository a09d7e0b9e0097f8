"""Slack's Web API as the notifier uses it: post, edit, and look whether a message is there already.

Slack answers 200 also when it refuses (`"ok": false`); what each refusal means is judged here. A post has no key that
Slack would deduplicate by, so each message carries one in its metadata, and `find` looks for it.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from paramedic.clients.answers import LARGEST_ANSWER, excerpt, retry_after
from paramedic.core.bundle import Endpoint
from paramedic.core.text import one_line
from paramedic.errors import Missing, Permanent, Temporary, UnknownOutcome
from paramedic.plugin import Http, Reply

__all__ = ["TOKEN", "Slack"]

TOKEN = "SLACK_BOT_TOKEN"
"""The setting that holds the bot's token."""

_EVENT = "paramedic_message"
_WRITE = 8.0
_READ = 5.0
_PAGE = 15
_MOST_READS = 10
"""Requests that looking for one message may take. What lies behind them is taken as not there."""

_GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed", "thread_not_found"})
_PASSING = frozenset({"ratelimited", "rate_limited", "service_unavailable", "team_added_to_org", "request_timeout"})
_HALF_DONE = frozenset({"fatal_error", "internal_error"})
"""Slack says of these that the message may have been posted all the same."""

_NOT_ACCEPTED = f"Slack does not accept the token in {TOKEN}"
_WORDS: Mapping[str, str] = {
    "account_inactive": _NOT_ACCEPTED,
    "channel_not_found": "there is no such channel or user that the bot can see",
    "invalid_auth": _NOT_ACCEPTED,
    "is_archived": "the channel is archived",
    "missing_scope": "the bot lacks a permission",
    "msg_too_long": "the message is longer than Slack takes",
    "msg_blocks_too_long": "the message is longer than Slack takes",
    "not_authed": _NOT_ACCEPTED,
    "not_in_channel": "the bot is not in the channel: invite it",
    "restricted_action": "the workspace lets nobody but some post there",
    "token_expired": _NOT_ACCEPTED,
    "token_revoked": _NOT_ACCEPTED,
}


class _Metadata(msgspec.Struct):
    """What a message says of itself to programs."""

    event_type: str = ""
    event_payload: dict[str, Any] = {}


class _Message(msgspec.Struct):
    """A message of a channel or thread."""

    ts: str = ""
    metadata: _Metadata | None = None


class _More(msgspec.Struct):
    """Where a list goes on."""

    next_cursor: str = ""


class _Answer(msgspec.Struct):
    """An answer, as far as it matters here."""

    ok: bool
    error: str = ""
    needed: str = ""
    channel: str = ""
    ts: str = ""
    messages: list[_Message] = []
    has_more: bool = False
    response_metadata: _More | None = None


class Slack:
    """The API of one workspace behind the HTTP port. `url` is the address of the API, without a method."""

    def __init__(self, http: Http, url: str) -> None:
        self._http, self._endpoint = http, Endpoint("Slack", url, token=TOKEN)

    async def post(self, to: str, body: Mapping[str, Any], about: Mapping[str, str], thread: str = "") -> str:
        """Post into a channel, or to a user, perhaps into a thread; `about` is its metadata, with its `key`.

        Returns where it stands (`CHANNEL/TS`). Raises `Temporary`, `Permanent` or `UnknownOutcome`.
        """
        sent = {"channel": to, **body, **_about(about), "parse": "none", "unfurl_links": False, "unfurl_media": False}
        answer = await self._write("chat.postMessage", sent | ({"thread_ts": thread} if thread else {}))
        return f"{answer.channel or to}/{answer.ts}"

    async def edit(self, ref: str, body: Mapping[str, Any], about: Mapping[str, str]) -> None:
        """Put `body` in the place of what stands at `ref`. Raises as `post`, and `Missing` when it cannot be edited."""
        channel, _, ts = ref.partition("/")
        await self._write("chat.update", {"channel": channel, "ts": ts, **body, **_about(about), "parse": "none"})

    async def find(self, channel: str, key: str, since: float, thread: str = "") -> str:
        """The message with this key that was posted at `since` (s since 1970) or later: where it stands; "" if nowhere.

        Raises `Temporary` or `Permanent`.
        """
        method = "conversations.replies" if thread else "conversations.history"
        asked = {"channel": channel, "oldest": f"{since:.6f}", "include_all_metadata": "true"}
        if thread:
            asked["ts"] = thread
        cursor, size = "", _PAGE
        for _ in range(_MOST_READS):
            answer = await self._read(method, asked | {"limit": str(size), "cursor": cursor})
            if answer is None:  # more than is read of one answer: ask for fewer messages
                size = max(1, size // 2)
                continue
            for message in answer.messages:
                about = message.metadata
                if about is not None and about.event_type == _EVENT and about.event_payload.get("key") == key:
                    return f"{channel}/{message.ts}"
            cursor = answer.response_metadata.next_cursor if answer.response_metadata else ""
            if not cursor:
                break
        return ""

    async def test(self) -> None:
        """Ask whether the token is taken. Raises as `post`."""
        await self._write("auth.test", {})

    async def _write(self, method: str, body: Mapping[str, Any]) -> _Answer:
        headers = {"Content-Type": "application/json; charset=utf-8"}
        sent = msgspec.json.encode(body)
        reply = await self._http.request(
            self._endpoint, "POST", f"/{method}", headers=headers, body=sent, timeout=_WRITE
        )
        answer = _understood(reply)
        if answer is None:
            raise UnknownOutcome(f"Slack answered {reply.status}: {excerpt(reply.body)}; it may have been posted")
        _judge(answer, reply, method)
        return answer

    async def _read(self, method: str, query: Mapping[str, str]) -> _Answer | None:
        """The answer; None when it is longer than what is read of one."""
        path = f"/{method}?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items() if value)
        reply = await self._http.request(self._endpoint, "GET", path, timeout=_READ)
        answer = _understood(reply)
        if answer is None and len(reply.body) >= LARGEST_ANSWER and query["limit"] != "1":
            return None
        if answer is None:
            raise Temporary(f"Slack answered {reply.status}: {excerpt(reply.body)}", delay=retry_after(reply.headers))
        _judge(answer, reply, method)
        return answer


def _about(about: Mapping[str, str]) -> dict[str, Any]:
    return {"metadata": {"event_type": _EVENT, "event_payload": dict(about)}}


def _understood(reply: Reply) -> _Answer | None:
    """The answer, if it is one of Slack's. Raises what the status alone means."""
    if reply.status == 429:
        raise Temporary("Slack answered 429: too many messages", delay=retry_after(reply.headers))
    if 300 <= reply.status <= 499 and reply.status != 408:
        raise Permanent(f"Slack answered {reply.status}: {excerpt(reply.body)}")
    if reply.status != 200:
        return None
    try:
        return msgspec.json.decode(reply.body, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _judge(answer: _Answer, reply: Reply, method: str) -> None:
    """Return if it is done; else raise what Slack's word for why not means."""
    if answer.ok:
        return
    error = one_line(answer.error, 100)
    words = _WORDS.get(error, "Slack refuses")
    text = f"{words} ({error} from {method}" + (f", needs {one_line(answer.needed, 100)})" if answer.needed else ")")
    if error in _GONE:
        raise Missing(f"the message is not there to be edited or answered ({error})")
    if error in _PASSING:
        raise Temporary(text, delay=retry_after(reply.headers))
    if error in _HALF_DONE:
        raise UnknownOutcome(text)
    raise Permanent(text)
