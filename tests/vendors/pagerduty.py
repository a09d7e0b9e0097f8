"""A stand-in for PagerDuty's Events API v2: it takes what the real one takes, and nothing beyond its limits.

It is stricter in one thing: a field that it does not know is refused. The same key while its alert is open pages nobody
again; after a resolve it pages anew.
"""

import json
from typing import Any

from aiohttp import web

from tests.vendors.vendor import Vendor

KEY = "0123456789abcdef0123456789abcdef"
"""A routing key that it knows."""

EVENT = {"routing_key", "event_action", "dedup_key"}
TRIGGER = EVENT | {"payload", "images", "links", "client", "client_url"}
PAYLOAD = {"summary", "source", "severity", "timestamp", "component", "group", "class", "custom_details"}
SEVERITIES = {"critical", "error", "warning", "info"}
LARGEST = 512_000


class PagerDuty(Vendor):
    """`open` are the alerts that are triggered or acknowledged, `paged` the keys of each page that somebody got."""

    def __init__(self, *keys: str) -> None:
        super().__init__()
        self.keys = set(keys or (KEY,))
        self.open: dict[str, str] = {}
        self.paged: list[str] = []
        self.events: list[dict[str, Any]] = []

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        if (request.method, request.path) != ("POST", "/v2/enqueue"):
            return web.Response(status=404)
        errors = faults(body, self.keys)
        if errors:
            told = {"status": "invalid event", "message": "Event object is invalid", "errors": errors}
            return web.json_response(told, status=400)
        event = json.loads(body)
        self.events.append(event)
        self._take(event)
        told = {"status": "success", "message": "Event processed", "dedup_key": event["dedup_key"]}
        return web.json_response(told, status=202)

    def _take(self, event: dict[str, Any]) -> None:
        key = event["dedup_key"]
        match event["event_action"]:
            case "trigger" if key not in self.open:
                self.open[key] = "triggered"
                self.paged.append(key)
            case "acknowledge" if key in self.open:
                self.open[key] = "acknowledged"
            case "resolve":
                self.open.pop(key, None)


def faults(body: bytes, keys: set[str]) -> list[str]:
    """What is wrong with an event, in the order in which PagerDuty would look."""
    if len(body) > LARGEST:
        return ["the event is larger than 512 kB"]
    event = json.loads(body)
    allowed = TRIGGER if event.get("event_action") == "trigger" else EVENT
    found = [f"unknown field {name}" for name in event.keys() - allowed]
    key = event.get("routing_key", "")
    if len(key) != 32:
        found.append(f"Length of 'routing_key' is incorrect (should be 32 characters): {key}")
    elif key not in keys:
        found.append(f"there is no service with the key {key}")
    if event.get("event_action") not in {"trigger", "acknowledge", "resolve"}:
        found.append("'event_action' is invalid")
    if not 0 < len(event.get("dedup_key", "")) <= 255:
        found.append("'dedup_key' has no length between 1 and 255")
    if event.get("event_action") == "trigger":
        found += _payload_faults(event.get("payload", {}))
        found += [
            f"unknown field links.{name}" for link in event.get("links", []) for name in link.keys() - {"href", "text"}
        ]
        found += [
            "a link has no href" for link in event.get("links", []) if not link.get("href", "").startswith("http")
        ]
    return found


def _payload_faults(payload: dict[str, Any]) -> list[str]:
    found = [f"unknown field payload.{name}" for name in payload.keys() - PAYLOAD]
    if not 0 < len(payload.get("summary", "")) <= 1024:
        found.append("'payload.summary' has no length between 1 and 1024")
    if not payload.get("source"):
        found.append("'payload.source' is missing or blank")
    if payload.get("severity") not in SEVERITIES:
        found.append("'payload.severity' is invalid")
    return found
