"""What a cluster's refusal means, as one of the four kinds of failure. `client` calls it for every answer not in 200s.

An API server says what it did not do; it says so with a `Status` object, or with a line of text where not even the
kind is known to it. What it answers before it has written anything is safe to tell as not done; after that (500, 502,
504) nobody knows, unless nothing was to be changed.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from paramedic.clients.answers import LONGEST_WAIT, retry_after
from paramedic.cluster.resources import Place
from paramedic.core.text import one_line
from paramedic.errors import Changed, Missing, ParamedicError, Permanent, Temporary, UnknownOutcome

__all__ = ["Call", "failure"]

_LONGEST: Final = 300
_USER: Final = re.compile(r'[Uu]ser "([^"]{1,200})" cannot ')
_SEVERAL_BUDGETS: Final = "more than one PodDisruptionBudget"
_BEFORE_WRITING: Final = ("failed calling webhook", "failed to call webhook")


@dataclass(frozen=True, slots=True)
class Call:
    """What was asked of a cluster: the verb as permissions name it, and where.

    `changes`: an answer that gets lost leaves it unknown whether something was changed. `compares`: it is a JSON patch,
    which compares before it writes.
    """

    verb: str
    place: Place
    subresource: str = ""
    changes: bool = False
    compares: bool = False

    @property
    def permission(self) -> str:
        """As plug-ins declare it: `patch deployments.apps`, `create pods/eviction`."""
        sub = f"/{self.subresource}" if self.subresource else ""
        return f"{self.verb} {self.place.resource.permission}{sub}"

    def __str__(self) -> str:
        if self.subresource == "eviction":
            return f"{self.place.cluster}: evict {self.place}"
        sub = f" ({self.subresource})" if self.subresource else ""
        return f"{self.place.cluster}: {self.verb} {self.place}{sub}"


class _Cause(msgspec.Struct):
    message: str = ""
    field: str = ""


class _Details(msgspec.Struct):
    name: str = ""
    kind: str = ""
    causes: list[_Cause] = msgspec.field(default_factory=list)
    retryAfterSeconds: int = 0


class _Status(msgspec.Struct):
    message: str = ""
    reason: str = ""
    details: _Details | None = None


@dataclass(frozen=True, slots=True)
class _Said:
    """An answer, taken apart."""

    status: int
    headers: Mapping[str, str]
    reason: str = ""
    message: str = ""
    name: str = ""
    causes: Sequence[_Cause] = field(default_factory=tuple)
    wait: int = 0

    @property
    def delay(self) -> float:
        """Seconds that the server asks us to wait."""
        return retry_after(self.headers) if "Retry-After" in self.headers else min(float(self.wait or 1), LONGEST_WAIT)


def failure(call: Call, status: int, headers: Mapping[str, str], body: bytes) -> ParamedicError:
    """The failure that an answer is: to be raised, with what the cluster said in it."""
    said = _read(status, headers, body)
    if status >= 500:
        return _broken(call, said)
    known = _KNOWN.get(status)
    return known(call, said) if known else Permanent(f"{call}: the cluster answered {status}{_quoted(said)}")


def _read(status: int, headers: Mapping[str, str], body: bytes) -> _Said:
    try:
        found = msgspec.json.decode(body, type=_Status)
    except msgspec.MsgspecError:
        return _Said(status, headers, message=body[: 4 * _LONGEST].decode("utf-8", "replace"))
    details = found.details or _Details()
    return _Said(
        status, headers, found.reason, found.message, details.name, tuple(details.causes), details.retryAfterSeconds
    )


def _not_known(call: Call, said: _Said) -> ParamedicError:
    return Permanent(f"the cluster {call.place.cluster} does not accept our credentials{_quoted(said)}")


def _forbidden(call: Call, said: _Said) -> ParamedicError:
    user = _USER.search(said.message)
    if user is None:
        return Permanent(f"{call}: the cluster refuses{_quoted(said)}")
    where = f"in {call.place.namespace}" if call.place.namespace else "in all namespaces"
    who = one_line(user.group(1), 120)
    return Permanent(f"{call.permission} {where} is not allowed for {who} (cluster {call.place.cluster})")


def _not_found(call: Call, said: _Said) -> ParamedicError:
    resource = call.place.resource
    if said.name and said.reason == "NotFound":
        return Missing(f"{call}{_quoted(said)}")
    what = f"{resource.plural}/{call.subresource}" if call.subresource else resource.plural
    return Permanent(f"the cluster {call.place.cluster} has no {what} of {resource.api}")


def _conflict(call: Call, said: _Said) -> ParamedicError:
    return Changed(f"{call}: not changed{_quoted(said)}")


def _expired(call: Call, said: _Said) -> ParamedicError:
    return Temporary(f"{call}: the list has changed while it was read{_quoted(said)}")


def _invalid(call: Call, said: _Said) -> ParamedicError:
    if call.compares and not said.causes:
        # A JSON patch whose `test` failed, or that leads to what is not there: the server gives no more than this.
        return Changed(f"{call}: not changed, because it is not any more what was planned against")
    faults: dict[str, None] = {}
    for cause in said.causes:
        faults[f"{cause.field}: {_end(cause.message)}" if cause.field else _end(cause.message)] = None
    text = "; ".join(tuple(faults)[:3]) or _end(said.message)
    return Permanent(f"{call}: not valid: {one_line(text, _LONGEST)}")


def _too_many(call: Call, said: _Said) -> ParamedicError:
    why = "; ".join(cause.message for cause in said.causes[:3])
    return Temporary(
        f"{call}: not done{_quoted(said)}{f' ({one_line(why, _LONGEST)})' if why else ''}", delay=said.delay
    )


def _broken(call: Call, said: _Said) -> ParamedicError:
    text = f"{call}: the cluster answered {said.status}{_quoted(said)}"
    if _SEVERAL_BUDGETS in said.message:
        return Permanent(text)
    harmless = not call.changes or any(words in said.message for words in _BEFORE_WRITING)
    if harmless or (said.status == 503 and "Retry-After" in said.headers):
        return Temporary(text, delay=said.delay)
    return UnknownOutcome(f"{text}; it may have been done all the same")


def _end(message: str) -> str:
    # Some causes quote the whole object before they come to the point.
    return message if len(message) <= _LONGEST else f"…{message[-120:]}"


def _quoted(said: _Said) -> str:
    text = one_line(said.message, _LONGEST)
    return f": {text}" if text else ""


_KNOWN: Final[Mapping[int, Callable[[Call, _Said], ParamedicError]]] = {
    401: _not_known,
    403: _forbidden,
    404: _not_found,
    409: _conflict,
    410: _expired,
    422: _invalid,
    429: _too_many,
}
