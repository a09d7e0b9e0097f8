"""What the processes of `trials` reach: endpoints, a pager, PagerDuty and a Slack, in the test's own process.

Each trial has a room of its own, a path in front of all paths, so that one server serves all of them.
"""

import json
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from paramedic.clock import SystemClock
from tests.crash.came import Sent

__all__ = ["Outside", "Room", "outside"]


@dataclass
class Room:
    """What one trial has sent, and what stands in its Slack. `down` are the endpoints that answer 503."""

    requests: list[Sent] = field(default_factory=list)
    posts: list[dict[str, Any]] = field(default_factory=list)

    def told(self) -> list[str]:
        """The keys of what stands in Slack, in order."""
        return [one["metadata"]["event_payload"]["key"] for one in self.posts]


class Outside:
    """The server."""

    def __init__(self) -> None:
        self.url = ""
        self.rooms: dict[str, Room] = defaultdict(Room)
        self._clock = SystemClock()

    async def take(self, request: web.Request) -> web.StreamResponse:
        """One request, to whatever it is for."""
        room, where = self.rooms[request.match_info["room"]], request.match_info["where"]
        sent = json.loads(await request.read() or b"{}")
        key = request.headers.get("Idempotency-Key") or sent.get("dedup_key", "")
        path = request.path_qs.partition(f"/{where}")[2]
        did = not (where == "hook" and any(one.key == key for one in room.requests))
        room.requests.append(Sent(where, request.method, path, key, did))
        await self._clock.sleep(0.01)
        if where != "Slack":
            return web.json_response({"done": True}, status=202 if where == "PagerDuty" else 200)
        return web.json_response({"ok": True, **_slack(room, request, sent)})


def _slack(room: Room, request: web.Request, sent: dict[str, Any]) -> dict[str, Any]:
    method = request.path.rpartition("/")[2]
    if method == "chat.postMessage":
        room.posts.append({**sent, "ts": f"{len(room.posts) + 1}.0"})
        return {"channel": sent["channel"], "ts": room.posts[-1]["ts"]}
    if method == "chat.update":
        (post,) = [one for one in room.posts if one["ts"] == sent["ts"]]
        post |= sent
        return {"channel": sent["channel"], "ts": sent["ts"]}
    thread = request.query.get("ts", "")
    return {"messages": [one for one in room.posts if one.get("thread_ts", "") == thread]}


@asynccontextmanager
async def outside() -> AsyncIterator[Outside]:
    """The server, for the time of the block."""
    one = Outside()
    app = web.Application()
    app.router.add_route("*", r"/{room:\w+}/{where:\w+}{rest:.*}", one.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=256).start()
        host, port = runner.addresses[0][:2]
        one.url = f"http://{host}:{port}"
        yield one
    finally:
        await runner.cleanup()
