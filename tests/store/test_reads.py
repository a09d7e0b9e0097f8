"""Reading for people is read-only, bounded in time and in connections, and its failures may pass."""

import pytest

from paramedic.errors import Permanent, Temporary
from paramedic.store import reads as under_test
from paramedic.store.connect import Profile, open_pool
from paramedic.store.queries import Query, parse
from paramedic.store.reads import Reads, open_reads

SOURCE = """
-- name: settings
select current_setting('default_transaction_read_only') as readonly, current_setting('statement_timeout') as timeout
-- name: numbers
select n from generate_series(1, :most::int) n
-- name: slow
select pg_sleep(20)
-- name: write
insert into bundle values ('x', now(), '')
-- name: wrong
select nothing from nowhere
"""
QUERIES = {query.name: query for query in parse(SOURCE, "reads.sql")}


async def test_rows_by_column(database: str) -> None:
    async with await open_reads(database, QUERIES) as reads:
        assert await reads.fetch("numbers", most=2) == [{"n": 1}, {"n": 2}]
        assert await reads.fetch("numbers", most=0) == []


async def test_a_statement_is_bounded_and_changes_nothing(database: str) -> None:
    async with await open_reads(database, QUERIES) as reads:
        assert await reads.fetch("settings") == [{"readonly": "on", "timeout": "4s"}]
        with pytest.raises(Permanent, match="reading write: cannot execute INSERT in a read-only transaction"):
            await reads.fetch("write")


async def test_a_slow_statement_is_ended_by_the_server_and_may_be_tried_again(database: str) -> None:
    pool = await open_pool(database, Profile("slow", {"statement_timeout": "20ms"}), size=1)
    async with Reads(pool, QUERIES) as reads:
        with pytest.raises(Temporary, match="reading slow: canceling statement due to statement timeout"):
            await reads.fetch("slow")
        assert await reads.fetch("numbers", most=1) == [{"n": 1}]


async def test_a_server_that_has_gone_silent_is_not_waited_for(database: str) -> None:
    pool = await open_pool(database, Profile("silent", statement_timeout=0.05), size=1)
    async with Reads(pool, QUERIES) as reads:
        with pytest.raises(Temporary, match="reading slow: "):
            await reads.fetch("slow")


async def test_when_all_are_busy_one_is_told_to_come_back(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_test, "PATIENCE", 0.02)
    pool = await open_pool(database, size=1)
    async with Reads(pool, QUERIES) as reads, pool.acquire():
        with pytest.raises(Temporary, match="reading numbers: "):
            await reads.fetch("numbers", most=1)


async def test_a_query_that_cannot_work_is_no_use_trying_again(database: str) -> None:
    async with await open_reads(database, QUERIES) as reads:
        with pytest.raises(Permanent, match='reading wrong: relation "nowhere" does not exist'):
            await reads.fetch("wrong")


async def test_after_the_end_nothing_is_read(database: str) -> None:
    reads = await open_reads(database, QUERIES)
    await reads.close()

    with pytest.raises(Temporary):
        await reads.fetch("numbers", most=1)


async def test_a_missing_argument_is_a_mistake_of_the_caller(database: str) -> None:
    query: Query = QUERIES["numbers"]
    async with await open_reads(database, {"numbers": query}) as reads:
        with pytest.raises(TypeError, match=r"missing \['most'\]"):
            await reads.fetch("numbers")
        with pytest.raises(KeyError):
            await reads.fetch("unknown")
