"""The port `Kube` over real clusters: calls become requests, answers become plain JSON or one of the four failures.

`app` builds one for all configured clusters and puts `Shared` and, for plug-ins that write, the gate in front of it.
Nothing is repeated here and nothing is interpreted: what objects mean is `cluster`'s business.
"""

import math
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self

import msgspec

from paramedic.clients.kube.connection import Answer, Connection, Sending
from paramedic.clients.kube.errors import Call, failure
from paramedic.clients.kube.paths import collection, item, with_query
from paramedic.clock import Clock
from paramedic.cluster.port import MANAGER, Json, PatchKind
from paramedic.cluster.resources import Place, Resource
from paramedic.errors import Permanent, Temporary, UnknownOutcome

__all__ = ["KubeClient"]

LARGEST_LIST: Final = 16 * 1024 * 1024
"""Bytes of all pages of a list together."""

_VERSION: Final = Resource("v1", "version", "Version", namespaced=False)
_PAGE: Final = 250
_LOG_LINES: Final = 1024
_LOG_LARGEST: Final = 1024 * 1024
_CONTENT: Final[Mapping[PatchKind, str]] = {
    "json": "application/json-patch+json",
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
}


class KubeClient:
    """Clusters by name, each behind its connection. Use it as a context, inside the event loop that it serves."""

    def __init__(self, connections: Sequence[Connection], clock: Clock) -> None:
        self._connections = {one.name: one for one in connections}
        self._clock = clock

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections; requests under way end as unknown."""
        for one in self._connections.values():
            await one.close()

    @property
    def clusters(self) -> Sequence[str]:
        """The names of the clusters there are."""
        return tuple(self._connections)

    async def version(self, cluster: str, *, timeout: float = 10.0) -> tuple[str, str]:
        """What a cluster says of itself: its version, and the date that its answer carries (empty: none)."""
        call = Call("get", Place(cluster, _VERSION))
        answer = await self._asked(call, Sending("GET", "/version"), timeout)
        return str(_object(call, answer).get("gitVersion", "")), answer.headers.get("Date", "")

    async def get(self, place: Place, *, subresource: str = "", max_age: float = 0.0, timeout: float = 10.0) -> Json:
        """One object, or its subresource; always read anew."""
        call = Call("get", place, subresource)
        answer = await self._asked(call, Sending("GET", item(place, subresource)), timeout)
        return _object(call, answer)

    async def list(
        self,
        place: Place,
        *,
        labels: str = "",
        fields: str = "",
        limit: int = 500,
        max_age: float = 0.0,
        timeout: float = 10.0,
    ) -> Sequence[Json]:
        """All objects that the selectors choose, page by page, kinds filled in; always read anew."""
        call = Call("list", place)
        path, until = collection(place), self._clock.monotonic() + timeout
        found: list[Json] = []
        room, more = LARGEST_LIST, ""
        while True:
            query = {"labelSelector": labels, "fieldSelector": fields, "continue": more}
            wanted = min(_PAGE, limit + 1 - len(found))
            sending = Sending("GET", with_query(path, {**query, "limit": str(wanted)}), most=room)
            left = until - self._clock.monotonic()
            if left <= 0:
                raise Temporary(f"{call}: no answer within {timeout:g}s")
            answer = await self._asked(call, sending, left)
            page = _object(call, answer)
            room -= len(answer.body)
            items = page.get("items")
            found += items if isinstance(items, list) else []
            more = _next_page(page)
            if len(found) > limit:
                raise Permanent(f"{call}: there are more than {limit}; name fewer by a selector")
            if not more:
                break
        for one in found:
            one.setdefault("apiVersion", place.resource.api)
            one.setdefault("kind", place.resource.kind)
        return found

    async def patch(
        self,
        place: Place,
        patch: Sequence[Json] | Json,
        how: PatchKind,
        *,
        subresource: str = "",
        dry_run: bool = False,
        timeout: float = 10.0,
    ) -> Json:
        """Change an object; the object as it is then."""
        call = Call("patch", place, subresource, changes=not dry_run, compares=how == "json")
        path = with_query(item(place, subresource), _writing(dry_run, timeout))
        answer = await self._asked(call, Sending("PATCH", path, _encoded(call, patch), _CONTENT[how]), timeout)
        return _object(call, answer)

    async def create(self, place: Place, body: Json, *, dry_run: bool = False, timeout: float = 10.0) -> Json:
        """Make an object at `place`; its name is in the body."""
        call = Call("create", place, changes=not dry_run)
        path = with_query(collection(place), _writing(dry_run, timeout))
        answer = await self._asked(call, Sending("POST", path, _encoded(call, body), "application/json"), timeout)
        return _object(call, answer)

    async def delete(
        self, place: Place, *, uid: str, grace: float | None = None, dry_run: bool = False, timeout: float = 10.0
    ) -> None:
        """Delete exactly this object."""
        call = Call("delete", place, changes=not dry_run)
        path = with_query(item(place), {"timeout": _seconds(timeout)})
        body = {**_options(uid, grace, dry_run), "kind": "DeleteOptions", "apiVersion": "v1"}
        await self._asked(call, Sending("DELETE", path, _encoded(call, body), "application/json"), timeout)

    async def evict(
        self, place: Place, *, uid: str, grace: float | None = None, dry_run: bool = False, timeout: float = 10.0
    ) -> None:
        """Evict exactly this pod; a disruption budget that says no is `Temporary`, with its words."""
        call = Call("create", place, "eviction", changes=not dry_run)
        path = with_query(item(place, "eviction"), _writing(dry_run, timeout))
        body = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": place.name, "namespace": place.namespace},
            "deleteOptions": _options(uid, grace, dry_run),
        }
        await self._asked(call, Sending("POST", path, _encoded(call, body), "application/json"), timeout)

    async def logs(
        self, place: Place, *, container: str = "", previous: bool = False, most: int = 64 * 1024, timeout: float = 10.0
    ) -> bytes:
        """The newest `most` bytes of a container's log.

        The API counts lines from the end but cuts bytes at it: so fewer lines are asked for until they fit.
        """
        call = Call("get", place, "log")
        until, lines = self._clock.monotonic() + timeout, _LOG_LINES
        while True:
            query = {"container": container, "previous": "true" if previous else "", "tailLines": str(lines)}
            path = with_query(item(place, "log"), {**query, "limitBytes": str(_LOG_LARGEST)})
            left = until - self._clock.monotonic()
            if left <= 0:
                raise Temporary(f"{call}: no answer within {timeout:g}s")
            answer = await self._asked(call, Sending("GET", path, accept="*/*", most=_LOG_LARGEST), left)
            if len(answer.body) < _LOG_LARGEST or lines == 1:
                return answer.body[-most:] if most > 0 else b""
            lines = max(1, lines // 16)

    async def _asked(self, call: Call, sending: Sending, timeout: float) -> Answer:
        """The answer, where it says that it was done; else raised as what it says."""
        connection = self._connections.get(call.place.cluster)
        if connection is None:
            known = ", ".join(self._connections)
            raise Permanent(f"there is no cluster {call.place.cluster[:80]!a}; configured: {known}")
        answer = await connection.ask(call, sending, timeout)
        if not 200 <= answer.status <= 299:
            raise failure(call, answer.status, answer.headers, answer.body)
        if answer.cut and not call.changes and sending.accept != "*/*":
            raise Permanent(f"{call}: the answer is larger than {sending.most} bytes; name fewer by a selector")
        return answer


def _object(call: Call, answer: Answer) -> Json:
    """The JSON object of an answer."""
    try:
        return msgspec.json.decode(answer.body, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        if call.changes:
            raise UnknownOutcome(f"{call}: it was done, and what it came to cannot be read") from error
        raise Temporary(f"{call}: the cluster answered with something that is not an object in JSON") from error


def _encoded(call: Call, body: object) -> bytes:
    try:
        return msgspec.json.encode(body)
    except (ValueError, OverflowError, TypeError, msgspec.MsgspecError) as error:
        raise Permanent(f"{call}: what was to be sent cannot be written as JSON; nothing was sent") from error


def _next_page(page: Json) -> str:
    metadata = page.get("metadata")
    more = metadata.get("continue") if isinstance(metadata, dict) else None
    return more if isinstance(more, str) else ""


def _writing(dry_run: bool, timeout: float) -> dict[str, str]:
    return {"fieldManager": MANAGER, "dryRun": "All" if dry_run else "", "timeout": _seconds(timeout)}


def _seconds(timeout: float) -> str:
    """The deadline in the API's notation: after it the server gives up too, so that no write comes late."""
    return f"{max(1, math.ceil(timeout))}s"


def _options(uid: str, grace: float | None, dry_run: bool) -> Json:
    options: Json = {"preconditions": {"uid": uid}}
    if grace is not None:
        options["gracePeriodSeconds"] = max(0, math.ceil(grace))
    if dry_run:
        options["dryRun"] = ["All"]
    return options
