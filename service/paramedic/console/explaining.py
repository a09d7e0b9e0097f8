"""POST /api/v1/explain: what would be done about alerts now, guard by guard. Any reader may ask; nothing is written.

`front` serves it. The bundle in force says which rule and playbook, the engine asks the guards.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from aiohttp import web

from paramedic.catalog.explain import Explained, Heard, explain, explained_lines
from paramedic.clock import Clock
from paramedic.console.answers import as_json, checked, read_bytes
from paramedic.console.bodies import Explaining, ExplainQuery
from paramedic.console.models import ExplainedList, ExplainedView
from paramedic.console.openapi import Operation
from paramedic.console.people import People
from paramedic.console.shapes import InForce
from paramedic.core.bundle import Bundle
from paramedic.core.model import Alert
from paramedic.core.words import Mode
from paramedic.errors import Fault, ParamedicError, Temporary
from paramedic.intake.alertmanager import parse_body

__all__ = ["ALERTS", "Explanations", "Hearing"]

LARGEST = 1024 * 1024  # bytes of a body
ALERTS = 20  # alerts that are explained at once
AT_ONCE = 2  # questions that are answered at the same time: each reads from clusters and Prometheus


class Hearing(Protocol):
    """Who asks the guards."""

    async def hear(self, explained: Explained, bundle: Bundle) -> Heard | None:
        """What they say; None where no run would be started. Raises `Temporary`."""
        ...


class Explanations:
    """The one operation that explains."""

    def __init__(self, engine: Hearing, catalog: InForce, people: People, clock: Clock, highest: Mode) -> None:
        self._engine, self._catalog, self._people, self._clock = engine, catalog, people, clock
        self._highest = highest
        self._free = AT_ONCE

    def operations(self) -> list[Operation]:
        """What this serves."""
        return [
            Operation(
                "POST",
                "/api/v1/explain",
                "What would be done about these alerts now, guard by guard; writes nothing",
                self.explain,
                ExplainedList,
                query=ExplainQuery,
                body=Explaining,
                refusals=(400, 401, 503),
            )
        ]

    async def explain(self, request: web.Request) -> web.Response:
        """POST /api/v1/explain"""
        self._people.reader(request)
        if request.content_type != "application/json":  # what a page elsewhere could make a browser send without asking
            raise Fault("Content-Type", f"is {request.content_type[:80]!a}", "send application/json")
        query = checked(ExplainQuery, request.query)
        parsed = parse_body(query.source, await read_bytes(request, LARGEST))
        bundle = self._catalog.bundle
        if bundle is None:
            raise Temporary("no bundle is in force")
        if self._free == 0:
            raise Temporary("others are being explained to already", delay=5.0)
        self._free -= 1
        try:
            views = await asyncio.gather(*(self._view(alert, bundle) for alert in parsed.alerts[:ALERTS]))
        finally:
            self._free += 1
        return as_json(
            ExplainedList(
                bundle=bundle.hash,
                explained=list(views),
                rejected=[rejected.reason for rejected in parsed.rejected[:ALERTS]],
                left_out=max(0, len(parsed.alerts) - ALERTS),
            )
        )

    async def _view(self, alert: Alert, bundle: Bundle) -> ExplainedView:
        explained, now = explain(alert, bundle), self._clock.now()
        heard, unheard = None, ""
        try:
            heard = await self._engine.hear(explained, bundle)
        except ParamedicError as error:
            unheard = str(error)
        lines: Sequence[str] = list(explained_lines(explained, bundle, self._highest, now, heard, unheard))
        return ExplainedView.model_validate(
            {**explained.as_json(self._highest, bundle, now, heard), "lines": lines, "unheard": unheard}
        )
