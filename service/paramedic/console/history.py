"""Timelines as people read them: entries, whether the chain holds, the raw rows as proof, evidence. Read models too.

`api` and `pages` call it. A timeline may be long, so it is read in slices; each answer checks the whole chain and keeps
only the entries that were asked for.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from paramedic.console.models import ChainView, EntryView, EvidenceRef, ExportView, RawRow, TimelineView
from paramedic.console.views import Rows, Views
from paramedic.core.decision import Entry
from paramedic.engine.inputs import NotFound
from paramedic.errors import Fault
from paramedic.record.timeline import chain, decode_entries, first_link

__all__ = ["ENTRIES", "Exhibit", "History"]

ENTRIES = 5000  # entries in one answer
SLICE = 500  # rows in one read
LONGEST_EXPORT = 50_000  # rows


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a timeline."""

    seq: int
    at: datetime
    body: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A piece of evidence, whole."""

    digest: str
    name: str
    body: bytes


@dataclass(slots=True)
class Chain:
    """A chain being checked row by row. `head` and `entries` are where the incident says that it ends."""

    link: bytes
    head: bytes
    entries: int
    seen: int = 0
    fault: str = ""

    def add(self, row: Row, count: int) -> None:
        """Check the next row, which holds `count` entries."""
        self.link = chain(self.link, row.at, row.body)
        if self.fault:
            return
        if row.seq != self.seen + 1:
            self.fault = f"entry {self.seen + 1} is missing"
        elif self.link != row.hash:
            self.fault = f"entry {row.seq} is not what was written"
        self.seen += count

    def view(self) -> ChainView:
        """The verdict once all rows were added."""
        fault = self.fault
        if not fault and self.seen < self.entries:
            fault = f"entry {self.seen + 1} is missing"
        elif not fault and self.link != self.head:
            fault = "the last entry is not the one that the incident ends with"
        return ChainView(verified=not fault, entries=self.entries, head=self.head.hex(), fault=fault)


class History:
    """Timelines, their proof, and the evidence that they cite."""

    def __init__(self, rows: Rows, views: Views) -> None:
        self._rows = rows
        self._views = views

    async def timeline(self, incident: int, *, after: int = 0, limit: int = 1000) -> TimelineView:
        """At most `limit` entries with a number above `after`. Negative: so many from the end. Raises `NotFound`."""
        limit = max(1, min(limit, ENTRIES))
        checked = await self._chain(incident)
        after = max(0, checked.entries + after) if after < 0 else after
        shown: list[EntryView] = []
        async for row in self._read(incident, checked.entries):
            entries = _entries(row)
            checked.add(row, len(entries))
            wanted = row.seq + len(entries) > after + 1 and len(shown) < limit
            shown += [_entry(row, n, entry) for n, entry in enumerate(entries, row.seq) if wanted and n > after]
        shown = shown[:limit]
        more = bool(shown) and shown[-1].number < checked.entries
        return TimelineView(
            incident=f"INC-{incident}",
            chain=checked.view(),
            entries=shown,
            next=shown[-1].number if more else None,
        )

    async def export(self, incident: int) -> ExportView:
        """The incident with every row of its timeline as it was hashed. Raises `NotFound`, `Fault` when too long."""
        detail = await self._views.incident(incident)
        checked = await self._chain(incident)
        rows: list[RawRow] = []
        async for row in self._read(incident, checked.entries):
            checked.add(row, len(_entries(row)))
            rows.append(
                RawRow(seq=row.seq, at=row.at.isoformat(), body=row.body.decode(errors="replace"), hash=row.hash.hex())
            )
            if len(rows) > LONGEST_EXPORT:
                raise Fault("incident", f"more than {LONGEST_EXPORT} rows", "read its timeline in parts, with `after`")
        return ExportView(incident=detail, chain=checked.view(), rows=rows)

    async def evidence(self, digest: str) -> Exhibit:
        """One piece of evidence. Raises `NotFound`."""
        if len(digest) == 64 and digest.isalnum() and digest.isascii():
            for row in await self._rows.fetch("view_evidence", digest=digest):
                return Exhibit(row["digest"], row["name"], bytes(row["body"]))
        raise NotFound("evidence", f"there is none with the digest {digest[:64]!a}", "a timeline cites what there is")

    async def _chain(self, incident: int) -> Chain:
        rows = await self._rows.fetch("view_incident", id=incident)
        if not rows:
            raise NotFound(f"INC-{incident}", "there is no such incident", "paramedic incidents lists them")
        return Chain(first_link(incident), bytes(rows[0]["head"]), rows[0]["entries"])

    async def _read(self, incident: int, entries: int) -> AsyncIterator[Row]:
        """The rows up to the entry with number `entries`: what is written meanwhile is left for the next answer."""
        after = 0
        while after < entries:
            found = await self._rows.fetch("view_timeline", id=incident, after=after, upto=entries, most=SLICE)
            for raw in found:
                yield _row(raw)
            if len(found) < SLICE:
                return
            after = found[-1]["seq"]


def _row(raw: Any) -> Row:
    return Row(raw["seq"], raw["at"].astimezone(UTC), bytes(raw["body"]), bytes(raw["hash"]))


def _entries(row: Row) -> tuple[Entry, ...]:
    """The row's entries; none where somebody has made it unreadable, which the chain then says."""
    try:
        return decode_entries(row.body)
    except msgspec.MsgspecError:
        return ()


def _entry(row: Row, number: int, entry: Entry) -> EntryView:
    return EntryView(
        number=number,
        at=row.at,
        kind=entry.kind,
        text=entry.text,
        note=entry.note,
        who=entry.who,
        seen=entry.seen,
        evidence=[EvidenceRef(name=one.name, digest=one.digest, size=one.size) for one in entry.evidence],
    )
