"""The parts of a commit: which rows of a batch each one takes, and how they become one array for each column.

`commit` puts the parts that have rows into one statement. A part's SQL (`queries/commit.sql`) names the fields that it
wants: its parameter `:seq` is the `seq` of every row.

Numbers and moments go as the text of an array, `:seq::text::int[]`: the driver asks of each element of an array whether
it is one itself, which took a fifteenth of the time of an alert.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

import msgspec

from paramedic.core.model import Episode
from paramedic.core.text import iso
from paramedic.store.port import Batch
from paramedic.store.queries import Query

__all__ = ["Part", "parts_of"]

Rows = Sequence[Any]
Columns = Sequence[Any]
Write = Callable[[Sequence[Any]], Any]

_AS_TEXT = re.compile(r"\$(\d+)::text::(\w+)\[\]")


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the statement. `empty` stands for its columns where it has no rows.

    `after` names the part that must have run before this one where both are there. A `counted` part fails the commit
    unless it changes exactly as many rows as it was given.
    """

    name: str
    text: str
    params: int
    rows: Callable[[Batch], Rows]
    columns: Callable[[Rows], Columns]
    empty: Columns
    after: str = ""
    counted: bool = False


def parts_of(queries: Mapping[str, Query]) -> tuple[Part, ...]:
    """Every part, in the order in which they stand in the statement."""

    def part(
        name: str,
        rows: Callable[[Batch], Rows],
        columns: Callable[[Rows], Columns] | None = None,
        *,
        after: str = "",
        counted: bool = False,
    ) -> Part:
        query = queries[f"commit_{name}"]
        writes, of = _writes(query), columns or _fields(query)

        def written(some: Rows) -> Columns:
            return [write(column) for write, column in zip(writes, of(some), strict=True)]

        empty = [write(()) for write in writes]
        return Part(name, query.text, len(query.params), rows, written, empty, after, counted)

    return (
        part("deliveries", lambda batch: batch.deliveries),
        part("routed", lambda batch: batch.routed, _values),
        part("rejected", lambda batch: batch.rejected),
        part("episodes", lambda batch: batch.episodes, _episodes, counted=True),
        part("incidents_changed", _changed, counted=True),
        part("incidents_new", lambda batch: [row for row in batch.incidents if row.new], after="incidents_changed"),
        part("events", lambda batch: batch.events),
        part("events_done", lambda batch: batch.events_done, _tuples),
        part("timeline", lambda batch: batch.timeline),
        part("effects", lambda batch: batch.effects),
        part("intents", lambda batch: batch.intents, _tuples, counted=True),
        part("effects_gone", lambda batch: batch.effects_gone, _tuples),
        part("timers", lambda batch: batch.timers),
        part("timers_gone", lambda batch: batch.timers_gone, _tuples),
        part("holds_gone", lambda batch: batch.holds_gone, _values),
        part("holds", lambda batch: batch.holds, after="holds_gone"),
        part("uses", lambda batch: batch.uses),
        part("evidence", lambda batch: batch.evidence),
        part("forwarded", lambda batch: batch.forwarded),
        part("forwarded_gone", lambda batch: batch.forwarded_gone, _values),
        part("answers", lambda batch: batch.answers),
        part("given", lambda batch: batch.given, _tuples, counted=True),
        part("tell", lambda batch: [True] if batch.tell else [], lambda _: (), counted=True),
        part("switch", _switch, _only(queries["commit_switch"]), counted=True),
    )


def _changed(batch: Batch) -> Rows:
    """Those that are closed first: the row that frees a key must come before the one that takes it."""
    return sorted((row for row in batch.incidents if not row.new), key=lambda row: row.open)


def _switch(batch: Batch) -> Rows:
    return [batch.switch] if batch.switch else []


def _writes(query: Query) -> Sequence[Write]:
    """How each parameter's values become what the driver takes."""
    kinds = {int(found[1]): found[2] for found in _AS_TEXT.finditer(query.text)}
    by_kind: Mapping[str | None, Write] = {None: _as_it_is, "timestamptz": _moments}
    return [by_kind.get(kinds.get(place), _numbers) for place in range(1, len(query.params) + 1)]


def _as_it_is(values: Sequence[Any]) -> Any:
    return values


def _numbers(values: Sequence[int | bool | None]) -> str:
    return "{" + str(list(values))[1:-1].replace("None", "NULL") + "}"


def _moments(values: Sequence[datetime | None]) -> str:
    """Most rows of a commit have the same one, which is written once."""
    written = {one: "NULL" if one is None else iso(one) for one in set(values)}
    return "{" + ",".join([written[one] for one in values]) + "}"


def _fields(query: Query) -> Callable[[Rows], Columns]:
    values = attrgetter(*query.params)
    return lambda rows: tuple(zip(*map(values, rows), strict=True))


def _only(query: Query) -> Callable[[Rows], Columns]:
    """For the one part that takes a single row, value by value."""
    values = attrgetter(*query.params)
    return lambda rows: values(rows[0])


def _tuples(rows: Rows) -> Columns:
    return tuple(zip(*rows, strict=True))


def _values(rows: Rows) -> Columns:
    return (rows,)


def _episodes(rows: Sequence[Episode]) -> Columns:
    """The columns that look-ups need, and the whole episode as JSON. `live`: open, or in doubt whether it is."""
    encode = msgspec.json.Encoder().encode
    made = [
        (
            one.source,
            one.identity,
            one.alertname,
            one.incident,
            one.open or one.doubted_at is not None,
            encode(one),
            one.version,
        )
        for one in rows
    ]
    return tuple(zip(*made, strict=True))
