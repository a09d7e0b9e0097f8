"""What people do: acknowledge, take over, approve, switch. Each act goes to the engine and is answered once committed.

`front` serves the operations listed here. Who acts comes from the token or the private socket, never from the body.
"""

from datetime import datetime, timedelta
from typing import Protocol

from aiohttp import web
from pydantic import BaseModel

from paramedic.clock import Clock
from paramedic.console.answers import Handler, as_json, read_body
from paramedic.console.bodies import Approving, Nothing, Noting, Reason, Snoozing, Switching
from paramedic.console.models import Done, SwitchView
from paramedic.console.openapi import Operation
from paramedic.console.people import People
from paramedic.console.shapes import incident_number, run_number
from paramedic.console.views import Views
from paramedic.core.acts import role_for
from paramedic.core.words import Mode
from paramedic.engine.inputs import Act, Conflict
from paramedic.store.port import Switch

__all__ = ["Acting", "Acts"]

ON_INCIDENTS: dict[str, tuple[type[BaseModel], str]] = {
    "ack": (Nothing, "Acknowledge: the climb stops for as long as the policy says"),
    "take": (Nothing, "Take over: automation stands down"),
    "snooze": (Snoozing, "Stop the climb for a while"),
    "escalate": (Nothing, "Page the next level now"),
    "close": (Reason, "Close the incident"),
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
        """Do it; what it came to, after the commit. Raises `NotFound`, `Conflict`, `Temporary`."""
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
            text, until = self._said(await read_body(request, model))
            done = await self._engine.act(number, Act(caller.name, what, text=text, until=until))
            return as_json(Done(done=done))

        return handle

    def _on_run(self, what: str, model: type[BaseModel]) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            caller = self._people.actor(request, role_for(what))
            incident, run = run_number(request.match_info["id"])
            body = await read_body(request, model)
            if isinstance(body, Approving) and body.plan:
                await self._still_plans(incident, run, body.plan)
            done = await self._engine.act(incident, Act(caller.name, what, run=run, text=self._said(body)[0]))
            return as_json(Done(done=done))

        return handle

    def _said(self, body: BaseModel) -> tuple[str, datetime | None]:
        """The text and the end that an act carries."""
        match body:
            case Snoozing(for_=seconds):
                return "", self._clock.now() + timedelta(seconds=seconds)
            case Reason(text=text) | Noting(text=text):
                return text, None
            case _:
                return "", None

    async def _still_plans(self, incident: int, number: int, digest: str) -> None:
        """Raises `Conflict` unless the run plans what the approver has looked at."""
        run = await self._views.run(incident, number)
        if run.plan is None or run.plan.digest != digest:
            now = run.plan.summary if run.plan is not None else "nothing"
            raise Conflict(f"run {run.id}", f"its plan has changed: {now}", f"look again: paramedic runs show {run.id}")

    async def set_switch(self, request: web.Request) -> web.Response:
        """PUT /api/v1/switch"""
        caller = self._people.actor(request, "operator")
        body = await read_body(request, Switching)
        until = self._clock.now() + timedelta(seconds=body.for_) if body.for_ is not None else None
        switch = await self._engine.set_switch(body.mode, who=caller.name, reason=body.reason, until=until)
        return as_json(self._views.switch_of(switch))
