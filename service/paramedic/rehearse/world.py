"""The simulated world behind the ports: endpoints that answer, change state and change what fires; metrics over time.

The stage makes one from the script and hands its `http` to the plug-ins. What the script does not say does not exist:
an endpoint that it does not name refuses connections, a metric without a series is unknown.
"""

import json
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from paramedic.core.bundle import Endpoint
from paramedic.errors import Temporary, UnknownOutcome
from paramedic.plugin import Reply
from paramedic.rehearse.cluster.spec import Measured
from paramedic.rehearse.compare import fits
from paramedic.rehearse.loop import VirtualClock
from paramedic.rehearse.scenery import Answer, Consequence, EndpointWorld, World

__all__ = ["Request", "SimulatedHttp", "SimulatedWorld"]

_LARGEST = 64 * 1024

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Request:
    """A request that arrived: when (s), where, what, under which key; `did` is whether it took effect."""

    at: float
    endpoint: str
    method: str
    path: str
    key: str
    body: bytes
    did: bool


class SimulatedWorld:
    """The state of the world. `bring_about` is told what a request causes, and after how many seconds."""

    def __init__(self, spec: World, clock: VirtualClock, bring_about: Callable[[Consequence], None]) -> None:
        self._spec = spec
        self._clock = clock
        self._bring_about = bring_about
        self._series = {name: list(one) for name, one in spec.metrics.items() if not isinstance(one, Measured)}
        self._states = {name: _series(endpoint.state) for name, endpoint in spec.endpoints.items()}
        self._answered: dict[tuple[str, int], int] = {}
        self._keys: dict[tuple[str, str], Reply] = {}
        self.requests: list[Request] = []

    def value(self, name: str, at: float | None = None) -> float | None:
        """A metric's value at a moment (s; now if not given); None when no series of that name reaches there."""
        moment = self._clock.monotonic() if at is None else at
        return _latest(self._series.get(name, ()), moment)

    def note(self, name: str, value: float | None) -> None:
        """From now on a metric that follows a cluster has this value; at first: as if it always had."""
        known = self._series.setdefault(name, [])
        known.append((self._clock.monotonic() if known else float("-inf"), value))

    def state(self, endpoint: str) -> str:
        """The state that an endpoint is in."""
        return _latest(self._states.get(endpoint, ()), self._clock.monotonic()) or ""

    async def serve(self, endpoint: Endpoint, method: str, path: str, key: str, body: bytes, timeout: float) -> Reply:
        """Answer one request as the script says; raises as the HTTP port does."""
        spec = self._spec.endpoints.get(endpoint.name)
        if spec is None:
            raise Temporary(f"{endpoint.name} refused the connection: this rehearsal's world has no such endpoint")
        answer = self._answer(endpoint.name, spec, f"{method} {path}")
        if answer.fails == "refused":
            raise Temporary(f"{endpoint.name} refused the connection")
        if answer.fails == "dropped":
            await self._clock.sleep(timeout)
            raise UnknownOutcome(f"{endpoint.name} did not answer within {timeout:g}s")
        reply = self._arrive(endpoint, spec, answer, Request(0.0, endpoint.name, method, path, key, body, False))
        if answer.fails == "lost" or answer.delay > timeout:
            await self._clock.sleep(timeout)
            raise UnknownOutcome(f"{endpoint.name} did not answer within {timeout:g}s")
        await self._clock.sleep(answer.delay)
        return reply

    def _answer(self, name: str, spec: EndpointWorld, request: str) -> Answer:
        now, state = self._clock.monotonic(), self.state(name)
        for position, answer in enumerate(spec.answers):
            used = self._answered.get((name, position), 0)
            if (
                fits(answer.on, request)
                and (not answer.while_ or answer.while_ == state)
                and (answer.from_ is None or answer.from_ <= now)
                and (answer.to is None or now < answer.to)
                and (answer.times is None or used < answer.times)
            ):
                self._answered[name, position] = used + 1
                return answer
        return Answer()

    def _arrive(self, endpoint: Endpoint, spec: EndpointWorld, answer: Answer, request: Request) -> Reply:
        """The request is there: an endpoint that knows its key does nothing twice, what it rejects does nothing."""
        known = self._keys.get((request.endpoint, request.key)) if endpoint.idempotent and request.key else None
        reply = known or self._reply(answer)
        did = known is None and reply.status < 400
        arrived = (request.endpoint, request.method, request.path, request.key, request.body)
        self.requests.append(Request(self._clock.monotonic(), *arrived, did))
        if did:
            self._keys[request.endpoint, request.key] = reply
            for consequence in spec.effects:
                if fits(consequence.on, f"{request.method} {request.path}"):
                    self._cause(request.endpoint, consequence)
        return reply

    def _cause(self, endpoint: str, consequence: Consequence) -> None:
        if consequence.becomes:
            self._states[endpoint].append((self._clock.monotonic() + consequence.after, consequence.becomes))
            self._states[endpoint].sort(key=lambda point: point[0])
        if consequence.resolves or consequence.fires:
            self._bring_about(consequence)

    def _reply(self, answer: Answer) -> Reply:
        if answer.reports:
            value = self.value(answer.reports)
            known = value is not None
            return _json(answer.status if known else 404, {"metric": answer.reports, "value": value})
        if isinstance(answer.body, str):
            return Reply(answer.status, {"Content-Type": "text/plain"}, answer.body.encode()[:_LARGEST])
        return _json(answer.status, answer.body) if answer.body is not None else Reply(answer.status, {}, b"")


class SimulatedHttp:
    """The HTTP port of one process in the simulated world; a dead process sends nothing more."""

    def __init__(self, world: SimulatedWorld) -> None:
        self._world = world
        self.dead = False

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
        """Send one request into the world."""
        if self.dead:
            raise Temporary("the process is gone")
        key = (headers or {}).get("Idempotency-Key", "")
        return await self._world.serve(endpoint, method, path, key, body or b"", timeout)


def _json(status: int, body: Any) -> Reply:
    return Reply(status, {"Content-Type": "application/json"}, json.dumps(body).encode()[:_LARGEST])


def _series(state: str | Sequence[tuple[float, str]]) -> list[tuple[float, str]]:
    if isinstance(state, str):
        return [(float("-inf"), state)]
    return sorted(state, key=lambda point: point[0])


def _latest(series: Sequence[tuple[float, T]], moment: float) -> T | None:
    """The value of the last point at or before a moment; of two at one moment the later one written."""
    position = bisect_right(series, moment, key=lambda point: point[0])
    return series[position - 1][1] if position else None
