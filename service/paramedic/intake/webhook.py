"""POST /api/v1/alertmanager: authenticate, bound, parse, hand to the engine, answer. `app` mounts the route.

200 means committed. Alertmanager repeats a 5xx within seconds and a 4xx or 429 only at its next flush, when the alert
may be gone; so 4xx is for what can never succeed, and everything else that is not a success is 503 with Retry-After.
"""

import asyncio
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from aiohttp import StreamReader, web
from aiohttp.web_protocol import RequestPayloadError

from paramedic.clock import Clock
from paramedic.core.bundle import Bundle
from paramedic.errors import Fault, Temporary
from paramedic.intake.alertmanager import Parsed, parse_body
from paramedic.intake.auth import Authenticator
from paramedic.intake.delivery import Delivery, Engine
from paramedic.intake.fields import clean
from paramedic.logs import Seldom
from paramedic.telemetry import Telemetry

__all__ = ["Limits", "routes"]

PATH = "/api/v1/alertmanager"
NOBODY = "unknown"
"""The source, in metrics, of a request that was not authenticated."""
CHALLENGE = 'Bearer realm="paramedic", Basic realm="paramedic"'

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes and seconds. `read` and `commit` together stay under the 5 s after which no answer may come.

    `body` bounds one request, `room` all that are being taken; from `large` on a body is read beside the event loop.
    """

    body: int = 8 * 1024 * 1024
    room: int = 256 * 1024 * 1024
    large: int = 128 * 1024
    read: float = 2.5
    commit: float = 2.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request comes to: the status, its word in metrics, and what is said. `delay` is for Retry-After (s)."""

    status: int
    result: str
    said: str
    alerts: int = 0
    delay: float = 0.0

    def response(self) -> web.Response:
        """The answer as HTTP."""
        if self.status == 200:
            return web.Response(body=self.said.encode(), content_type="application/json")
        headers = {}
        if self.status == 401:
            headers["WWW-Authenticate"] = CHALLENGE
        if self.status == 503:
            headers["Retry-After"] = str(max(1, math.ceil(self.delay)))
        return web.json_response({"error": self.said}, status=self.status, headers=headers)


class _Stop(Exception):
    """Ends the taking of a request with an answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.said)
        self.answer = answer


def routes(
    engine: Engine,
    authenticator: Authenticator,
    telemetry: Telemetry,
    clock: Clock,
    bundle: Callable[[], Bundle | None],
    *,
    limits: Limits | None = None,
) -> list[web.RouteDef]:
    """The route that Alertmanager posts to."""
    webhook = _Webhook(engine, authenticator, telemetry, clock, bundle, limits=limits or Limits())
    return [web.post(PATH, webhook.handle)]


class _Webhook:
    def __init__(
        self,
        engine: Engine,
        authenticator: Authenticator,
        telemetry: Telemetry,
        clock: Clock,
        bundle: Callable[[], Bundle | None],
        *,
        limits: Limits,
    ) -> None:
        self._engine = engine
        self._authenticator = authenticator
        self._telemetry = telemetry
        self._clock = clock
        self._bundle = bundle
        self._limits = limits
        self._taken = 0
        self._one_large = asyncio.Semaphore(1)
        self._seldom = Seldom(_log, clock)

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one request, within 5 s, with a status the sender can act on."""
        began = self._clock.monotonic()
        source = NOBODY
        try:
            source = self._source(request)
            answer = await self._take(request, source)
        except _Stop as stop:
            answer = stop.answer
        except Temporary as error:
            answer = Answer(503, "unavailable", str(error), delay=error.delay)
        except (RequestPayloadError, ConnectionError):
            answer = Answer(503, "aborted", "the body was cut off")
        except Exception:
            _log.exception("a delivery of source %s could not be taken", source)
            self._telemetry.failed("intake")
            answer = Answer(503, "failed", "an unexpected error; it is in the log")
        if answer.status != 200:
            self._seldom.warning(answer.result, f"source {source}: answered {answer.status}: {answer.said}")
        self._telemetry.delivered(source, answer.result, answer.alerts, self._clock.monotonic() - began)
        return answer.response()

    def _source(self, request: web.Request) -> str:
        """Who is talking. Nobody can be told apart while the catalog, which names the sources, is not loaded."""
        if self._bundle() is None:
            raise Temporary("the catalog is not loaded yet")
        # Where no token is asked for, any page in a browser on this machine could post: browsers name their origin.
        if self._authenticator.open and "Origin" in request.headers:
            raise _Stop(Answer(401, "unauthorized", "requests of a browser need a token: PARAMEDIC_WEBHOOK_TOKEN"))
        source = self._authenticator.source(request.headers.get("Authorization"))
        if source is None:
            raise _Stop(Answer(401, "unauthorized", "no known token; Authorization: Bearer TOKEN, or basic with it"))
        return source

    async def _take(self, request: web.Request, source: str) -> Answer:
        """Read and hand over, as long as there is room for the body in memory."""
        size = self._size(request)
        if self._taken + size > self._limits.room:
            raise Temporary("too many deliveries are being taken at once")
        self._taken += size
        waiting_for = "the body did not arrive"
        content = request.content
        try:
            if content.is_eof() and size < self._limits.large:  # it came with its head: there is nothing to wait for
                body = content.read_nowait()
                if len(body) > self._limits.body:
                    raise self._too_large()
                parsed = _parsed(source, body)
            else:
                async with asyncio.timeout(self._limits.read):
                    body = await self._read(content)
                    parsed = await self._parse(source, body)
            waiting_for = "the database did not commit"
            async with asyncio.timeout(self._limits.commit):
                return await self._hand_over(source, body, parsed)
        except TimeoutError:
            raise Temporary(f"{waiting_for} in time") from None
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # Not this task was cancelled, but what it waited for: the engine starts over.
            raise Temporary("the delivery was dropped before it was committed") from None
        finally:
            self._taken -= size

    def _size(self, request: web.Request) -> int:
        """The most bytes that the body can have, by what its headers say."""
        encoding = request.headers.get("Content-Encoding", "identity")
        if encoding.strip().lower() not in {"", "identity"}:
            raise _Stop(
                Answer(415, "encoding", f"Content-Encoding {clean(encoding)} is not taken; send the body as it is")
            )
        size = request.content_length
        if size is None:
            return self._limits.body
        if size > self._limits.body:
            raise self._too_large()
        return size

    async def _read(self, content: StreamReader) -> bytes:
        chunk = await content.readany()
        if content.at_eof() and len(chunk) <= self._limits.body:
            return chunk
        body = bytearray(chunk)
        while chunk:
            if len(body) > self._limits.body:
                raise self._too_large()
            chunk = await content.readany()
            body += chunk
        return bytes(body)

    def _too_large(self) -> _Stop:
        right = "set max_alerts in Alertmanager, or group by more labels"
        return _Stop(Answer(413, "too_large", f"the body has more than {self._limits.body} bytes; {right}"))

    async def _parse(self, source: str, body: bytes) -> Parsed | Fault:
        if len(body) < self._limits.large:
            return _parsed(source, body)
        # One at a time: such a body takes a second and a few hundred MiB if somebody wants it to.
        async with self._one_large:
            return await asyncio.to_thread(_parsed, source, body)

    async def _hand_over(self, source: str, body: bytes, parsed: Parsed | Fault) -> Answer:
        if isinstance(parsed, Fault):
            await self._engine.reject(source, str(parsed), body)
            return Answer(400, "rejected", str(parsed))
        number = await self._engine.deliver(Delivery(source, body, parsed.alerts, parsed.rejected))
        said: dict[str, int] = {"delivery": number, "alerts": len(parsed.alerts)}
        if parsed.rejected:
            said["rejected"] = len(parsed.rejected)
            reason = parsed.rejected[0].reason
            self._seldom.warning("element", f"source {source}: delivery {number}: not an alert, kept apart: {reason}")
        if parsed.truncated:
            left_out = f"{parsed.truncated} alerts of group {clean(parsed.group)} were left out (max_alerts)"
            self._seldom.warning("truncated", f"source {source}: delivery {number}: {left_out}")
        return Answer(200, "accepted", msgspec.json.encode(said).decode(), len(parsed.alerts))


def _parsed(source: str, body: bytes) -> Parsed | Fault:
    try:
        return parse_body(source, body)
    except Fault as fault:
        return fault
