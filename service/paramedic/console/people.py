"""Who is asking, and what they may: a token of a person, the private socket, a proxy in front, or this very machine.

`front` asks before every answer. Tokens are in PARAMEDIC_TOKENS_FILE (see `tokens`); roles and teams are in `people` of
the bundle. Cookies are never looked at, and acts take no credential that a browser sends by itself: what a proxy says
of somebody counts for an act only if it comes from our own pages.
"""

import base64
import binascii
import logging
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from ipaddress import ip_address

from aiohttp import hdrs, web

from paramedic.console.door import peer
from paramedic.console.proxy import Proxy, from_our_page, origin
from paramedic.console.tokens import Tokens
from paramedic.core.bundle import Person
from paramedic.core.entitled import ADMIN, ROLES
from paramedic.core.text import one_line

__all__ = ["Caller", "Denied", "People"]

_log = logging.getLogger(__name__)

_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "Via")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+@-]{0,199}")
_GROUPS = 50  # roles and teams that an act takes along


class Denied(Exception):
    """Not for this caller: 401 when we do not know who it is, 403 when it lacks the role."""

    def __init__(self, status: int, error: str, right: str) -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.right = right


@dataclass(frozen=True, slots=True)
class Caller:
    """A person by name, with the rights of this way in; `name` is empty for a reader on this machine.

    `groups` are the roles and teams that the bundle gives the person; `way` and `origin` are for the timeline.
    """

    name: str
    roles: frozenset[str] = frozenset()
    groups: tuple[str, ...] = ()
    way: str = "api"
    origin: str = ""


class People:
    """Turns a request into a `Caller`. `person` gives a person by name or e-mail as the bundle in force has them."""

    def __init__(self, tokens: Tokens, person: Callable[[str], Person | None], proxy: Proxy | None = None) -> None:
        self._tokens = tokens
        self._person = person
        self._proxy = proxy

    def reader(self, request: web.BaseRequest) -> Caller:
        """Who reads: anybody with a token, signed in by the proxy, through the door, or on this machine.

        A browser cannot send a bearer token for a page, so for reading the token may also be a basic password. Raises
        `Denied`.
        """
        caller = self._by_proxy(request) or self._at_the_door(request) or self._by_token(request, basic=True)
        if caller is None and _on_this_machine(request) and not self._from_proxy(request):
            caller = Caller("", origin="this machine")
        if caller is None:
            raise Denied(401, "who are you?", "send Authorization: Bearer TOKEN; paramedic token NAME makes one")
        return caller

    def actor(self, request: web.BaseRequest, role: str) -> Caller:
        """Who acts: a person with `role`, or an admin. Raises `Denied`."""
        caller = self._by_proxy(request)
        if caller is not None and not from_our_page(request):
            raise Denied(403, "a page elsewhere has caused this", "act from the console, or with a token")
        caller = caller or self._at_the_door(request) or self._by_token(request, basic=False)
        if caller is None:
            raise Denied(401, "acting needs a person's token", "send Authorization: Bearer TOKEN")
        if role not in caller.roles and ADMIN not in caller.roles:
            name = one_line(caller.name, 64)
            raise Denied(403, f"{name} is no {role}", f"give {name} the role {role} under `people` in the rules")
        return caller

    def _known(self, name: str, request: web.BaseRequest, **about: str) -> Caller:
        person = self._person(name)
        roles, teams = (person.roles, person.teams) if person is not None else ((), ())
        return Caller(name, frozenset(roles), (*roles, *teams)[:_GROUPS], _way(request), **about)

    def _at_the_door(self, request: web.BaseRequest) -> Caller | None:
        connected = request.get_extra_info("socket")
        if connected is None or connected.family != socket.AF_UNIX:
            return None
        known = self._known(peer(connected), request)
        groups = known.groups if ADMIN in known.groups else (*known.groups, ADMIN)
        return Caller(known.name, frozenset(ROLES), groups, known.way, "this machine")

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
        return self._known(name, request, origin=request.remote or "")

    def _from_proxy(self, request: web.BaseRequest) -> bool:
        return self._proxy is not None and self._proxy.trusts(request.remote)

    def _by_proxy(self, request: web.BaseRequest) -> Caller | None:
        """Whoever the proxy says it is. Nobody else may say so, and it must be one of the people. Raises `Denied`."""
        said = request.headers.getall(self._proxy.header, []) if self._proxy is not None else []
        if not said:
            return None
        if not self._from_proxy(request):
            _log.warning("refused: %s says who it is, as only the proxy may", request.remote or "a socket")
            raise Denied(401, "only the proxy in front may say who somebody is", "send a token, or come through it")
        person = self._person(said[0]) if len(said) == 1 and _NAME.fullmatch(said[0]) else None
        if person is None or person.rota is not None:
            _log.warning("refused: the proxy at %s has signed in somebody who is not among the people", request.remote)
            raise Denied(401, "whoever the proxy has signed in is not among the people", "add them to `people`")
        caller = self._known(person.name, request, origin=origin(request))
        return caller if caller.way == "cli" else replace(caller, way="console")


def _way(request: web.BaseRequest) -> str:
    """By which way a request came, as its sender says; it is told, and decides nothing."""
    return "cli" if request.headers.get(hdrs.USER_AGENT, "").startswith("paramedic-cli") else "api"


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
