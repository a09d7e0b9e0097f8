"""A stand-in for an API server on loopback, for what the client does with its answers; and kubeconfigs."""

import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from paramedic.clients.kube.client import KubeClient
from paramedic.clients.kube.opening import open_clusters
from paramedic.clock import Clock, SystemClock
from paramedic.cluster.resources import DEPLOYMENTS, PODS, Place
from paramedic.settings import ClusterSetting

API = Place("main", DEPLOYMENTS, "shop", "api")
POD = Place("main", PODS, "shop", "api-1")


@dataclass
class Asked:
    """A request as it arrived."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any


Answering = Callable[[Asked], web.StreamResponse | Awaitable[web.StreamResponse]]


@dataclass
class ApiServer:
    """What came in, and what is answered."""

    answer: Answering
    url: str = ""
    asked: list[Asked] = field(default_factory=list)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        asked = Asked(request.method, request.raw_path, request.query, request.headers, json.loads(body or b"null"))
        self.asked.append(asked)
        answer = self.answer(asked)
        return answer if isinstance(answer, web.StreamResponse) else await answer


def status(code: int, message: str = "", reason: str = "", **details: Any) -> web.Response:
    """An answer that says no, as the API server writes it."""
    body = {"kind": "Status", "status": "Failure", "message": message, "reason": reason, "details": details}
    return web.json_response(body, status=code)


def taking(*tokens: str) -> Callable[[Asked], web.Response]:
    """Answers only who shows one of these tokens."""

    def answer(asked: Asked) -> web.Response:
        shown = asked.headers.get("Authorization", "")
        known = shown in [f"Bearer {token}" for token in tokens]
        return web.json_response({"metadata": {}}) if known else status(401, "Unauthorized", "Unauthorized")

    return answer


def shown(server: ApiServer) -> list[str]:
    """The credentials of each request."""
    return [one.headers.get("Authorization", "") for one in server.asked]


@contextlib.asynccontextmanager
async def serving(answer: Answering, secure: ssl.SSLContext | None = None) -> AsyncIterator[ApiServer]:
    """A stand-in for the time of the block."""
    server = ApiServer(answer)
    app = web.Application(client_max_size=4 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", server.serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=secure).start()
        server.url = f"http{'s' if secure else ''}://127.0.0.1:{runner.addresses[0][1]}"
        yield server
    finally:
        await runner.cleanup()


def kubeconfig(
    folder: Path, server: str, user: Mapping[str, Any] | None = None, cluster: Mapping[str, Any] | None = None
) -> Path:
    """A kubeconfig for this server."""
    file = folder / "kubeconfig"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": server, **(cluster or {})}}],
        "users": [{"name": "u", "user": dict(user or {"token": "secret"})}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    file.write_text(json.dumps(config))
    return file


async def opened(
    file: Path | str, clock: Clock | None = None, environment: Mapping[str, str] | None = None
) -> KubeClient:
    """A client for the one cluster `main` of a kubeconfig."""
    setting = ClusterSetting("main", str(file), "KUBECONFIG")
    return await open_clusters([setting], environment or {}, clock or SystemClock())
