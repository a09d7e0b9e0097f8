"""The only read models: what the CLI, the API and the pages know of incidents, runs and the switch, from PostgreSQL.

`api`, `acts` and `pages` call them; the SQL is in store/queries/views.sql. Timelines are in `history`. Every method
raises `Temporary` when the database is slow or away.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

from paramedic.clock import Clock
from paramedic.console.models import IncidentDetail, IncidentLine, IncidentList, RunList, RunView, SwitchView
from paramedic.console.shapes import detail_of, incident_number, line_of, run_of, runs_of
from paramedic.console.standing import MARKS
from paramedic.core.model import Incident
from paramedic.core.words import Mode, Phase, Severity, Stage
from paramedic.engine.gate import in_force
from paramedic.engine.inputs import NotFound
from paramedic.errors import Fault
from paramedic.store.port import Switch

__all__ = ["Rows", "Views", "Wanted"]

MOST = 200  # incidents in one answer

_FAR = datetime(9999, 1, 1, tzinfo=UTC)
_RUNNING = b'"run":{'
_ASKING = b'"stage":"approval"'


class Rows(Protocol):
    """Where the views read: named queries, rows by column."""

    async def fetch(self, name: str, /, **values: object) -> Sequence[Mapping[str, Any]]:
        """All rows of a query of views.sql. Raises `Temporary`."""
        ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which incidents a list is to hold; None means any. `q` is looked for in titles, keys, rules and sources."""

    phase: Phase | None = None
    severity: Severity | None = None
    since: datetime | None = None
    q: str = ""
    open: bool | None = None

    def values(self) -> dict[str, object]:
        """As the queries take it. A `q` that is the id of an incident means that incident."""
        try:
            number = incident_number(self.q) if self.q else None
        except Fault:
            number = None
        words = self.q.lower() if self.q and number is None else None
        return {"phase": self.phase, "severity": self.severity, "since": self.since, "q": words, "id": number}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of the list ends: in the open ones, or in the past ones."""

    severity: str = ""
    after: int = 0
    before: datetime | None = None

    def text(self) -> str:
        """As a cursor: opaque, and safe in a URL."""
        parts = (self.severity, self.after, self.before)
        return base64.urlsafe_b64encode(msgspec.json.encode(parts)).decode().rstrip("=")

    @staticmethod
    def of(cursor: str) -> "Place":
        """Out of a cursor; "" is the beginning. Raises `Fault` when it is not one of ours."""
        if not cursor:
            return Place()
        try:
            raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            return Place(*msgspec.json.decode(raw, type=tuple[Severity, int, datetime | None]))
        except (binascii.Error, msgspec.MsgspecError, ValueError) as error:
            raise Fault("cursor", "this is not a cursor of an earlier answer", "leave it out to begin") from error


class Views:
    """The read models. `highest` is this process's own PARAMEDIC_MODE."""

    def __init__(self, rows: Rows, clock: Clock, highest: Mode) -> None:
        self._rows = rows
        self._clock = clock
        self._highest = highest
        self._decoder = msgspec.json.Decoder(Incident)

    async def incidents(self, wanted: Wanted, cursor: str = "", limit: int = 50) -> IncidentList:
        """Incidents in pages of at most `limit`: the open ones by urgency, then the past ones from the newest."""
        limit = max(1, min(limit, MOST))
        place = Place.of(cursor)
        found: list[Incident] = []
        if wanted.open is not False and place.before is None:
            after = {"after_severity": place.severity, "after_id": -place.after}
            found = await self._read("view_open", **wanted.values(), **after, most=limit + 1)
        if wanted.open is not True and len(found) <= limit:
            before = {"before": place.before or _FAR, "before_id": place.after if place.before else 0}
            found += await self._read("view_past", **wanted.values(), **before, most=limit + 1 - len(found))
        shown = found[:limit]
        more = len(found) > limit
        return IncidentList(incidents=self._lines(shown), cursor=_place_after(shown[-1]).text() if more else None)

    async def waiting(self, most: int = 100) -> list[IncidentLine]:
        """Open incidents that wait for a decision of a person, wherever they stand in the list."""
        marked = await self._read("view_marked", marks=list(MARKS), most=most)
        return [line for line in self._lines(marked) if line.standing.person]

    async def incident(self, number: int) -> IncidentDetail:
        """One incident. Raises `NotFound`."""
        return detail_of(await self._one(number), self._clock.now())

    async def run(self, incident: int, number: int) -> RunView:
        """One run. Raises `NotFound`."""
        run = run_of(await self._one(incident), number)
        if run is None:
            raise NotFound(f"INC-{incident}.{number}", "there is no such run", "paramedic runs lists the active ones")
        return run

    async def runs_of(self, incident: int) -> list[RunView]:
        """All runs of one incident, the active one last. Raises `NotFound`."""
        return runs_of(await self._one(incident))

    async def runs(self, *, approval: bool = False, most: int = 50) -> RunList:
        """The active runs, of the most urgent incidents first; `approval`: only those that wait for one."""
        mark = _ASKING if approval else _RUNNING
        marked = await self._read("view_marked", marks=[mark], most=most + 1)
        active = [runs_of(incident)[-1] for incident in marked if incident.run is not None]
        chosen = [run for run in active if run.stage is Stage.APPROVAL or not approval]
        return RunList(runs=chosen[:most], more=len(marked) > most)

    async def switch(self) -> SwitchView:
        """The global switch."""
        row = (await self._rows.fetch("view_switch"))[0]
        return self.switch_of(Switch(**{**row, "mode": Mode(row["mode"])}))

    def switch_of(self, switch: Switch) -> SwitchView:
        """The switch as people see it; one whose time is over counts as `auto`."""
        over = switch.until is not None and switch.until <= self._clock.now()
        return SwitchView(
            mode=Mode.AUTO if over else switch.mode,
            in_force=in_force(switch, self._clock, self._highest),
            until=None if over else switch.until,
            who=switch.who,
            reason=switch.reason,
            at=switch.at,
            version=switch.version,
        )

    async def _one(self, number: int) -> Incident:
        found = await self._read("view_incident", id=number)
        if not found:
            raise NotFound(f"INC-{number}", "there is no such incident", "paramedic incidents lists them")
        return found[0]

    async def _read(self, name: str, /, **values: object) -> list[Incident]:
        rows = await self._rows.fetch(name, **values)
        return [self._decoder.decode(row["state"]) for row in rows]

    def _lines(self, incidents: Sequence[Incident]) -> list[IncidentLine]:
        now = self._clock.now()
        return [line_of(incident, now) for incident in incidents]


def _place_after(incident: Incident) -> Place:
    return Place(incident.severity, incident.id, None if incident.open else incident.opened_at)
