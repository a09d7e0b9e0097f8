"""What people do: acknowledge, take over, approve, switch. Each act goes to the engine and is answered once committed.

`front` serves the operations listed here. Who acts comes from the token or the private socket, never from the body.
"""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from aiohttp import web
from pydantic import BaseModel

from paramedic.clock import Clock
from paramedic.console.answers import Handler, as_json, read_body
from paramedic.console.bodies import Approving, Linking, Nothing, Noting, Reason, Snoozing, Switching
from paramedic.console.models import Done, SwitchView
from paramedic.console.openapi import Operation
from paramedic.console.people import Caller, People
from paramedic.console.shapes import incident_number, run_number
from paramedic.console.views import Views
from paramedic.core.acts import role_for
from paramedic.core.text import one_line
from paramedic.core.words import Mode
from paramedic.engine.inputs import Act, Conflict, Forbidden, NotFound
from paramedic.store.port import Switch

__all__ = ["Acting", "Acts"]

ON_INCIDENTS: dict[str, tuple[type[BaseModel], str]] = {
    "ack": (Nothing, "Acknowledge: the climb stops for as long as the policy says"),
    "take": (Nothing, "Take over: automation stands down"),
    "snooze": (Snoozing, "Stop the climb for a while"),
    "escalate": (Nothing, "Page the next level now"),
    "close": (Reason, "Close the incident; what it came to says when an alert that still fires comes back"),
    "link": (Linking, "Link another incident, in both timelines"),
    "note": (Noting, "Write a note into the timeline"),
}
ON_RUNS: dict[str, tuple[type[BaseModel], str]] = {
    "approve": (Approving, "Approve what the run plans"),
    "deny": (Reason, "Deny what the run plans"),
    "cancel": (Nothing, "Cancel the run at the next safe point"),
}


class Acting(Protocol):
    """What the console asks of the engine."""

    async def act(self, incident: int, act: Act) -> str:
        """Do it; what it came to, after the commit. Raises `NotFound`, `Conflict`, `Forbidden`, `Temporary`."""
        ...

    async def set_switch(self, mode: Mode, *, who: str, reason: str, until: datetime | None) -> Switch:
        """Move the global switch. Raises `Temporary`."""
        ...


class Acts:
    """The acts."""

    def __init__(self, engine: Acting, views: Views, people: People, clock: Clock) -> None:
        self._engine = engine
        self._views = views
        self._people = people
        self._clock = clock

    def operations(self) -> list[Operation]:
        """What this serves."""
        on_incidents = [
            self._operation(f"/api/v1/incidents/{{id}}/{what}", what, model, summary, self._on_incident(what, model))
            for what, (model, summary) in ON_INCIDENTS.items()
        ]
        on_runs = [
            self._operation(f"/api/v1/runs/{{id}}/{what}", what, model, summary, self._on_run(what, model))
            for what, (model, summary) in ON_RUNS.items()
        ]
        switch = Operation(
            "PUT",
            "/api/v1/switch",
            "Set how much all of the service may do",
            self.set_switch,
            SwitchView,
            body=Switching,
            role="operator",
            refusals=(400, 401, 403, 503),
        )
        return [*on_incidents, *on_runs, switch]

    @staticmethod
    def _operation(path: str, what: str, model: type[BaseModel], summary: str, handler: Handler) -> Operation:
        refusals = (400, 401, 403, 404, 409, 503)
        return Operation("POST", path, summary, handler, Done, body=model, role=role_for(what), refusals=refusals)

    def _on_incident(self, what: str, model: type[BaseModel]) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            caller = self._people.actor(request, role_for(what))
            number = incident_number(request.match_info["id"])
            body = await read_body(request, model)
            act = _by(caller, what, **self._said(body))
            if act.other is not None:
                await self._views.incident(act.other)  # there is one, open or not
            done = await self._engine.act(number, act)
            if act.other is not None:
                await self._link_back(act.other, number, act)
            return as_json(Done(done=done))

        return handle

    async def _link_back(self, number: int, other: int, act: Act) -> None:
        """Say it in the other timeline too, if that is still open and does not say so already."""
        with suppress(NotFound, Conflict, Forbidden):
            await self._engine.act(number, replace(act, other=other))

    def _on_run(self, what: str, model: type[BaseModel]) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            caller = self._people.actor(request, role_for(what))
            incident, run = run_number(request.match_info["id"])
            body = await read_body(request, model)
            done = await self._engine.act(incident, _by(caller, what, run=run, **self._said(body)))
            return as_json(Done(done=done))

        return handle

    def _said(self, body: BaseModel) -> dict[str, Any]:
        """What of an act is in its body."""
        match body:
            case Snoozing(for_=seconds):
                return {"until": self._clock.now() + timedelta(seconds=seconds)}
            case Reason(text=text) | Noting(text=text):
                return {"text": text}
            case Approving(plan=digest):
                return {"plan": digest}
            case Linking(to=other):
                return {"other": incident_number(other)}
            case _:
                return {}

    async def set_switch(self, request: web.Request) -> web.Response:
        """PUT /api/v1/switch"""
        caller = self._people.actor(request, "operator")
        body = await read_body(request, Switching)
        until = self._clock.now() + timedelta(seconds=body.for_) if body.for_ is not None else None
        switch = await self._engine.set_switch(body.mode, who=caller.name, reason=body.reason, until=until)
        return as_json(self._views.switch_of(switch))


def _by(caller: Caller, what: str, **about: Any) -> Act:
    """An act of this caller."""
    return Act(caller.name, what, groups=caller.groups, way=caller.way, origin=one_line(caller.origin, 80), **about)
