"""Health: `/healthz` (the process answers), `/readyz` (it can take deliveries), `/metrics`. `app` mounts the routes.

Liveness never asks the database: restarting a process does not bring a database back.
"""

from collections.abc import Callable

from aiohttp import web

from paramedic.core.bundle import Bundle
from paramedic.intake.delivery import Engine
from paramedic.telemetry import CONTENT_TYPE, Telemetry

__all__ = ["routes"]


def routes(engine: Engine, telemetry: Telemetry, bundle: Callable[[], Bundle | None]) -> list[web.RouteDef]:
    """The routes that probes and Prometheus ask."""

    async def healthz(_request: web.Request) -> web.Response:
        return web.json_response({"alive": True})

    async def readyz(_request: web.Request) -> web.Response:
        loaded = bundle()
        missing = []
        if not engine.live:
            missing.append("service: it starts or stops, or its database cannot be reached")
        if loaded is None:
            missing.append("catalog: no valid rules and playbooks were loaded yet; see `paramedic check`")
        if loaded is None or missing:
            return web.json_response({"ready": False, "missing": missing}, status=503, headers={"Retry-After": "1"})
        return web.json_response({"ready": True, "bundle": loaded.hash})

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(body=telemetry.expose(), headers={"Content-Type": CONTENT_TYPE})

    return [web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics)]
