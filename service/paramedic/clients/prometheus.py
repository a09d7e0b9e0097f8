"""The metrics port over Prometheus' HTTP API, and over whatever speaks it too (Thanos, Mimir, VictoriaMetrics).

`app` builds one where PARAMEDIC_PROMETHEUS_URL is set; the guard and the check `metric` ask it, `paramedic doctor` too.
Queries are sent by POST, which here only reads: an answer that never came is simply asked for again by whoever asked.

How old a value may be. An instant query answers with the moment at which it was evaluated, never with the moment at
which a sample was scraped, and by itself looks back five minutes for one. So each request carries `lookback_delta`, the
`max_age` of the guard: what nobody has renewed for longer is absent from the answer, in every part of the expression,
and absent is unknown. Prometheus does so since 2.43, and older ones ignore it; `paramedic doctor` says which it is. A
range in the query itself, as in `rate(x[5m])`, looks back as far as it says: its author has chosen that age.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self
from urllib.parse import unquote, urlencode, urlsplit

import aiohttp

from paramedic.clients.series import MOST_SERIES, Answered, judged, read_instant, read_moments, read_version
from paramedic.clients.session import Lost, bounds, open_session, why
from paramedic.clients.url import base_url
from paramedic.clock import Clock
from paramedic.core.text import one_line
from paramedic.errors import Fault, Permanent, Temporary
from paramedic.plugin import Measured

__all__ = ["LARGEST", "MOST_MOMENTS", "PrometheusClient"]

LARGEST = 4 * 1024 * 1024
"""Bytes of an answer."""

MOST_MOMENTS = 250
"""Moments that one question about a stretch of time may ask for."""

_SETTING = "PARAMEDIC_PROMETHEUS_URL"


class PrometheusClient:
    """The port `plugin.Metrics`. Raises `Fault` for an address that is none. Use it as a context."""

    def __init__(self, url: str, token: str, clock: Clock, *, most: int = 20) -> None:
        self._base, self._headers = _address(url, token)
        self._clock = clock
        self._session = open_session(aiohttp.TCPConnector(limit=most))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def instant(self, name: str, query: str, *, max_age: float, timeout: float) -> Measured:
        """What the query comes to now, as `plugin.Metrics` says."""
        answer = await self._ask("POST", "query", _form(query, max_age, timeout), name, timeout)
        return read_instant(answer, name, self._clock.now())

    async def over(
        self, name: str, query: str, *, seconds: float, step: float, max_age: float, timeout: float
    ) -> Sequence[Measured]:
        """What it came to at each moment, as `plugin.Metrics` says. The last moment is now by our clock."""
        apart, end = max(1, round(step * 1000)), round(self._clock.now().timestamp() * 1000)
        count = round(seconds * 1000 / apart)
        if not 0 <= count < MOST_MOMENTS:
            raise Permanent(f"{name}: {count + 1} moments are asked for, {MOST_MOMENTS} are the most")
        moments = [end - apart * back for back in range(count, -1, -1)]
        stretch = {"start": moments[0], "end": end, "step": apart}
        form = _form(query, max_age, timeout) | {key: f"{value / 1000:.3f}" for key, value in stretch.items()}
        return read_moments(await self._ask("POST", "query_range", form, name, timeout), name, moments)

    async def version(self, *, timeout: float) -> str:
        """Its version, such as 2.53.0. Raises `Temporary` or `Permanent`."""
        return read_version(await self._ask("GET", "status/buildinfo", {}, "its version", timeout))

    async def _ask(self, method: str, path: str, form: Mapping[str, str], name: str, timeout: float) -> Answered:
        """One request. `name` says for people what it is about."""
        asked = f"Prometheus, asked for {one_line(name, 80)}"
        if self._session.closed:
            raise Temporary(f"{asked}: this process is closing")
        try:
            body = urlencode(form).encode() if form else None
        except UnicodeEncodeError as error:
            raise Permanent(f"{asked}: the query cannot be written as UTF-8") from error
        try:
            try:
                return await self._send(method, path, body, asked, timeout)
            except Lost:
                # A kept connection that the server has just closed. Asking twice does no harm, and the second has none.
                return await self._send(method, path, body, asked, timeout)
        except aiohttp.ClientConnectorCertificateError as error:
            raise Permanent(f"{asked}: its certificate is not trusted") from error
        except TimeoutError as error:
            raise Temporary(f"{asked}: no answer within {timeout:g}s") from error
        except (aiohttp.ClientError, Lost) as error:
            raise Temporary(f"{asked}: {why(error)}") from error

    async def _send(self, method: str, path: str, body: bytes | None, asked: str, timeout: float) -> Answered:
        async with self._session.request(
            method,
            f"{self._base}/api/v1/{path}",
            headers={**self._headers, "Content-Type": "application/x-www-form-urlencoded"},
            data=body,
            timeout=bounds(timeout),
            allow_redirects=False,
        ) as response:
            return judged(response.status, response.headers, await _body(response, asked), asked)


def _form(query: str, max_age: float, timeout: float) -> dict[str, str]:
    return {
        "query": query,
        "lookback_delta": f"{max(max_age, 0.001):.3f}",
        "limit": str(MOST_SERIES + 1),
        "timeout": f"{timeout * 0.9:.3f}",  # so that its own words about it arrive in time
    }


def _address(url: str, token: str) -> tuple[str, Mapping[str, str]]:
    """The address without credentials, and the header that carries them."""
    right = "for example http://prometheus:9090"
    try:
        parts = urlsplit(url)
        user, password = parts.username, parts.password
    except ValueError as error:
        raise Fault(_SETTING, "is not an address", right) from error
    try:
        base = base_url(parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl())
    except Fault as fault:
        raise Fault(_SETTING, fault.what, right) from None  # the cause could show the credentials
    if token and user is not None:
        what = "names a user, and PARAMEDIC_PROMETHEUS_TOKEN is set as well"
        raise Fault(_SETTING, what, "use one of them")
    if user is not None:
        given = f"{unquote(user)}:{unquote(password or '')}"
        return base, {"Authorization": f"Basic {b64encode(given.encode()).decode()}"}
    if token and not (token.isascii() and token.isprintable()):
        raise Fault("PARAMEDIC_PROMETHEUS_TOKEN", "is not printable ASCII", "the token alone, on one line")
    return base, {"Authorization": f"Bearer {token}"} if token else {}


async def _body(response: aiohttp.ClientResponse, asked: str) -> bytes:
    chunks: list[bytes] = []
    room = LARGEST + 1
    while room and (chunk := await response.content.read(room)):
        chunks.append(chunk)
        room -= len(chunk)
    if not room:
        response.close()
        raise Permanent(f"{asked}: the answer has more than {LARGEST // 2**20} MiB; aggregate in the query")
    return b"".join(chunks)
