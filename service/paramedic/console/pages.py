"""The pages for people, complete without JavaScript: what is going on, and what happened in one incident.

`front` serves them, `rendering` has the templates. A page that can change names a stream of events; the script fetches
the page again on each event and puts the new `main` in place of the old one: one way to render, nothing to keep in
step.
"""

from collections.abc import Iterable
from hashlib import sha256
from importlib.resources import files
from itertools import groupby
from typing import Any
from urllib.parse import quote

from aiohttp import hdrs, web

from paramedic.clock import Clock
from paramedic.console.answers import checked
from paramedic.console.api import wanted_of
from paramedic.console.bodies import ListQuery, TimelineQuery
from paramedic.console.history import History
from paramedic.console.live import Live, stream
from paramedic.console.models import EntryView, IncidentLine, Problem
from paramedic.console.people import People
from paramedic.console.rendering import day_of, environment
from paramedic.console.shapes import incident_number
from paramedic.console.views import Views, Wanted
from paramedic.core.words import Phase
from paramedic.engine.inputs import NotFound

__all__ = ["Pages"]

OPEN = 200  # open incidents on the first page
PAST = 20  # past ones below them
ENTRIES = 300  # entries of a timeline on one page

_OVER = (Phase.RESOLVED, Phase.REVIEWED)
_ASSETS = {"console.css": "text/css", "console.js": "text/javascript", "icon.svg": "image/svg+xml"}


class Pages:
    """The pages, their style and script, and their streams of events."""

    def __init__(self, views: Views, history: History, live: Live, people: People, clock: Clock) -> None:
        self._views = views
        self._history = history
        self._live = live
        self._people = people
        self._clock = clock
        folder = files("paramedic.console") / "static"
        self._assets = {name: (folder / name).read_bytes() for name in _ASSETS}
        self._templates = environment({name: sha256(body).hexdigest()[:12] for name, body in self._assets.items()})

    async def home(self, request: web.Request) -> web.Response:
        """GET /: open incidents, what waits for a person on top; or what a search finds."""
        self._people.reader(request)
        query = checked(ListQuery, request.query)
        about: dict[str, Any] = {"query": query, "switch": await self._views.switch()}
        if request.query:
            wanted = wanted_of(query, self._clock.now())
            found = await self._views.incidents(wanted, query.cursor, query.limit)
            return self._page("search.html", found=found.incidents, older=_older(query, found.cursor), **about)
        listed = await self._views.incidents(Wanted(open=True), limit=OPEN)
        waiting = {line.id: line for line in [*await self._views.waiting(), *listed.incidents] if line.standing.person}
        past = await self._views.incidents(Wanted(open=False), limit=PAST)
        others = [line for line in listed.incidents if not line.standing.person]
        return self._page(
            "home.html",
            waiting=sorted(waiting.values(), key=_urgency),
            others=[line for line in others if line.phase not in _OVER],
            more=listed.cursor is not None,
            past=[*(line for line in others if line.phase in _OVER), *past.incidents],
            older=_older(query.model_copy(update={"open": False}), past.cursor),
            events="/events",
            **about,
        )

    async def incident(self, request: web.Request) -> web.Response:
        """GET /incidents/{id}: one incident and its timeline."""
        self._people.reader(request)
        number = incident_number(request.match_info["id"])
        query = checked(TimelineQuery, request.query)
        after = query.after if "after" in request.query else -ENTRIES
        timeline = await self._history.timeline(number, after=after, limit=ENTRIES)
        first = timeline.entries[0].number if timeline.entries else 1
        return self._page(
            "incident.html",
            incident=await self._views.incident(number),
            days=_by_day(timeline.entries),
            timeline=timeline,
            earlier=max(0, first - 1 - ENTRIES) if first > 1 else None,
            switch=await self._views.switch(),
            events=f"/incidents/{number}/events",
        )

    async def events(self, request: web.Request) -> web.StreamResponse:
        """GET /events: says that some incident has changed."""
        self._people.reader(request)
        return await stream(request, self._live, self._clock)

    async def incident_events(self, request: web.Request) -> web.StreamResponse:
        """GET /incidents/{id}/events: says that this incident has changed."""
        self._people.reader(request)
        number = incident_number(request.match_info["id"])
        await self._views.incident(number)
        return await stream(request, self._live, self._clock, number)

    async def asset(self, request: web.Request) -> web.Response:
        """GET /static/{name}: style and script; no secret in them, so anybody may have them."""
        name = request.match_info["name"]
        if name not in self._assets:
            raise NotFound("page", f"there is no {name[:40]!a}", "begin at /")
        headers = {hdrs.CACHE_CONTROL: "public, max-age=31536000, immutable"}
        return web.Response(body=self._assets[name], content_type=_ASSETS[name], charset="utf-8", headers=headers)

    def refuse(self, status: int, problem: Problem) -> web.Response:
        """A problem as a page."""
        response = self._page("problem.html", status=status, problem=problem)
        response.set_status(status)
        if status == 401:
            response.headers[hdrs.WWW_AUTHENTICATE] = 'Basic realm="paramedic: any name, your token as password"'
        return response

    def _page(self, template: str, **about: Any) -> web.Response:
        html = self._templates.get_template(template).render(now=self._clock.now(), **about)
        return web.Response(text=html, content_type="text/html", charset="utf-8")


def _by_day(entries: Iterable[EntryView]) -> list[tuple[str, list[EntryView]]]:
    return [(day, list(group)) for day, group in groupby(entries, key=lambda entry: day_of(entry.at))]


def _urgency(line: IncidentLine) -> tuple[str, float]:
    return line.severity, -line.opened_at.timestamp()


def _older(query: ListQuery, cursor: str | None) -> str:
    """The address of the next page of a list; empty if this is the last."""
    if cursor is None:
        return ""
    given = query.model_dump(mode="json", exclude_defaults=True) | {"cursor": cursor}
    return "/?" + "&".join(f"{name}={quote(_word(value), safe='')}" for name, value in given.items())


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
