"""The read API: what scripts, the commands and other tools ask. Every answer is a model of `models`, as JSON.

`front` serves the operations listed here. The acts are in `acts`.
"""

from datetime import UTC, datetime, timedelta

from aiohttp import web

from paramedic.clock import Clock
from paramedic.console.answers import as_json, checked
from paramedic.console.bodies import ListQuery, RunQuery, TimelineQuery
from paramedic.console.history import History
from paramedic.console.models import (
    CatalogView,
    ExportView,
    IncidentDetail,
    IncidentList,
    RunList,
    RunView,
    SwitchView,
    TimelineView,
)
from paramedic.console.openapi import Operation
from paramedic.console.people import People
from paramedic.console.shapes import InForce, catalog_of, incident_number, run_number
from paramedic.console.views import Views, Wanted
from paramedic.durations import parse_duration
from paramedic.errors import Fault

__all__ = ["Api", "wanted_of"]


class Api:
    """The reads."""

    def __init__(self, views: Views, history: History, people: People, catalog: InForce, clock: Clock) -> None:
        self._views = views
        self._history = history
        self._people = people
        self._catalog = catalog
        self._clock = clock

    def operations(self) -> list[Operation]:
        """What this serves."""
        one = "/api/v1/incidents/{id}"
        return [
            Operation(
                "GET",
                "/api/v1/incidents",
                "Incidents, open ones first, the most urgent first",
                self.incidents,
                IncidentList,
                query=ListQuery,
                refusals=(400, 401, 503),
            ),
            Operation("GET", one, "One incident", self.incident, IncidentDetail),
            Operation(
                "GET",
                f"{one}/timeline",
                "What happened, in order, and whether the record is whole",
                self.timeline,
                TimelineView,
                query=TimelineQuery,
            ),
            Operation("GET", f"{one}/export", "One incident with the proof of its timeline", self.export, ExportView),
            Operation("GET", f"{one}/runs", "All runs of one incident", self.runs_of, RunList),
            Operation(
                "GET",
                "/api/v1/runs",
                "The active runs",
                self.runs,
                RunList,
                query=RunQuery,
                refusals=(400, 401, 503),
            ),
            Operation("GET", "/api/v1/runs/{id}", "One run", self.run, RunView),
            Operation("GET", "/api/v1/evidence/{digest}", "Evidence, as plain text", self.evidence, None),
            Operation("GET", "/api/v1/switch", "The global switch", self.switch, SwitchView, refusals=(401, 503)),
            Operation("GET", "/api/v1/catalog", "The bundle in force", self.catalog, CatalogView, refusals=(401,)),
        ]

    async def incidents(self, request: web.Request) -> web.Response:
        """GET /api/v1/incidents"""
        self._people.reader(request)
        query = checked(ListQuery, request.query)
        wanted = wanted_of(query, self._clock.now())
        return as_json(await self._views.incidents(wanted, query.cursor, query.limit))

    async def incident(self, request: web.Request) -> web.Response:
        """GET /api/v1/incidents/{id}"""
        self._people.reader(request)
        return as_json(await self._views.incident(incident_number(request.match_info["id"])))

    async def timeline(self, request: web.Request) -> web.Response:
        """GET /api/v1/incidents/{id}/timeline"""
        self._people.reader(request)
        query = checked(TimelineQuery, request.query)
        number = incident_number(request.match_info["id"])
        return as_json(await self._history.timeline(number, after=query.after, limit=query.limit))

    async def export(self, request: web.Request) -> web.Response:
        """GET /api/v1/incidents/{id}/export"""
        self._people.reader(request)
        return as_json(await self._history.export(incident_number(request.match_info["id"])))

    async def runs_of(self, request: web.Request) -> web.Response:
        """GET /api/v1/incidents/{id}/runs"""
        self._people.reader(request)
        return as_json(RunList(runs=await self._views.runs_of(incident_number(request.match_info["id"]))))

    async def runs(self, request: web.Request) -> web.Response:
        """GET /api/v1/runs"""
        self._people.reader(request)
        query = checked(RunQuery, request.query)
        return as_json(await self._views.runs(approval=query.waiting == "approval", most=query.limit))

    async def run(self, request: web.Request) -> web.Response:
        """GET /api/v1/runs/{id}"""
        self._people.reader(request)
        return as_json(await self._views.run(*run_number(request.match_info["id"])))

    async def evidence(self, request: web.Request) -> web.Response:
        """GET /api/v1/evidence/{digest}: whatever it is, a browser shows it as text and runs nothing."""
        self._people.reader(request)
        exhibit = await self._history.evidence(request.match_info["digest"])
        headers = {"Content-Security-Policy": "default-src 'none'; sandbox", "ETag": f'"{exhibit.digest}"'}
        text = exhibit.body.decode(errors="replace")
        return web.Response(text=text, content_type="text/plain", charset="utf-8", headers=headers)

    async def switch(self, request: web.Request) -> web.Response:
        """GET /api/v1/switch"""
        self._people.reader(request)
        return as_json(await self._views.switch())

    async def catalog(self, request: web.Request) -> web.Response:
        """GET /api/v1/catalog"""
        self._people.reader(request)
        return as_json(catalog_of(self._catalog))


def wanted_of(query: ListQuery, now: datetime) -> Wanted:
    """The query's filter. Raises `Fault` when `since` is neither a time nor a duration."""
    since = _since(query.since, now) if query.since else None
    return Wanted(phase=query.phase, severity=query.severity, since=since, q=query.q, open=query.open)


def _since(text: str, now: datetime) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    except ValueError:
        pass
    try:
        return now - timedelta(seconds=parse_duration(text))
    except (Fault, OverflowError) as error:
        right = "write 24h, or a time such as 2026-01-31T12:00:00Z"
        raise Fault("since", f"{text[:40]!a} is neither a time nor how long ago", right) from error
