"""The HTTP server with the settings that intake's promises need. `app` mounts all routes and runs what this makes."""

from aiohttp import web

__all__ = ["runner"]

GOODBYE = 5.0
"""Seconds that requests under way have to end at shutdown: none takes longer."""


def runner(app: web.Application, *, linger: float = 1.0) -> web.AppRunner:
    """A runner for the app. It unpacks no body before somebody has looked at its headers, and logs no line a request.

    For `linger` seconds the rest of a refused body is read, so that its sender sees the answer and no broken line.
    """
    return web.AppRunner(app, access_log=None, auto_decompress=False, lingering_time=linger, shutdown_timeout=GOODBYE)
