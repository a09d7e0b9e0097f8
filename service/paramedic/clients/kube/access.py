"""The access to a cluster: where it is, who we are, whom we trust. `connection` asks for it before each request.

Tokens are read again after a minute, so that what rotates them is noticed. Refused ones are read anew at once, but not
more than every ten seconds.
"""

import asyncio
import logging
import ssl
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from paramedic.clock import Clock
from paramedic.errors import Fault, Temporary

__all__ = ["Access", "Credentials", "Told"]

_FRESH: Final = 60.0
_NOT_AGAIN: Final = 10.0
_LONGEST: Final = 45.0
"""Seconds that getting credentials may take, whoever has to be asked for them."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Access:
    """How a cluster is reached now. `secure` is None for plain HTTP; `authorization` the header's value, or empty."""

    url: str
    authorization: str = field(default="", repr=False)
    secure: ssl.SSLContext | None = None
    server_name: str = ""
    proxy: str = ""


@dataclass(slots=True)
class Told:
    """What the library behind `config` fills in: it takes any object with these attributes."""

    api_key: dict[str, str] = field(default_factory=dict)
    host: str = ""
    ssl_ca_cert: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    verify_ssl: bool = True
    tls_server_name: str | None = None
    proxy: str | None = None


class Credentials(ABC):
    """The access to one cluster, kept for a minute. Reading it anew is done once for all who wait for it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._access: Access | None = None
        self._read_at = 0.0
        self._reading: asyncio.Task[Access] | None = None
        self._tls: tuple[object, ssl.SSLContext | None] = (object(), None)

    @abstractmethod
    async def check(self) -> None:
        """Look at what is configured, without asking anybody. Raises `Fault` naming the setting."""

    @abstractmethod
    async def read(self) -> Access:
        """The access as it is now. Raises `Fault`, `Temporary`."""

    async def access(self, timeout: float) -> Access:
        """The access; read anew when it is older than a minute. Raises `Temporary` when it cannot be had: nothing left.

        An access that can only not be renewed is used on: the cluster will say whether it still takes it.
        """
        if self._access is not None and self._clock.monotonic() - self._read_at < _FRESH:
            return self._access
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._renewed())
            self._reading.add_done_callback(_heard)
        try:
            async with asyncio.timeout(timeout):
                return await asyncio.shield(self._reading)
        except TimeoutError as error:
            if self._access is not None:
                return self._access
            raise Temporary(f"no credentials within {timeout:g}s; nothing was sent") from error

    def refused(self, access: Access) -> bool:
        """The cluster refused this access: whether it makes sense to ask for another one.

        It does when it was renewed meanwhile; else it is read anew, unless that was just done.
        """
        if self._access is not None and self._access.authorization != access.authorization:
            return True
        if self._clock.monotonic() - self._read_at < _NOT_AGAIN:
            return False
        self._access = None
        self.forget()
        return True

    @abstractmethod
    def forget(self) -> None:
        """Keep nothing of what was refused."""

    async def close(self) -> None:
        """End a reading under way."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])

    async def _renewed(self) -> Access:
        try:
            async with asyncio.timeout(_LONGEST):
                self._access = await self.read()
        except (Fault, Temporary, TimeoutError) as error:
            if self._access is None:
                why = str(error) or f"no credentials within {_LONGEST:g}s"
                raise Temporary(f"{why}; nothing was sent", delay=_NOT_AGAIN) from error
            _log.warning("credentials could not be renewed, the old ones are used on: %s", error)
        self._read_at = self._clock.monotonic()
        return self._access

    def accessed(self, told: Told) -> Access:
        """The library's answer as an `Access`; the TLS context is made anew only when something in it has changed."""
        secure = None
        if told.host.startswith("https:"):
            parts = (told.verify_ssl, *(_content(name) for name in (told.ssl_ca_cert, told.cert_file, told.key_file)))
            if self._tls[0] != parts:
                self._tls = (parts, _context(told))
            secure = self._tls[1]
        authorization = " ".join(told.api_key.get("BearerToken", "").split())
        return Access(told.host, authorization, secure, told.tls_server_name or "", told.proxy or "")


def _heard(reading: "asyncio.Task[Access]") -> None:
    """Who waited for it may have gone; the next who asks begins another."""
    if not reading.cancelled():
        reading.exception()


def _content(name: str | None) -> bytes:
    return Path(name).read_bytes() if name else b""


def _context(told: Told) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=told.ssl_ca_cert)
    # Go's clients do not ask for what this flag wants, so many clusters have certificates without it.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if told.cert_file:
        context.load_cert_chain(told.cert_file, told.key_file)
    if not told.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
