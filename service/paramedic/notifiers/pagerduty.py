"""Notifier `pagerduty`: a page as an event of PagerDuty's Events API v2, under the key that the core gives it."""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from paramedic.clients.answers import excerpt, retry_after
from paramedic.core.bundle import Endpoint
from paramedic.core.text import one_line
from paramedic.core.words import Severity
from paramedic.errors import Permanent, Temporary, UnknownOutcome
from paramedic.plugin import Notifier, PageText, Params, Reply, Tools

__all__ = ["PagerDutyNotifier"]

_URL = "https://events.pagerduty.com"
_DEFAULT_KEY = "PAGERDUTY_ROUTING_KEY"
_SEVERITIES: Mapping[Severity, str] = {
    Severity.P0: "critical",
    Severity.P1: "critical",
    Severity.P2: "warning",
    Severity.P3: "info",
}
_SUMMARY = 1024
_KEY = 255
_EVENT = 512_000
_DETAILS_LEFT_OUT = "left out: PagerDuty takes 512,000 bytes at most"


class PagerDutyParams(Params):
    """`pagerduty` takes no parameters: the person's contact `pagerduty_key` names the setting with the routing key."""


class PagerDutyNotifier(Notifier):
    """Triggers, acknowledges and resolves alerts of a PagerDuty service through its Events API v2.

    `people: [{name: sre-primary, pagerduty_key: PAGERDUTY_SRE_KEY}]` names the setting that holds the service's routing
    key; with `notifier: pagerduty` and no `pagerduty_key` it is `PAGERDUTY_ROUTING_KEY`. P0 and P1 are `critical`, P2
    is `warning`, P3 is `info`. PagerDuty deduplicates by the page's key, so a page whose answer was lost is sent again.
    Without any routing key it is dry: nobody is reached, and the timeline says so.
    """

    name = "pagerduty"
    example = "pagerduty: {}"
    Params = PagerDutyParams
    contact = "pagerduty_key"
    needs_contact = False
    writes = frozenset({"http"})

    async def send(self, page: PageText, endpoints: Mapping[str, Endpoint], tools: Tools) -> str:
        """Send the event; the receipt is the status. Raises `Temporary` or `Permanent`, never with the key in it."""
        key = _routing_key(page, tools)
        if not key:
            return f"dry: {_DEFAULT_KEY} is not set"
        endpoint = Endpoint("PagerDuty", tools.setting("PAGERDUTY_EVENTS_URL") or _URL, idempotent=True)
        body = _encoded(_event(page, key))
        headers = {"Content-Type": "application/json"}
        # Shorter than what the lane grants, so that a missing answer is reported by who knows what it means.
        timeout = 0.9 * self.timeout
        try:
            reply = await tools.http.request(
                endpoint, "POST", "/v2/enqueue", headers=headers, body=body, timeout=timeout
            )
        except UnknownOutcome as error:
            raise Temporary(str(error)) from error
        _judge(reply, key)
        return str(reply.status)


def _routing_key(page: PageText, tools: Tools) -> str:
    """The routing key; "" where this process has none at all. A person's own key that is missing is a fault."""
    default = tools.setting(_DEFAULT_KEY)
    own = tools.setting(page.contact) if page.contact else default
    if default and not own:
        raise Permanent(f"the setting {one_line(page.contact, 100)} is not set, so {one_line(page.to, 100)} has no key")
    return own


def _event(page: PageText, key: str) -> dict[str, Any]:
    event: dict[str, Any] = {"routing_key": key, "event_action": page.verb, "dedup_key": _dedup_key(page.dedup_key)}
    if page.verb != "trigger":
        return event
    title = one_line(_clean(page.title), 200)
    event["client"] = "paramedic"
    event["payload"] = {
        "summary": one_line(_clean(page.text or page.title), _SUMMARY),
        "source": title or page.incident,
        "severity": _SEVERITIES[page.severity],
        "custom_details": {
            "incident": page.incident,
            "severity": str(page.severity),
            "title": _clean(page.title),
            "text": _clean(page.text),
            "level": page.level,
            "to": _clean(page.to),
        },
    }
    if page.link:
        event["client_url"] = _clean(page.link)
        event["links"] = [{"href": _clean(page.link), "text": f"{page.incident} in the console"}]
    return event


def _dedup_key(key: str) -> str:
    """The key as it is, or a digest of one that is longer than PagerDuty takes."""
    clean = _clean(key)
    return clean if len(clean) <= _KEY else hashlib.sha256(clean.encode()).hexdigest()


def _encoded(event: dict[str, Any]) -> bytes:
    """The event as JSON; the details give way where it is larger than PagerDuty takes."""
    body = msgspec.json.encode(event)
    if len(body) > _EVENT:
        payload = {**event["payload"], "custom_details": {"details": _DETAILS_LEFT_OUT}}
        body = msgspec.json.encode({**event, "payload": payload})
    return body


def _judge(reply: Reply, key: str) -> None:
    """Return if PagerDuty has queued the event; else raise what its answer means. An echo of the key is left out."""
    status = reply.status
    if status == 202:
        return
    said = excerpt(reply.body.replace(key.encode(), b"(the key)"))
    text = f"PagerDuty answered {status}" + (f": {said}" if said else "")
    if status in {408, 425, 429} or status >= 500:
        raise Temporary(text, delay=retry_after(reply.headers))
    raise Permanent(text)


def _clean(text: str) -> str:
    # A lone surrogate has no UTF-8 form, and a page is worth more than one character of it.
    return text.encode("utf-8", "replace").decode()
