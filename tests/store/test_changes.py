"""The table of reported changes: one row for one change, found by workload or service, and never without end."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from importlib.resources import files

import pytest

from paramedic.errors import Temporary
from paramedic.ports import Deployed
from paramedic.record.changes import KEPT, ReportedChanges
from paramedic.store.connect import connect
from paramedic.store.port import ChangeRow
from paramedic.store.postgres.changes import ChangeTable
from paramedic.store.queries import load
from tests.store.clock import HandClock
from tests.store.rows import NOW, at

QUERIES = load(files("paramedic.store") / "queries")
LONG_AGO = NOW - timedelta(days=400)
API = ChangeRow("main/shop/deployment/api", "", "api:42", NOW, "https://ci.example/7", "builder")


@pytest.fixture
async def table(database: str) -> AsyncIterator[ChangeTable]:
    made = ChangeTable(database, QUERIES)
    yield made
    await made.close()


async def keep(table: ChangeTable, *rows: ChangeRow) -> list[bool]:
    return [await table.report(row, oldest=LONG_AGO) for row in rows]


async def test_what_was_reported_is_read_back(table: ChangeTable) -> None:
    hostile = replace(API, version="x'); drop table change; -- é", at=at(1))

    assert await keep(table, API, hostile) == [True, True]
    assert await table.since(API.target, "", NOW, 20) == [hostile, API]


async def test_a_repeated_report_is_one_change(table: ChangeTable) -> None:
    other_link = replace(API, url="https://ci.example/8", who="somebody")

    assert await keep(table, API, API, other_link) == [True, False, False]
    assert await table.since(API.target, "", NOW, 20) == [API]


async def test_another_moment_version_or_target_is_another_change(table: ChangeTable) -> None:
    rows = [API, replace(API, at=at(1)), replace(API, version="api:43"), replace(API, target="main/shop/deployment/b")]

    assert await keep(table, *rows) == [True] * 4


async def test_only_what_is_new_enough_and_of_this_workload_is_found(table: ChangeTable) -> None:
    old, other = replace(API, at=at(-1)), replace(API, target="main/shop/deployment/api2")
    await keep(table, API, old, other)

    assert await table.since(API.target, "", NOW, 20) == [API]
    assert await table.since("main/shop/deployment/none", "", LONG_AGO, 20) == []


async def test_the_newest_come_first_and_no_more_than_asked(table: ChangeTable) -> None:
    await keep(table, *[replace(API, at=at(n)) for n in range(5)])

    assert [row.at for row in await table.since(API.target, "", LONG_AGO, 3)] == [at(4), at(3), at(2)]


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ("", True),
        ("main", True),
        ("main/shop", True),
        ("mai", False),
        ("main/sho", False),
        ("main/other", False),
        ("test", False),
    ],
)
async def test_a_service_is_found_where_it_runs(table: ChangeTable, place: str, found: bool) -> None:
    row = replace(API, target=place, service="checkout", version="v7")
    await keep(table, row)

    assert await table.since(API.target, "checkout", NOW, 20) == [row] * found
    assert await table.since(API.target, "", NOW, 20) == []
    assert await table.since(API.target, "other", NOW, 20) == []


async def test_workload_and_service_are_told_together_newest_first(table: ChangeTable) -> None:
    rows = [replace(API, target="", service="checkout", at=at(n)) for n in (1, 3)]
    await keep(table, API, *rows, replace(API, at=at(2)))

    assert [row.at for row in await table.since(API.target, "checkout", NOW, 3)] == [at(3), at(2), at(1)]


async def test_what_is_too_old_goes_a_little_with_each_report(table: ChangeTable, database: str) -> None:
    """Bounded, so that no report takes long; more than comes in, so that the table does not grow."""
    connection = await connect(database)
    await connection.execute(
        "insert into change select 't', '', n::text, $1::timestamptz, '', '' from generate_series(1, 250) n", at(-60)
    )
    left = []
    for n in range(3):
        await table.report(replace(API, at=at(n)), oldest=at(-1))
        left.append(await connection.fetchval("select count(*) from change where at < $1", at(-1)))
    await connection.close()

    assert left == [150, 50, 0]
    assert len(await table.since(API.target, "", LONG_AGO, 20)) == 3


async def test_a_connection_that_was_cut_is_made_anew(table: ChangeTable, database: str) -> None:
    """Whether the cut is noticed before the next call or in it depends on which of the two is there first."""
    await keep(table, API)
    other = await connect(database)
    await other.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and application_name = 'paramedic engine'"
    )
    await other.close()

    with contextlib.suppress(Temporary):
        await table.since(API.target, "", NOW, 20)
    assert await table.since(API.target, "", NOW, 20) == [API]


async def test_nothing_is_connected_before_the_first_call_and_a_database_that_is_away_is_temporary() -> None:
    table = ChangeTable("postgresql://127.0.0.1:1/nowhere", QUERIES)
    await table.close()

    with pytest.raises(Temporary):
        await table.since(API.target, "", NOW, 20)


async def test_behind_the_port_they_are_what_was_reported(table: ChangeTable) -> None:
    clock = HandClock()
    changes = ReportedChanges(table, clock)
    deployed = Deployed(clock.now(), API.target, "", "api:42", "https://ci.example/7", "builder")

    assert await changes.report(deployed)
    assert not await changes.report(deployed)
    assert await changes.since(API.target, "", clock.now()) == [deployed]


async def test_behind_the_port_they_are_kept_for_so_long(table: ChangeTable) -> None:
    clock = HandClock()
    changes = ReportedChanges(table, clock)
    old, kept = (Deployed(clock.now() - KEPT + timedelta(seconds=s), API.target, "", "v1") for s in (-1, 1))
    await changes.report(old)
    await changes.report(kept)

    assert await changes.since(API.target, "", clock.now() - 2 * KEPT) == [kept]
