"""The one statement that a commit is: what it is made of, how many of them are kept, what becomes of its errors."""

import re
from collections.abc import Mapping
from dataclasses import fields
from importlib.resources import files
from itertools import combinations

import asyncpg
import pytest

from paramedic.store.connect import ENGINE, connect
from paramedic.store.port import Batch, Doubtful
from paramedic.store.postgres.commit import KEPT, Committer, compose
from paramedic.store.postgres.parts import parts_of
from paramedic.store.queries import Query, load
from tests.store import rows
from tests.store.stores import PostgresStores

QUERIES: Mapping[str, Query] = load(files("paramedic.store") / "queries")
PARTS = parts_of(QUERIES)
NAMED = {part.name: part for part in PARTS}


def numbers(text: str) -> list[int]:
    """The parameters in the order in which they first appear."""
    return list(dict.fromkeys(int(number) for number in re.findall(r"\$(\d+)", text)))


@pytest.mark.parametrize("names", [(), ("deliveries",), ("routed", "holds_gone"), tuple(NAMED)])
def test_parameters_are_numbered_through(names: tuple[str, ...]) -> None:
    parts = [NAMED[name] for name in names]

    assert numbers(compose(QUERIES, parts)) == list(range(1, 3 + sum(part.params for part in parts)))


def test_every_part_joins_the_fence() -> None:
    """Promise 5: a part that forgot it would write for a member that is no longer one."""
    for part in PARTS:
        assert re.search(r"\bfence\b", part.text), part.name


def test_every_part_of_a_batch_has_its_sql() -> None:
    taken = {part.name for part in PARTS if part.rows(rows.full())}

    assert taken == set(NAMED)
    assert {f"commit_{name}" for name in NAMED} < {name for name in QUERIES if name.startswith("commit_")}
    assert {name.removesuffix("_changed").removesuffix("_new") for name in NAMED} == {
        part.name for part in fields(Batch)
    }


def test_only_what_is_there_is_in_the_statement() -> None:
    text = compose(QUERIES, [NAMED["timers"]])

    assert "insert into timer" in text
    assert text.count("insert") == 1


def test_what_depends_on_another_part_does_so_only_where_it_is() -> None:
    alone, both = compose(QUERIES, [NAMED["holds"]]), compose(QUERIES, [NAMED["holds_gone"], NAMED["holds"]])

    assert "did_holds_gone" not in alone
    assert "where (select count(*) from did_holds_gone) >= 0" in both


async def test_the_server_keeps_a_bounded_number_of_statements(database: str) -> None:
    """Each takes 0.4 MB there. Batches of ever new shapes share the statement of all parts, and come out the same."""
    connection = await connect(database, ENGINE)
    await connection.execute("insert into member values (1, 'infinity')")
    committer = Committer(connection, 1, QUERIES, timeout=5.0)
    names = ["rejected", "uses", "evidence", "episodes", "timers", "deliveries", "events", "timeline"]
    shapes = [shape for size in (1, 2, 3) for shape in combinations(names, size)]

    for n, shape in enumerate(shapes):
        given = Batch()
        for name in shape:
            getattr(given, name).append(row_of(name, n))
        await committer.commit(given)
    committed = await committer.commit(Batch(switch=rows.switch(1)))

    assert len(shapes) > KEPT + 20
    assert committed.switch == rows.switch(1)
    kept = await connection.fetchval("select count(*) from pg_prepared_statements where statement ~ '^with fence'")
    assert KEPT <= kept <= KEPT + 2
    for name, table in {"rejected": "rejected", "uses": "use", "episodes": "episode", "timers": "timer"}.items():
        count = await connection.fetchval(f"select count(*) from {table}")
        assert count == sum(name in shape for shape in shapes), name
    await connection.close()


def row_of(name: str, n: int) -> object:
    """A row for this part of a batch."""
    made = {
        "rejected": rows.rejected(n),
        "uses": rows.use(f"u{n}"),
        "evidence": rows.evidence(f"d{n}"),
        "episodes": rows.episode(f"e{n}"),
        "timers": rows.timer(n, 1),
        "deliveries": rows.delivery(n),
        "events": rows.event(n, 1),
        "timeline": rows.decided(n, 1),
    }
    return made[name]


@pytest.mark.parametrize("text", ["nul \0", "surrogate \ud800"])
async def test_what_the_database_cannot_keep_fails_the_commit_whole(postgres: PostgresStores, text: str) -> None:
    """Intake lets neither through; should one come all the same, nothing is half written."""
    store = await postgres.member()

    with pytest.raises(Doubtful):
        await store.commit(Batch(incidents=[rows.incident(1, title=text)], deliveries=[rows.delivery(1)]))

    assert not any((await postgres.kept()).values())


async def test_an_error_says_what_the_database_said(postgres: PostgresStores) -> None:
    store = await postgres.member(rows.before())

    with pytest.raises(Doubtful, match="incident_open") as raised:
        await store.commit(Batch(incidents=[rows.incident(9, key="main/id=1")]))

    assert isinstance(raised.value.__cause__, asyncpg.UniqueViolationError)


async def test_a_database_that_is_gone_is_a_doubt(postgres: PostgresStores) -> None:
    """Promise 1: the answer never came, so nobody may say that it was kept."""
    store = await postgres.member()
    await postgres.cut("engine")

    with pytest.raises(Doubtful) as raised:
        await store.commit(rows.before())

    assert raised.value.__cause__ is not None
    await store.join()
    await store.commit(rows.before())


def test_numbers_and_moments_go_as_the_text_of_an_array() -> None:
    """The driver looks at each element of an array with the slowest question that Python has."""
    part = NAMED["effects"]
    one, two = rows.effect(1, 1, intended=True, until=rows.NOW), rows.effect(2, 7)
    columns = part.columns([one, two])

    assert columns[:2] == ["{1, 2}", "{1, 7}"]
    assert columns[-2:] == ["{True, False}", f"{{{rows.NOW.isoformat()},NULL}}"]
    assert part.empty == ["{}", "{}", "{}", (), (), "{}", "{}"]
    asked = re.findall(r"\$\d+::(?!text|bytea)\w+\[\]", compose(QUERIES, PARTS))
    assert asked == []
