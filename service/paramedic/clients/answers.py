"""What an HTTP answer to a write means: done, not done, try again, or nobody knows.

Called by the plug-ins that send requests (action `http`, notifier `webhook`); the one place where statuses are judged.

The rule behind it: an answer that could come from something between us and the target, after the target already did
the work, proves nothing. Only a target that knows our key may then be asked again.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

from paramedic.core.text import one_line
from paramedic.errors import Permanent, Temporary, UnknownOutcome
from paramedic.plugin import Reply

__all__ = ["LARGEST_ANSWER", "LONGEST_WAIT", "excerpt", "raise_unless_done", "retry_after"]

LARGEST_ANSWER = 64 * 1024
"""Bytes of an answer's body that are read; the rest is evidence for nobody."""

LONGEST_WAIT = 60.0
"""Seconds that we wait at most because a server says so: a playbook's own patience is shorter than some servers'."""

_EXCERPT = 200


def excerpt(body: bytes) -> str:
    """The start of a body on one printable line, at most 200 characters."""
    return one_line(body[: 4 * _EXCERPT].decode("utf-8", "replace"), _EXCERPT)


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds that the server asks us to wait, at most 60; 1 where it does not say.

    A date is read against the server's own `Date`, so that no two clocks are compared.
    """
    said = headers.get("Retry-After", "").strip()
    if said.isascii() and said.isdigit():
        return min(float(said[:9]), LONGEST_WAIT)
    until, now = _moment(said), _moment(headers.get("Date", ""))
    if until is None or now is None:
        return 1.0
    return min(max(0.0, (until - now).total_seconds()), LONGEST_WAIT)


def raise_unless_done(reply: Reply, *, asked: str, expect: Collection[int], repeatable: bool) -> None:
    """Return if the answer says that it was done; else raise what it says instead.

    `asked` names the request for people; `expect` holds the statuses that mean done (empty: 200 to 299); `repeatable`:
    sending the same request again is harmless. Raises `Temporary`, `Permanent` or `UnknownOutcome`.
    """
    status = reply.status
    if status in expect or (not expect and 200 <= status <= 299):
        return
    said = excerpt(reply.body)
    text = f"{asked} answered {status}" + (f": {said}" if said else "")
    # 429 and 425 are given before any work; a 503 that names a time as well, one that does not may come from a proxy.
    if status in {425, 429} or (status == 503 and "Retry-After" in reply.headers):
        raise Temporary(text, delay=retry_after(reply.headers))
    if status == 408 or (status >= 500 and status not in {501, 505}):
        if repeatable:
            raise Temporary(text, delay=retry_after(reply.headers))
        raise UnknownOutcome(f"{text}; it may have been done all the same")
    if 300 <= status <= 399:
        text += "; redirects are not followed"
    raise Permanent(text)


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None  # "-0000" has no zone, and so no moment
