"""The world of `lives`: the rehearsal's, and what is no endpoint of a catalog: PagerDuty, and a Slack
that keeps what was posted and can be looked at."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from paramedic.core.bundle import Endpoint
from paramedic.plugin import Reply
from paramedic.rehearse.scenery import Answer, EndpointWorld
from paramedic.rehearse.world import Request, SimulatedWorld
from tests.crash.lives import tell

__all__ = ["LivedWorld", "Post"]

Post = dict[str, Any]


class LivedWorld(SimulatedWorld):
    """`posts` is what stands in Slack, in order."""

    posts: list[Post]

    async def serve(self, endpoint: Endpoint, method: str, path: str, key: str, body: bytes, timeout: float) -> Reply:
        if endpoint.name not in ("PagerDuty", "Slack"):
            return await super().serve(endpoint, method, path, key, body, timeout)
        sent = json.loads(body or b"{}")
        key = key or sent.get("dedup_key", "")
        self.requests.append(Request(self._clock.monotonic(), endpoint.name, method, path, key, body, True))
        answer = self._slack(urlsplit(path), sent) if endpoint.name == "Slack" else {}
        await self._clock.sleep(0.02)
        status = 200 if endpoint.name == "Slack" else 202
        return Reply(status, {"Content-Type": "application/json"}, json.dumps({"ok": True, **answer}).encode())

    def _arrive(self, endpoint: Endpoint, spec: EndpointWorld, answer: Answer, request: Request) -> Reply:
        """What has arrived is done. Whoever asked for it may die before the answer: that is a point too."""
        reply = super()._arrive(endpoint, spec, answer, request)
        tell(f"world:{endpoint.name} {request.method}:arrived")
        return reply

    def _slack(self, asked: Any, sent: dict[str, Any]) -> dict[str, Any]:
        match asked.path:
            case "/chat.postMessage":
                self.posts.append({**sent, "ts": f"{len(self.posts) + 1}.0"})
                return {"channel": sent["channel"], "ts": self.posts[-1]["ts"]}
            case "/chat.update":
                (post,) = [one for one in self.posts if one["ts"] == sent["ts"]]
                post |= sent
                return {"channel": sent["channel"], "ts": sent["ts"]}
            case _:
                thread = parse_qs(asked.query).get("ts", [""])[0]
                return {"messages": [one for one in self.posts if one.get("thread_ts", "") == thread]}

    def messages(self) -> list[str]:
        """The keys of what stands there, in order; a page by Slack has its own."""
        return [one["metadata"]["event_payload"]["key"] for one in self.posts]
