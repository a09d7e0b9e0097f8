"""Who is talking: the token of a request names its source. The webhook asks here before it reads a body.

A source of the catalog may have tokens of its own, in the setting that it names. Every token of
PARAMEDIC_WEBHOOK_TOKEN stands for the source `default`. All of them may be lists, so that they can be rotated.
"""

import base64
import binascii
import hashlib
import hmac
import logging
from collections.abc import Callable

from paramedic.core.bundle import Bundle, Source
from paramedic.errors import Fault, Temporary
from paramedic.settings import Settings

__all__ = ["DEFAULT", "Authenticator"]

DEFAULT = "default"
"""The source of everything that carries no token of a named source."""

_log = logging.getLogger(__name__)


class Authenticator:
    """The table of tokens, as digests; made anew whenever another bundle is in force."""

    def __init__(self, settings: Settings, bundle: Callable[[], Bundle | None]) -> None:
        self._settings = settings
        self._bundle = bundle
        self._made_for: Bundle | None = None
        self._table = self._default_tokens()
        self._unread: list[str] = []
        self._open = self._settings.loopback and not self._table

    @property
    def open(self) -> bool:
        """Whether anyone may deliver: nobody has a token, and only this machine can connect."""
        self._refresh()
        return self._open

    def source(self, header: str | None) -> str | None:
        """The source that this Authorization header stands for, or None for nobody.

        Raises `Temporary` when that cannot be said, because the token of a source could not be read.
        """
        if self.open:
            return DEFAULT
        token = _token_of(header)
        if not token:
            return None
        digest = hashlib.sha256(token).digest()
        found = None
        # All of them are compared, so that the time taken says nothing about which one was nearly right.
        for known, source in self._table:
            if hmac.compare_digest(known, digest):
                found = source
        if found is None and self._unread:
            self._made_for = None  # the file may be there by the next request
            raise Temporary(self._unread[0], delay=5.0)
        return found

    def _refresh(self) -> None:
        bundle = self._bundle()
        if bundle is not self._made_for:
            self._made_for = bundle
            self._read_tokens(bundle)
            self._open = self._settings.loopback and not self._table and not self._unread

    def _read_tokens(self, bundle: Bundle | None) -> None:
        # A source's own token comes after the common ones, and so prevails where somebody used it for both.
        table, unread = self._default_tokens(), []
        for name, source in sorted(bundle.sources.items() if bundle else ()):
            try:
                table += [(_digest(token), name) for token in self._own_tokens(source)]
            except Fault as fault:
                unread.append(f"source {name} has no token yet: {fault}")
        for message in unread:
            if message not in self._unread:
                _log.warning("%s", message)
        self._table, self._unread = table, unread

    def _own_tokens(self, source: Source) -> list[str]:
        if not source.token:
            return []
        tokens = [token.strip() for token in self._settings.secret(source.token).split(",") if token.strip()]
        if not tokens:
            raise Fault(source.token, "holds no token", "one, or several with commas between them")
        return tokens

    def _default_tokens(self) -> list[tuple[bytes, str]]:
        return [(_digest(token), DEFAULT) for token in self._settings.webhook_tokens]


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _token_of(header: str | None) -> bytes | None:
    """The token in a Bearer header, or the password in a Basic one, whatever its user is called."""
    scheme, _, value = (header or "").partition(" ")
    value = value.strip()
    match scheme.lower():
        case "bearer":
            return value.encode(errors="surrogateescape")
        case "basic":
            try:
                return base64.b64decode(value, validate=True).partition(b":")[2]
            except (binascii.Error, ValueError):
                return None
        case _:
            return None
