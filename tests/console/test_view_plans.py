"""The questions that people ask all day go by an index, however many incidents there are: PostgreSQL's own plans."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from paramedic.store.connect import Connection
from tests.console.seed import NOW, an_incident
from tests.console.serving import queries

MANY = 4000
QUERIES = queries()
ANY = {"severity": None, "phase": None, "since": None, "id": None, "q": None}

FILL = """
insert into incident
select n, n % 64, 'k' || n, 'main', 'title ' || n, 'P' || n % 4, 'responding', 'rule',
       $1::timestamptz - n * interval '1 min', $1, 1, 1, 1, '\\x00', $2, n % 10 = 0
from generate_series(1, $3) n
"""
FILL_TIMELINE = """
insert into timeline select n % 40, n, $1::timestamptz, '[]', '\\x00' from generate_series(1, $2) n
"""


@pytest.fixture
async def many(seeding: Connection) -> Connection:
    await seeding.execute(FILL, NOW, msgspec.json.encode(an_incident(1)), MANY)
    await seeding.execute(FILL_TIMELINE, NOW, MANY)
    await seeding.execute("insert into evidence select md5(n::text), 'x', '' from generate_series(1, 2000) n")
    await seeding.execute("analyze")
    return seeding


async def plan_of(connection: Connection, name: str, **values: object) -> list[dict[str, Any]]:
    """Every node of the plan."""
    query = QUERIES[name]
    found = await connection.fetchval(f"explain (format json) {query.text}", *query.arguments(**values))
    return list(nodes(json.loads(found)[0]["Plan"]))


def nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for below in node.get("Plans", []):
        yield from nodes(below)


def kinds(plan: list[dict[str, Any]]) -> set[str]:
    return {node["Node Type"] for node in plan}


def indexes(plan: list[dict[str, Any]]) -> set[str]:
    return {node["Index Name"] for node in plan if "Index Name" in node}


FILTERS: list[dict[str, object]] = [
    {},
    {"severity": "P1"},
    {"phase": "responding"},
    {"since": NOW},
    {"q": "title 1"},
]


async def test_open_incidents_come_in_order_out_of_their_index(many: Connection) -> None:
    for filters in FILTERS:
        for severity, number in (("", 0), ("P2", -2000)):
            values = {**ANY, **filters, "after_severity": severity, "after_id": number, "most": 51}

            plan = await plan_of(many, "view_open", **values)

            assert "Seq Scan" not in kinds(plan), filters
            assert indexes(plan) <= {"incident_urgent", "incident_mine", "incident_open"}, filters
            if not filters:
                assert not any("Sort" in kind for kind in kinds(plan))


async def test_past_incidents_come_in_order_out_of_their_index(many: Connection) -> None:
    for filters in FILTERS:
        values = {**ANY, **filters, "before": NOW, "before_id": 2000, "most": 51}

        plan = await plan_of(many, "view_past", **values)

        assert indexes(plan) == {"incident_past"}, filters
        assert not any("Sort" in kind for kind in kinds(plan)), filters


async def test_what_waits_for_a_person_is_looked_for_among_the_open_ones_only(many: Connection) -> None:
    plan = await plan_of(many, "view_marked", marks=[b'"stage":"approval"'], most=101)

    assert indexes(plan) <= {"incident_urgent", "incident_mine", "incident_open"}
    assert not any(node.get("Relation Name") == "incident" for node in plan if node["Node Type"] == "Seq Scan")


async def test_one_thing_is_found_by_its_key(many: Connection) -> None:
    values: dict[str, dict[str, object]] = {
        "view_incident": {"id": 7},
        "view_timeline": {"id": 7, "after": 0, "upto": 5000, "most": 500},
        "view_evidence": {"digest": "a" * 64},
    }
    for name, about in values.items():
        plan = await plan_of(many, name, **about)

        assert indexes(plan) == {f"{name.removeprefix('view_')}_pkey"}
        assert "Seq Scan" not in kinds(plan)


async def test_every_query_of_the_views_is_looked_at_here_or_reads_one_row() -> None:
    looked_at = {"view_open", "view_past", "view_marked", "view_incident", "view_timeline", "view_evidence"}

    assert {name for name in QUERIES if name.startswith("view_")} - looked_at == {"view_switch"}


async def test_the_indexes_of_the_lists_do_not_keep_an_update_from_staying_in_its_page(many: Connection) -> None:
    """A change of an incident's state must not touch an index: those of the lists hold nothing that changes."""
    await many.execute("vacuum incident")
    before = await many.fetchval("select pg_stat_get_xact_tuples_hot_updated('incident'::regclass)")
    async with many.transaction():
        await many.execute("update incident set state = '\\x01', phase = 'resolved', version = 2 where id = 4000")
        hot = await many.fetchval("select pg_stat_get_xact_tuples_hot_updated('incident'::regclass)")

    assert hot - (before or 0) == 1
