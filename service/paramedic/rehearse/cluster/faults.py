"""What goes wrong between a process and a simulated cluster: refused, busy, broken, silent, answers that get lost.

The port asks before each request. Permissions are looked at here too: what the service account may not do is refused
by the name of the permission that it lacks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final, Literal

from paramedic.cluster.permissions import ACCESS_REVIEWS, Permission
from paramedic.cluster.port import Json
from paramedic.errors import Permanent, Temporary, UnknownOutcome

__all__ = ["KubeFault", "KubeFaults", "Request", "failure"]

_WHO: Final = "system:serviceaccount:paramedic:paramedic"
_ANYBODY: Final = f"create {ACCESS_REVIEWS.permission}"
"""What every account may do: ask what it may do."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request as permissions name it: `patch deployments.apps/scale`; where, and whether it changes anything."""

    cluster: str
    permission: str
    namespace: str
    name: str
    writes: bool
    dry_run: bool = False

    def __str__(self) -> str:
        about = f" {self.name}" if self.name else ""
        return f"{self.permission}{about}" + (f" in {self.namespace}" if self.namespace else "")


@dataclass(frozen=True, slots=True)
class KubeFault:
    """What goes wrong with requests that fit `on` (`patch deployments.apps`, with * for anything).

    `fails`: `forbidden` (403), `busy` (429, after `delay` seconds again), `error` (500), `refused` (nobody listens),
    `timeout` (it does not arrive, no answer comes), `lost` (it takes effect, the answer never comes). Between the
    moments `start` and `end`, in seconds since the cluster began, and only `times` often. A dry run is met only if
    `dry_runs` says so.
    """

    fails: Literal["forbidden", "busy", "error", "refused", "timeout", "lost"]
    on: str = "*"
    cluster: str = "*"
    start: float = float("-inf")
    end: float = float("inf")
    times: int | None = None
    delay: float = 1.0
    dry_runs: bool = False

    def concerns(self, request: Request, now: float) -> bool:
        """Whether it concerns this request at this moment."""
        fits = fnmatchcase(request.permission, self.on) and fnmatchcase(request.cluster, self.cluster)
        return fits and self.start <= now < self.end and (self.dry_runs or not request.dry_run)


class KubeFaults:
    """The faults of a cluster, counted; and the permissions that its callers have (None: all)."""

    def __init__(self, faults: Sequence[KubeFault] = ()) -> None:
        self._faults = list(faults)
        self._met: dict[int, int] = {}
        self.allowed: frozenset[str] | None = None

    def add(self, fault: KubeFault) -> None:
        """One more fault, behind the others."""
        self._faults.append(fault)

    def meet(self, request: Request, now: float) -> KubeFault | None:
        """The fault that meets this request, counted. Raises `Permanent` where the permission lacks."""
        if not self._may(request.permission) and request.permission != _ANYBODY:
            raise forbidden(request)
        for position, fault in enumerate(self._faults):
            met = self._met.get(position, 0)
            if fault.concerns(request, now) and (fault.times is None or met < fault.times):
                self._met[position] = met + 1
                return fault
        return None

    def review(self, asked: Json) -> Json:
        """The answer to the question of a caller whether it may do something."""
        about = asked["spec"]["resourceAttributes"]
        parts = (about.get(part, "") for part in ("group", "resource", "subresource", "verb"))
        return {**asked, "status": {"allowed": self._may(str(Permission(*parts)))}}

    def _may(self, permission: str) -> bool:
        return self.allowed is None or permission in self.allowed


def forbidden(request: Request) -> Permanent:
    """What the API server answers 403: it names the permission."""
    where = f"in {request.namespace}" if request.namespace else "in all namespaces"
    return Permanent(f"{request.permission} {where} is not allowed for {_WHO} (cluster {request.cluster})")


def failure(fault: KubeFault, request: Request, timeout: float) -> Exception:
    """What the port raises for a fault, after the wait that belongs to it."""
    match fault.fails:
        case "forbidden":
            return forbidden(request)
        case "busy":
            return Temporary(f"the API server is busy (429): {request}", delay=fault.delay)
        case "refused":
            return Temporary(f"the API server of {request.cluster} refused the connection")
        case "error":
            said = f"the API server failed (500): {request}"
        case _:
            said = f"the API server did not answer within {timeout:g}s: {request}"
    return UnknownOutcome(said) if request.writes and not request.dry_run else Temporary(said)
