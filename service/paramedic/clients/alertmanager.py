"""The port to the Alertmanagers that alerts come from, over their API: how does one of them see an alert now?

`app` builds one; the guard `silenced` asks it. All instances of a source are asked at the same time: they tell each
other about silences, so that one which says that somebody has silenced it is believed, whatever another says.
"""

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

import msgspec

from paramedic.clients.answers import excerpt, retry_after
from paramedic.clients.url import LONGEST_PATH
from paramedic.core.bundle import Endpoint
from paramedic.core.text import one_line
from paramedic.errors import ParamedicError, Permanent, Temporary
from paramedic.plugin import Http, Standing

__all__ = ["TOKEN", "URL", "AlertmanagerClient"]

URL: Final = "PARAMEDIC_ALERTMANAGER_URL"
TOKEN: Final = "PARAMEDIC_ALERTMANAGER_TOKEN"
"""The settings for sources that name no instances, and for the bearer token that all of them want."""

_PATH: Final = "/api/v2/alerts?active=true&silenced=true&inhibited=true&unprocessed=true"
_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,99}", re.ASCII)
_VALUE: Final = re.compile(r"[A-Za-z0-9 _./:@-]{1,200}", re.ASCII)
_ID: Final = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)
_MOST_INSTANCES: Final = 8
_SHORT: Final = 2.0
_SHOWN: Final = 5

_ORDER: Final = ("silenced", "inhibited", "active", "absent")
"""Of several answers the first of these counts."""


class _Status(msgspec.Struct):
    state: str = ""
    silenced: list[str] = msgspec.field(default=[], name="silencedBy")
    inhibited: list[str] = msgspec.field(default=[], name="inhibitedBy")
    muted: list[str] = msgspec.field(default=[], name="mutedBy")


class _Alert(msgspec.Struct):
    labels: dict[str, str]
    status: _Status = msgspec.field(default_factory=_Status)


class _Silence(msgspec.Struct):
    created_by: str = msgspec.field(default="", name="createdBy")
    comment: str = ""
    ends_at: datetime | None = msgspec.field(default=None, name="endsAt")


_SILENCE: Final = msgspec.json.Decoder(_Silence)
_ALERTS: Final = msgspec.json.Decoder(list[_Alert])


class AlertmanagerClient:
    """The port `plugin.Alerts`. `addresses` gives those of a source's instances; `token` names a setting, if any."""

    def __init__(self, http: Http, addresses: Callable[[str], Sequence[str]], token: str = "") -> None:
        self._http, self._addresses, self._token = http, addresses, token

    async def standing(self, source: str, labels: Mapping[str, str], *, timeout: float) -> Standing:
        """As `plugin.Alerts.standing` says."""
        addresses = self._addresses(source)[:_MOST_INSTANCES]
        if not addresses:
            return Standing("unasked")
        path = _PATH + "".join(_filters(labels))
        answers = await asyncio.gather(*(self._ask(source, one, path, labels, timeout) for one in addresses))
        said = [one for one in answers if isinstance(one, Standing)]
        if not said:
            raise next(one for one in answers if isinstance(one, ParamedicError))
        return min(said, key=lambda one: _ORDER.index(one.state))

    async def _ask(
        self, source: str, address: str, path: str, labels: Mapping[str, str], timeout: float
    ) -> Standing | ParamedicError:
        endpoint = Endpoint(source, address, token=self._token)
        try:
            reply = await self._http.request(endpoint, "GET", path, timeout=timeout)
        except ParamedicError as error:
            return Temporary(one_line(f"Alertmanager {address} did not answer: {error}", 300))
        if reply.status != 200:
            said = excerpt(reply.body)
            text = f"Alertmanager {address} answered {reply.status}" + (f": {said}" if said else "")
            if reply.status in {408, 425, 429} or reply.status >= 500:
                return Temporary(text, delay=retry_after(reply.headers))
            return Permanent(text)
        try:
            found = _ALERTS.decode(reply.body)
        except (msgspec.MsgspecError, ValueError):
            return Permanent(f"Alertmanager {address}: its answer cannot be read, or is longer than 64 KiB")
        status = next((one.status for one in found if one.labels == labels), None)
        if status is None:
            return Standing("absent")
        if status.silenced and (words := await self._silence(endpoint, status.silenced[0], timeout)):
            return Standing("silenced", (words,))
        return _standing(status)

    async def _silence(self, endpoint: Endpoint, name: str, timeout: float) -> str:
        """Who silenced it, why and until when; empty where that cannot be read: it is silenced all the same."""
        if _ID.fullmatch(name) is None:
            return ""
        try:
            reply = await self._http.request(endpoint, "GET", f"/api/v2/silence/{name}", timeout=min(timeout, _SHORT))
            found = _SILENCE.decode(reply.body) if reply.status == 200 else None
        except (ParamedicError, msgspec.MsgspecError, ValueError):
            return ""
        if found is None:
            return ""
        why = f" ({one_line(found.comment, 100)})" if found.comment else ""
        ends = found.ends_at if found.ends_at is not None and found.ends_at.tzinfo is not None else None
        until = f" until {ends.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if ends is not None else ""
        return one_line(f"{one_line(found.created_by, 60) or 'somebody'}{until}{why}", 200)


def _filters(labels: Mapping[str, str]) -> Iterator[str]:
    """Filters that make the answer small. They only narrow: which alert it is, is compared afterwards, by all labels.

    A label stands in one only if nothing in it could be anything but its value.
    """
    left = LONGEST_PATH - len(_PATH)
    for name, value in sorted(labels.items(), key=lambda label: (label[0] != "alertname", label[0])):
        if _NAME.fullmatch(name) and _VALUE.fullmatch(value):
            text = "&filter=" + quote(f'{name}="{value}"', safe="")
            left -= len(text)
            if left < 0:
                return
            yield text


def _standing(status: _Status) -> Standing:
    if status.silenced or status.muted:
        return Standing("silenced", _shown([*status.silenced, *status.muted]))
    if status.inhibited:
        return Standing("inhibited", _shown(status.inhibited))
    return Standing("silenced" if status.state == "suppressed" else "active")


def _shown(ids: Sequence[str]) -> tuple[str, ...]:
    return tuple(one_line(one, 60) for one in ids[:_SHOWN])
