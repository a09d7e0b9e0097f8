"""Who is asking, and what they may: a token of a person, the private socket, or reading from this very machine.

`front` asks before every answer. Tokens are in PARAMEDIC_TOKENS_FILE as lines `NAME SHA256`; roles are in the bundle's
`people`. Cookies are never looked at, and acts take no credential that a browser sends by itself.
"""

import base64
import binascii
import hashlib
import hmac
import logging
import re
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from aiohttp import hdrs, web

from paramedic.console.door import peer
from paramedic.core.text import one_line

__all__ = ["Caller", "Denied", "People", "Tokens"]

_log = logging.getLogger(__name__)

_LINE = re.compile(r"(?P<name>[^\s#]{1,64})\s+(?P<digest>[0-9a-fA-F]{64})")
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "Via")
_ALL = frozenset(("operator", "approver", "ci"))


class Denied(Exception):
    """Not for this caller: 401 when we do not know who it is, 403 when it lacks the role."""

    def __init__(self, status: int, error: str, right: str) -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.right = right


@dataclass(frozen=True, slots=True)
class Caller:
    """A person by name, with the roles that the bundle gives; `name` is empty for a reader on this machine."""

    name: str
    roles: frozenset[str] = frozenset()


class Tokens:
    """The tokens of people, read again whenever their file changes. No file: nobody has a token."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._known: tuple[tuple[str, str], ...] = ()

    def name_of(self, token: str) -> str | None:
        """Whose token this is. The time it takes does not depend on which one it is, or on how much of it is right."""
        self._refresh()
        digest = hashlib.sha256(token.encode(errors="surrogateescape")).hexdigest()
        found = None
        for name, known in self._known:
            if hmac.compare_digest(known, digest):
                found = name
        return found

    def _refresh(self) -> None:
        if self._path is None:
            return
        try:
            status = self._path.stat()
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
            if stamp != self._stamp:
                self._known = tuple(_read(self._path.read_text(encoding="utf-8").splitlines(), self._path))
                self._stamp = stamp
        except (OSError, UnicodeDecodeError) as error:
            if self._known or self._stamp is None:
                _log.error("PARAMEDIC_TOKENS_FILE %s cannot be read, so nobody is known: %s", self._path, error)
            self._known, self._stamp = (), (0, 0, 0)


def _read(lines: Iterable[str], path: Path) -> Iterable[tuple[str, str]]:
    """The (name, digest) of each line; a line that is wrong is logged by number, never by content."""
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = _LINE.fullmatch(line.strip())
        if found is None:
            _log.error("%s:%d: not a line NAME SHA256 and ignored; paramedic token NAME makes one", path, number)
        else:
            yield found["name"], found["digest"].lower()


class People:
    """Turns a request into a `Caller`. `roles` gives a person's roles as the bundle in force has them."""

    def __init__(self, tokens: Tokens, roles: Callable[[str], Iterable[str]]) -> None:
        self._tokens = tokens
        self._roles = roles

    def reader(self, request: web.BaseRequest) -> Caller:
        """Who reads: anybody with a token, through the door, or on this machine. Raises `Denied`.

        A browser cannot send a bearer token for a page, so for reading the token may also be a basic password.
        """
        caller = self._at_the_door(request) or self._by_token(request, basic=True)
        if caller is None and _on_this_machine(request):
            caller = Caller("")
        if caller is None:
            raise Denied(401, "who are you?", "send Authorization: Bearer TOKEN; paramedic token NAME makes one")
        return caller

    def actor(self, request: web.BaseRequest, role: str) -> Caller:
        """Who acts: a person with `role`. Raises `Denied`."""
        caller = self._at_the_door(request) or self._by_token(request, basic=False)
        if caller is None:
            raise Denied(401, "acting needs a person's token", "send Authorization: Bearer TOKEN")
        if role not in caller.roles:
            name = one_line(caller.name, 64)
            raise Denied(403, f"{name} is no {role}", f"give {name} the role {role} under `people` in the rules")
        return caller

    def _at_the_door(self, request: web.BaseRequest) -> Caller | None:
        connected = request.get_extra_info("socket")
        if connected is None or connected.family != socket.AF_UNIX:
            return None
        return Caller(peer(connected), _ALL)

    def _by_token(self, request: web.BaseRequest, *, basic: bool) -> Caller | None:
        scheme, _, value = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        if scheme.lower() == "basic" and basic:
            value = _password(value)
        elif scheme.lower() != "bearer":
            value = ""
        name = self._tokens.name_of(value.strip()) if value else None
        if name is None:
            if scheme:
                raise Denied(401, "this token is nobody's", "paramedic token NAME makes one")
            return None
        return Caller(name, frozenset(self._roles(name)))


def _password(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _on_this_machine(request: web.BaseRequest) -> bool:
    """Whether it was typed here: from loopback, to a loopback name, and through no proxy.

    The name matters: a page elsewhere can make a browser here send requests to us, but under the page's own name.
    """
    remote = request.remote or ""
    host = request.host.rpartition(":")[0] if request.host.rpartition(":")[2].isdigit() else request.host
    return _is_loopback(remote) and _is_loopback(host) and not any(name in request.headers for name in _FORWARDED)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
