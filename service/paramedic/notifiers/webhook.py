"""Notifier `webhook`: a page as a JSON body, to whatever turns it into a telephone call."""

from collections.abc import Mapping

import msgspec

from paramedic.clients.answers import raise_unless_done
from paramedic.clients.request import endpoint_of
from paramedic.core.bundle import Endpoint
from paramedic.errors import Temporary, UnknownOutcome
from paramedic.plugin import Notifier, PageText, Params, Tools

__all__ = ["WebhookNotifier"]


class WebhookParams(Params):
    """`webhook` takes no parameters: the endpoint is the person's contact `webhook`."""


class WebhookNotifier(Notifier):
    """Posts each page to the endpoint that the person's contact `webhook` names.

    `people: [{name: sre-primary, webhook: pager}]` sends the pages of `sre-primary` to the endpoint `pager`.

    The body is `{verb, dedup_key, incident, severity, level, title, text, to, link}`; the texts are plain and come
    from alerts, so the receiver escapes them. `Idempotency-Key` is the deduplication key with the verb: a page whose
    answer was lost is sent again under the same key, because two calls are better than none.
    """

    name = "webhook"
    example = "webhook: {}"
    Params = WebhookParams
    contact = "webhook"
    writes = frozenset({"http"})

    async def send(self, page: PageText, endpoints: Mapping[str, Endpoint], tools: Tools) -> str:
        """Post it; the receipt is the status. Raises `Temporary` or `Permanent`."""
        endpoint = endpoint_of(page.contact, endpoints)
        body = {
            "verb": page.verb,
            "dedup_key": page.dedup_key,
            "incident": page.incident,
            "severity": page.severity,
            "level": page.level,
            "title": _clean(page.title),
            "text": _clean(page.text),
            "to": _clean(page.to),
            "link": _clean(page.link),
        }
        # Shorter than what the lane grants, so that the answer that is missing is reported by who knows what it means.
        timeout = min(endpoint.timeout, 0.9 * self.timeout)
        headers = {"Idempotency-Key": f"{page.dedup_key}/{page.verb}", "Content-Type": "application/json"}
        try:
            reply = await tools.http.request(
                endpoint, "POST", "", headers=headers, body=msgspec.json.encode(body), timeout=timeout
            )
        except UnknownOutcome as error:
            raise Temporary(str(error)) from error
        raise_unless_done(reply, asked=f"page to {endpoint.name}", expect=(), repeatable=True)
        return str(reply.status)


def _clean(text: str) -> str:
    # A lone surrogate has no UTF-8 form, and a page is worth more than one character of it.
    return text.encode("utf-8", "replace").decode()
