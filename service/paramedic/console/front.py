"""The console as one set of routes: `app` makes a `Console` and serves its routes on TCP and on the private socket.

Everything is read and written through the parts that are handed in; nothing here decides anything.
"""

import json
from functools import cached_property, partial
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

from aiohttp import web

from paramedic.clock import Clock
from paramedic.console.acts import Acting, Acts
from paramedic.console.answers import Handler, answering, refuse_json
from paramedic.console.api import Api
from paramedic.console.changes import Changes, Keeping
from paramedic.console.explaining import Explanations, Hearing
from paramedic.console.history import History
from paramedic.console.live import Live
from paramedic.console.openapi import Operation, document
from paramedic.console.opening import Delivering, Openings
from paramedic.console.pages import Pages
from paramedic.console.people import People
from paramedic.console.proxy import Proxy
from paramedic.console.shapes import InForce
from paramedic.console.tokens import Tokens
from paramedic.console.views import Rows, Views
from paramedic.core.bundle import Person
from paramedic.core.words import Mode

__all__ = ["Console"]


class Serving(Acting, Delivering, Hearing, Protocol):
    """The engine, as far as the console knows it."""


class Console:
    """API, acts, reported changes, pages and their live updates.

    `live` is told of commits by the engine's report, `tokens` is PARAMEDIC_TOKENS_FILE, `highest` is PARAMEDIC_MODE,
    `proxy` is PARAMEDIC_TRUSTED_PROXY and PARAMEDIC_USER_HEADER.
    """

    def __init__(
        self,
        rows: Rows,
        engine: Serving,
        catalog: InForce,
        live: Live,
        clock: Clock,
        *,
        changes: Keeping,
        tokens: Path | None,
        highest: Mode,
        proxy: Proxy | None = None,
    ) -> None:
        people = People(Tokens(tokens, clock), partial(_person, catalog), proxy)
        views = self.views = Views(rows, clock, highest)
        history = self.history = History(rows, views)
        self._live = live
        self._pages = Pages(views, history, live, people, clock)
        api, acts = Api(views, history, people, catalog, clock), Acts(engine, views, people, clock)
        reported, openings = Changes(changes, people, clock), Openings(engine, views, people, catalog, clock)
        explanations = Explanations(engine, catalog, people, clock, highest)
        parts = (api, acts, openings, reported, explanations)
        self._operations = [operation for part in parts for operation in part.operations()]

    def operations(self) -> list[Operation]:
        """What the API offers."""
        return self._operations

    def routes(self) -> list[web.RouteDef]:
        """Everything the console serves."""
        api = [web.route(each.method, each.path, answering(each.handler, refuse_json)) for each in self._operations]
        return [
            *api,
            web.get("/api/v1/openapi.json", answering(self._openapi, refuse_json)),
            self._page("/", self._pages.home),
            self._page("/incidents/{id}", self._pages.incident),
            self._page("/events", self._pages.events),
            self._page("/incidents/{id}/events", self._pages.incident_events),
            self._page("/static/{name}", self._pages.asset),
        ]

    async def stop(self, _: web.Application) -> None:
        """For `on_shutdown`: end the live pages, so that the service need not wait for them."""
        self._live.close()

    def _page(self, path: str, handler: Handler) -> web.RouteDef:
        return web.get(path, answering(handler, self._pages.refuse))

    async def _openapi(self, _: web.Request) -> web.Response:
        return web.Response(text=self._document, content_type="application/json")

    @cached_property
    def _document(self) -> str:
        return json.dumps(document(self._operations, version("paramedic")))


def _person(catalog: InForce, name: str) -> Person | None:
    """The person of this name, or with this e-mail address if there is one only, as the bundle in force has them."""
    people = catalog.bundle.people if catalog.bundle is not None else {}
    if "@" not in name:
        return people.get(name)
    found = [person for person in people.values() if person.contacts.get("email", "").lower() == name.lower()]
    return found[0] if len(found) == 1 else None
