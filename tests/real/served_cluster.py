"""A simulated cluster behind HTTP, for tests with processes that need no whole control plane: one Deployment, `api`.

It compares and counts as a real API server does, which the cluster contract shows: one suite for both.
"""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from paramedic.clock import SystemClock
from paramedic.cluster.resources import DEPLOYMENTS, Place, Resource
from paramedic.errors import Changed, Missing, ParamedicError
from paramedic.rehearse.cluster.cluster import SimulatedCluster
from paramedic.rehearse.cluster.seeding import Objects, seeded
from paramedic.rehearse.cluster.spec import DeploymentWorld

__all__ = ["ServedCluster", "kubeconfig", "served_cluster"]

HOW: dict[str, Any] = {
    "application/json-patch+json": "json",
    "application/merge-patch+json": "merge",
    "application/strategic-merge-patch+json": "strategic",
}


def kubeconfig(file: Path, server: str) -> Path:
    """A kubeconfig of somebody who may do everything at `server`."""
    named = [
        {"name": "api", "cluster": {"server": server}},
        {"name": "api", "user": {"token": "t"}},
        {"name": "api", "context": {"cluster": "api", "user": "api"}},
    ]
    clusters, users, contexts = ([one] for one in named)
    whole = {"clusters": clusters, "users": users, "contexts": contexts, "current-context": "api"}
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "Config", **whole}))
    return file


class ServedCluster:
    """`writes` are the real writes that arrived, with what became of them."""

    def __init__(self, cluster: SimulatedCluster) -> None:
        self.url = ""
        self.writes: list[tuple[str, int]] = []
        self._cluster = cluster

    def deployment(self) -> dict[str, Any]:
        """The Deployment as it is now."""
        return self._cluster.site.server.get(DEPLOYMENTS, "shop", "api")

    async def serve(self, request: web.Request) -> web.Response:
        """One request of a client."""
        try:
            answer = await self._answer(request)
        except ParamedicError as error:
            answer = _status(error)
        if request.method != "GET" and "dryRun" not in request.query:
            self.writes.append((request.path, answer.status))
        return answer

    async def _answer(self, request: web.Request) -> web.Response:
        place, subresource = self._place(request.path)
        port = self._cluster.port
        if request.method == "PATCH":
            how = HOW[request.content_type]
            dry = "dryRun" in request.query
            return web.json_response(
                await port.patch(place, await request.json(), how, subresource=subresource, dry_run=dry)
            )
        if place.name:
            return web.json_response(await port.get(place, subresource=subresource))
        labels, fields = request.query.get("labelSelector", ""), request.query.get("fieldSelector", "")
        items: Sequence[Any] = await port.list(place, labels=labels, fields=fields)
        return web.json_response({"kind": "List", "apiVersion": "v1", "metadata": {}, "items": list(items)})

    def _place(self, path: str) -> tuple[Place, str]:
        parts = path.strip("/").split("/")
        api, rest = ("/".join(parts[1:3]), parts[3:]) if parts[0] == "apis" else (parts[1], parts[2:])
        namespace = ""
        if rest[0] == "namespaces" and len(rest) > 2:
            namespace, rest = rest[1], rest[2:]
        plural, name, subresource = [*rest, "", ""][:3]
        return Place("main", self._resource(api, plural), namespace, name), subresource

    def _resource(self, api: str, plural: str) -> Resource:
        for one in self._cluster.site.storage.resources():
            if (one.api, one.plural) == (api, plural):
                return one
        raise Missing(f"{plural} of {api}")


def _status(error: ParamedicError) -> web.Response:
    """As a real server says it."""
    code, reason = 422, "Invalid"
    if isinstance(error, Missing):
        code, reason = 404, "NotFound"
    elif isinstance(error, Changed):
        code, reason = 409, "Conflict"
    details = {"name": "api"} if code == 404 else {}
    status = {"kind": "Status", "apiVersion": "v1", "code": code, "reason": reason, "message": str(error)}
    return web.json_response({**status, "details": details}, status=code)


@asynccontextmanager
async def served_cluster() -> AsyncIterator[ServedCluster]:
    """A cluster that answers, with `deployment/api` in the namespace `shop`, three pods."""
    world = DeploymentWorld(name="api", namespace="shop", replicas=3, image="api:42")
    served = ServedCluster(seeded(Objects(deployments=[world]), SystemClock())["main"])
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", served.serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        served.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield served
    finally:
        await runner.cleanup()
