"""The connection to one cluster: a request with a deadline, an answer of bounded size, an honest word on what happened.

`client` sends through it and judges the answers. What a failure proves is the table of `clients.http`; here a refused
credential is read anew once, because a request that was refused for it has done nothing.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

import aiohttp
from yarl import URL

from paramedic.clients.kube.access import Access, Credentials
from paramedic.clients.kube.errors import Call
from paramedic.clients.session import Lost, bounds, open_session, why
from paramedic.clock import Clock
from paramedic.errors import Permanent, Temporary, UnknownOutcome

__all__ = ["Answer", "Connection", "Sending"]

_CONNECTIONS = 32
_CREDENTIALS_LATEST = 0.5  # of the deadline


@dataclass(frozen=True, slots=True)
class Sending:
    """A request: `path` is encoded already, `most` the bytes of the answer that are taken."""

    method: str
    path: str
    body: bytes | None = None
    content: str = ""
    accept: str = "application/json"
    most: int = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer; `cut` where it had more bytes than were taken."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    cut: bool = False


class Connection:
    """One cluster. Reads share connections that are kept; each write has one of its own, so that it is sent once."""

    def __init__(self, name: str, credentials: Credentials, clock: Clock) -> None:
        self.name = name
        self._credentials, self._clock = credentials, clock
        self._kept: _Pool | None = None
        self._single: _Pool | None = None
        self._retired: list[aiohttp.ClientSession] = []
        self._closed = False

    async def close(self) -> None:
        """Close all connections; requests under way end as unknown."""
        self._closed = True
        await self._credentials.close()
        pools = [pool.session for pool in (self._kept, self._single) if pool is not None]
        for session in (*pools, *self._retired):
            await session.close()

    async def ask(self, call: Call, sending: Sending, timeout: float) -> Answer:
        """Send it, and take the answer, whatever its status, within `timeout` seconds.

        Raises `Temporary` (nothing was sent, or nothing can have been changed), `Permanent` or `UnknownOutcome`.
        """
        began = self._clock.monotonic()
        access = await self._access(call, timeout)
        answer = await self._once(call, sending, access, timeout - (self._clock.monotonic() - began))
        if answer.status == 401 and self._credentials.refused(access):
            left = timeout - (self._clock.monotonic() - began)
            access = await self._access(call, left)
            answer = await self._once(call, sending, access, timeout - (self._clock.monotonic() - began))
        return answer

    async def _access(self, call: Call, timeout: float) -> Access:
        try:
            return await self._credentials.access(timeout * _CREDENTIALS_LATEST)
        except Temporary as error:
            raise Temporary(f"{call}: {error}", delay=error.delay) from error

    async def _once(self, call: Call, sending: Sending, access: Access, timeout: float) -> Answer:
        if self._closed:
            raise Temporary(f"{call}: this process is closing; nothing was sent")
        session = await self._session(access, call.changes)
        try:
            async with session.request(
                sending.method,
                URL(access.url.rstrip("/") + sending.path, encoded=True),
                headers=_headers(access, sending),
                data=sending.body,
                timeout=bounds(timeout),
                allow_redirects=False,
                server_hostname=access.server_name or None,
                proxy=access.proxy or None,
            ) as response:
                body, cut = await _bounded(response, sending.most)
                return Answer(response.status, response.headers, body, cut)
        except aiohttp.ConnectionTimeoutError as error:
            raise Temporary(f"{call}: no connection within {timeout / 2:.3g}s; nothing was sent") from error
        except aiohttp.ClientConnectorCertificateError as error:
            raise Permanent(f"{call}: the certificate of the cluster is not trusted; nothing was sent") from error
        except (aiohttp.ClientConnectorError, aiohttp.ClientHttpProxyError) as error:
            raise Temporary(f"{call}: no connection ({why(error)}); nothing was sent") from error
        except (TimeoutError, aiohttp.ClientError, Lost, ValueError) as error:
            said = f"no answer within {timeout:.3g}s" if isinstance(error, TimeoutError) else why(error)
            if not call.changes:
                raise Temporary(f"{call}: {said}") from error
            raise UnknownOutcome(f"{call}: {said}; it was sent, and may have been done") from error

    async def _session(self, access: Access, changes: bool) -> aiohttp.ClientSession:
        pool = self._single if changes else self._kept
        if pool is None or pool.secure is not access.secure:
            old, pool = pool, _Pool(access.secure, open_session(_connector(access.secure, force_close=changes)))
            if changes:
                self._single = pool
            else:
                self._kept = pool
            if old is not None:
                await self._retire(old.session)
        return pool.session

    async def _retire(self, session: aiohttp.ClientSession) -> None:
        """A certificate was renewed: what is under way over the old one ends by itself, long before the next time."""
        over, self._retired = self._retired[:-1], [*self._retired[-1:], session]
        for one in over:
            await one.close()


@dataclass(frozen=True, slots=True)
class _Pool:
    """A session and the TLS context that it was made for."""

    secure: ssl.SSLContext | None
    session: aiohttp.ClientSession


def _connector(secure: ssl.SSLContext | None, *, force_close: bool) -> aiohttp.TCPConnector:
    return aiohttp.TCPConnector(limit=_CONNECTIONS, ssl=secure if secure is not None else True, force_close=force_close)


def _headers(access: Access, sending: Sending) -> dict[str, str]:
    headers = {"Accept": sending.accept}
    if access.authorization:
        headers["Authorization"] = access.authorization
    if sending.content:
        headers["Content-Type"] = sending.content
    return headers


async def _bounded(response: aiohttp.ClientResponse, most: int) -> tuple[bytes, bool]:
    chunks: list[bytes] = []
    room = most + 1
    while room and (chunk := await response.content.read(room)):
        chunks.append(chunk)
        room -= len(chunk)
    body = b"".join(chunks)
    if len(body) > most:
        response.close()
        return body[:most], True
    return body, False
