"""Incidents that people open by hand: from a ticket, a probe, a call. `front` serves the one operation.

What is opened goes the way of any alert, as one of the source `operator` with the labels that were given: rules say
what it is, who is paged and what treats it. Whoever opened it is in the incident, and cannot approve what follows.
"""

from typing import Protocol

import msgspec
from aiohttp import web

from paramedic.clock import Clock
from paramedic.console.answers import as_json, read_body
from paramedic.console.bodies import Opening
from paramedic.console.models import OpenedView
from paramedic.console.openapi import Operation
from paramedic.console.people import Caller, Denied, People
from paramedic.console.shapes import InForce, incident_number
from paramedic.console.views import Views, Wanted
from paramedic.core.acts import way_of
from paramedic.core.bundle import OPERATOR, Bundle, Rule
from paramedic.core.entitled import ADMIN
from paramedic.core.routing import OPENED_BY, OPENED_WAY, key_of, service_of
from paramedic.core.text import iso
from paramedic.errors import Fault, Temporary
from paramedic.intake.alertmanager import parse_body
from paramedic.intake.delivery import Delivery

__all__ = ["Delivering", "Openings"]

ROLE = "operator"
NAME = "Reported"  # the alertname of what names none
LOOKS = 60  # until it is there, on whichever member
PAUSE = 0.05  # seconds between them


class Delivering(Protocol):
    """What this asks of the engine."""

    async def deliver(self, delivery: Delivery) -> int:
        """Keep a delivery; its number, once it is committed. Raises `Temporary`."""
        ...


class Openings:
    """The one operation."""

    def __init__(self, engine: Delivering, views: Views, people: People, catalog: InForce, clock: Clock) -> None:
        self._engine, self._views, self._people, self._catalog, self._clock = engine, views, people, catalog, clock

    def operations(self) -> list[Operation]:
        """What this serves."""
        return [
            Operation(
                "POST",
                "/api/v1/incidents",
                "Open an incident by hand",
                self.open,
                OpenedView,
                body=Opening,
                role=ROLE,
                refusals=(400, 401, 403, 503),
            )
        ]

    async def open(self, request: web.Request) -> web.Response:
        """POST /api/v1/incidents"""
        caller = self._people.actor(request, ROLE)
        delivery = self._delivery(await read_body(request, Opening), caller)
        [alert] = delivery.alerts
        bundle = self._bundle()
        rule = bundle.rules.first(alert.labels)
        if rule is None:
            raise Fault("labels", "no rule takes an alert with these labels", "paramedic explain says why")
        _check_team(rule, caller)
        await self._engine.deliver(delivery)
        return as_json(OpenedView(incident=await self._found(key_of(rule, alert, service_of(alert.labels, bundle)))))

    def _bundle(self) -> Bundle:
        if self._catalog.bundle is None:
            raise Temporary("no rules are loaded yet", delay=1.0)
        return self._catalog.bundle

    def _delivery(self, body: Opening, caller: Caller) -> Delivery:
        """As Alertmanager would have sent it, so that it is bounded, kept and read again as everything else is."""
        element = {
            "status": "firing",
            "labels": {"alertname": NAME, **body.labels},
            "annotations": {
                "summary": body.title,
                OPENED_BY: caller.name,
                OPENED_WAY: way_of(caller.way, caller.origin),
            },
            "startsAt": iso(self._clock.now()),
        }
        text = msgspec.json.encode({"version": "4", "groupKey": OPERATOR, "receiver": OPERATOR, "alerts": [element]})
        parsed = parse_body(OPERATOR, text)
        if parsed.rejected:
            raise Fault("labels", parsed.rejected[0].reason, "write labels as Prometheus has them")
        return Delivery(OPERATOR, text, parsed.alerts)

    async def _found(self, key: str) -> str:
        """The incident with this key, once it is there; "" while it is not: it is kept, and will be."""
        for _ in range(LOOKS):
            listed = await self._views.incidents(Wanted(q=key, open=True), "", 20)
            for one in listed.incidents:
                if (await self._views.incident(incident_number(one.id))).key == key:
                    return one.id
            await self._clock.sleep(PAUSE)
        return ""


def _check_team(rule: Rule, caller: Caller) -> None:
    if rule.team and rule.team not in caller.groups and ADMIN not in caller.groups:
        what = f"the rule {rule.name} is for the team {rule.team}, and {caller.name} is not of it"
        raise Denied(403, what, "ask somebody of the team")
