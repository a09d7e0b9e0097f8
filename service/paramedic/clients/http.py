"""The HTTP port over aiohttp: exactly one request, a deadline for everything, and an honest word on what happened.

`app` builds one for steps and checks and one of its own for pages; executors hand it to plug-ins as `Tools.http`.

What each failure proves:

    no connection (refused, unresolved, no slot in time)   nothing left      Temporary
    certificate not trusted, path or header not sound      nothing left      Permanent
    GET or HEAD without an answer                          nothing changed   Temporary
    any other request without an answer                    nobody knows      UnknownOutcome
    answer begun, body cut off                             it was answered   the reply, with what came of the body

A kept connection can be closed by the server while our request is on its way; then nobody knows either. Targets that
know our key may be asked again, so only they get kept connections: every other write has a connection to itself.
"""

import re
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

import aiohttp
from yarl import URL

from paramedic.clients.answers import LARGEST_ANSWER
from paramedic.clients.session import Lost, bounds, open_session, why
from paramedic.clients.url import address
from paramedic.core.bundle import Endpoint
from paramedic.errors import Fault, Permanent, Temporary, UnknownOutcome
from paramedic.plugin import Reply

__all__ = ["HttpClient"]

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
_HARMLESS = frozenset({"GET", "HEAD"})


class HttpClient:
    """The port `plugin.Http`. `secret` gives the value of a setting; `most` bounds the connections of each pool.

    Use it as a context, inside the event loop that it serves.
    """

    def __init__(self, secret: Callable[[str], str], *, most: int = 100) -> None:
        self._secret = secret
        self._kept = open_session(aiohttp.TCPConnector(limit=most))
        self._single = open_session(aiohttp.TCPConnector(limit=most, force_close=True))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections; requests under way end as unknown."""
        try:
            await self._kept.close()
        finally:
            await self._single.close()

    async def request(
        self,
        endpoint: Endpoint,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout: float,
    ) -> Reply:
        """Send one request, as `plugin.Http` says. Half of `timeout` (s) may go into getting a connection.

        Raises `Temporary`, `Permanent` or `UnknownOutcome`, as the table above says.
        """
        asked = f"{method} to {endpoint.name}"
        url, sent = self._prepared(endpoint, path, headers, asked)
        harmless = method in _HARMLESS
        session = self._kept if harmless or endpoint.idempotent else self._single
        if session.closed:
            raise Temporary(f"{asked}: this process is closing; nothing was sent")
        try:
            async with session.request(
                method, url, headers=sent, data=body, timeout=bounds(timeout), allow_redirects=False
            ) as response:
                return Reply(response.status, response.headers, await _body(response, harmless))
        except aiohttp.ConnectionTimeoutError as error:
            raise Temporary(f"{asked}: no connection within {timeout / 2:g}s; nothing was sent") from error
        except aiohttp.ClientConnectorCertificateError as error:
            raise Permanent(f"{asked}: the certificate is not trusted; nothing was sent") from error
        except aiohttp.ClientConnectorError as error:
            raise Temporary(f"{asked}: no connection ({why(error)}); nothing was sent") from error
        except (TimeoutError, aiohttp.ClientError, Lost, ValueError) as error:
            said = f"no answer within {timeout:g}s" if isinstance(error, TimeoutError) else why(error)
            if harmless:
                raise Temporary(f"{asked}: {said}") from error
            raise UnknownOutcome(f"{asked}: {said}; it was sent, and may have been done") from error

    def _prepared(
        self, endpoint: Endpoint, path: str, headers: Mapping[str, str] | None, asked: str
    ) -> tuple[URL, dict[str, str]]:
        sent = dict(headers) if headers else {}
        try:
            url = URL(address(endpoint.url, path), encoded=True)
            if endpoint.token:
                sent["Authorization"] = f"Bearer {self._secret(endpoint.token)}"
        except Fault as fault:
            raise Permanent(f"{asked}: {fault}; nothing was sent") from fault
        for name, value in sent.items():
            if not (_HEADER.fullmatch(name) and value.isascii() and value.isprintable()):
                raise Permanent(f"{asked}: header {name!a} is not printable ASCII; nothing was sent")
        return url, sent


async def _body(response: aiohttp.ClientResponse, harmless: bool) -> bytes:
    chunks: list[bytes] = []
    room = LARGEST_ANSWER
    try:
        while room and (chunk := await response.content.read(room)):
            chunks.append(chunk)
            room -= len(chunk)
    except (TimeoutError, aiohttp.ClientError):
        if harmless:
            raise
        # The status is the answer to a write; what else the server wanted to say changes nothing.
        response.close()
    return b"".join(chunks)
