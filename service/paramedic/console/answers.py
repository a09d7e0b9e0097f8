"""How the console answers: headers that keep a browser safe, errors as JSON, bodies read within bounds.

`api`, `acts` and `pages` write handlers that return or raise; `front` wraps each in `answering`.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from aiohttp import hdrs, web
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from paramedic.console.models import Problem
from paramedic.console.people import Denied
from paramedic.core.text import one_line
from paramedic.engine.inputs import Conflict, Forbidden, NotFound
from paramedic.errors import Fault, Permanent, Temporary

__all__ = ["SAFE", "Handler", "Refusal", "answering", "as_json", "checked", "read_body", "read_bytes", "refuse_json"]

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Refusal = Callable[[int, Problem], web.Response]
M = TypeVar("M", bound=BaseModel)

SAFE: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    hdrs.CACHE_CONTROL: "no-store",
}
"""On every answer. Nothing comes from anywhere else, nothing inline runs, nobody may frame or cache what is shown."""

LARGEST = 64 * 1024  # bytes of a body
PATIENCE = 10.0  # seconds a body may take


def answering(handler: Handler, refuse: Refusal) -> Handler:
    """`handler` with its errors turned into answers by `refuse`, and the safe headers on whatever it answers."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            response = await handler(request)
        except Denied as denied:
            response = refuse(denied.status, Problem(error=denied.error, right=denied.right))
        except (Fault, Temporary, Permanent) as error:
            response = _refused(error, refuse)
        if not response.prepared:
            for name, value in SAFE.items():
                response.headers.setdefault(name, value)
        return response

    return answer


def _refused(error: Fault | Temporary | Permanent, refuse: Refusal) -> web.Response:
    match error:
        case NotFound():
            return refuse(404, _problem(error))
        case Forbidden():
            return refuse(403, _problem(error))
        case Conflict():
            return refuse(409, _problem(error))
        case Fault():
            return refuse(400, _problem(error))
        case _:
            # A person's question is as good in a minute: whatever the database has, it is not the asker's mistake.
            delay = error.delay if isinstance(error, Temporary) else 5.0
            response = refuse(503, Problem(error=one_line(str(error)), right="ask again in a moment"))
            response.headers[hdrs.RETRY_AFTER] = str(max(1, math.ceil(delay)))
            return response


def _problem(fault: Fault) -> Problem:
    return Problem(error=one_line(f"{fault.where}: {fault.what}"), right=one_line(fault.right))


def as_json(model: BaseModel, status: int = 200) -> web.Response:
    """A model as a JSON answer."""
    return web.Response(text=model.model_dump_json(), status=status, content_type="application/json")


def refuse_json(status: int, problem: Problem) -> web.Response:
    """A problem as a JSON answer."""
    response = as_json(problem, status)
    if status == 401:
        response.headers[hdrs.WWW_AUTHENTICATE] = 'Bearer realm="paramedic"'
    return response


async def read_bytes(request: web.Request, largest: int = LARGEST) -> bytes:
    """The request's body, of at most `largest` bytes. Raises `Fault` when it is longer, or takes too long."""
    body = bytearray()
    try:
        async with asyncio.timeout(PATIENCE):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > largest:
                    raise Fault("body", f"longer than {largest // 1024} KiB", "send less")
    except TimeoutError as error:
        raise Fault("body", f"did not arrive within {PATIENCE:.0f} s", "send it at once") from error
    return bytes(body)


async def read_body(request: web.Request, model: type[M]) -> M:
    """The request's JSON body as `model`; no body counts as `{}`. Raises `Fault` when it is not one."""
    body = await read_bytes(request)
    try:
        return model.model_validate_json(body or b"{}")
    except ValidationError as error:
        raise _fault(error.errors()[0], model) from error


def checked(model: type[M], values: Mapping[str, Any]) -> M:
    """`values` as `model`. Raises `Fault` naming the first that is wrong."""
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        raise _fault(error.errors()[0], model) from error


def _fault(error: ErrorDetails, model: type[BaseModel]) -> Fault:
    where = ".".join(str(part) for part in error["loc"]) or "body"
    if error["type"] == "extra_forbidden":
        known = [field.alias or name for name, field in model.model_fields.items()]
        return Fault(one_line(where, 80), "there is no such field", f"known: {', '.join(known) or 'none'}")
    what, _, right = error["msg"].partition("; ")
    return Fault(one_line(where, 80), one_line(what), one_line(right))
