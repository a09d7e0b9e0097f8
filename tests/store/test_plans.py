"""How PostgreSQL carries out what the engine sends: by key, whatever it knows about the tables.

The statements are prepared once and kept, so the plan of an empty table must be the plan of a full one.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

import pytest

from paramedic.store.connect import ENGINE, Connection, connect
from paramedic.store.postgres.commit import compose
from paramedic.store.postgres.parts import parts_of
from paramedic.store.queries import Query, load

QUERIES: Mapping[str, Query] = load(files("paramedic.store") / "queries")
PARTS = parts_of(QUERIES)

SEED = """
insert into member select n, now(), true from generate_series(1, 200) n;
insert into delivery select n, now(), 'main', '', n % 1000 <> 0 from generate_series(1, 20000) n;
insert into forwarded select n, n % 64, now(), '' from generate_series(1, 5000) n;
insert into answer select n, now(), '' from generate_series(1, 5000) n;
insert into scope select n::text, n from generate_series(1, 5000) n;
insert into episode select 'main', n::text, 'Alert' || n % 50, n, n % 20 = 0, '' from generate_series(1, 20000) n;
insert into incident select n, n % 64, n::text, 'main', '', 'P1', '', '', now(), now(), 1, 1, 1, '', '', n % 20 = 0
  from generate_series(1, 20000) n;
insert into event select n, 1, now(), '', n % 1000 <> 0 from generate_series(1, 20000) n;
insert into effect select n, 1, n % 64, 'write', '' from generate_series(1, 5000) n;
insert into timer select n, 1, n % 64, now() + n * interval '1 s', 'page' from generate_series(1, 5000) n;
insert into hold select n::text, n, 1, now() from generate_series(1, 5000) n;
insert into change select 'main/shop/deployment/' || n % 50, '', n::text, now() - n * interval '1 s', '', ''
  from generate_series(1, 20000) n;
insert into change select '', n::text, n::text, now() - n * interval '1 s', '', '' from generate_series(1, 5000) n;
insert into use select n::text, now() + n * interval '1 s', n, 1 from generate_series(1, 20000) n;
"""

EMPTIED = ("delivery", "forwarded", "answer", "episode", "incident", "event", "effect", "timer", "hold", "use")

# What a part reads before it writes. Those that only insert read nothing.
COMMITS = {
    "routed": {"delivery_pkey"},
    "incidents_changed": {"incident_pkey"},
    "events_done": {"event_pkey"},
    "intents": {"effect_pkey"},
    "effects_gone": {"effect_pkey"},
    "timers_gone": {"timer_pkey"},
    "holds_gone": {"hold_pkey"},
    "forwarded_gone": {"forwarded_pkey"},
    "given": {"shard_pkey"},
}
READS = {
    "episodes": {"episode_pkey"},
    "episodes_of": {"episode_of"},
    "episodes_live_named": {"episode_live"},
    "switch": {"switch_pkey"},
    "bundle": {"bundle_pkey"},
    "bundle_in_force": {"bundle_pkey", "pointer_pkey"},
    "episodes_live": {"episode_of"},  # all that is open, and no more
    "bundle_adopt": {"pointer_pkey"},
    "member_renew": {"member_pkey"},
    "member_leave": {"member_pkey"},
    "members_alone": {"member_pkey"},
    "members_standing": {"member_pkey", "shard_pkey"},
    "claim": {"member_pkey"},
    "recover_shards": {"member_pkey", "shard_pkey"},
    "recover_switch": {"switch_pkey"},
    "recover_incidents": {"incident_mine"},
    "recover_effects": {"effect_pkey"},
    "recover_inbox": {"event_todo", "incident_pkey"},
    "recover_todo": {"delivery_todo", "member_pkey"},
    "recover_uses": {"use_at"},
    "uses_forgotten": {"use_at"},
    "forwarded": {"forwarded_to"},
    "answers": {"answer_pkey"},
    "places": {"incident_pkey"},
    "storms": {"incident_open"},
    "openings": {"incident_mine"},
    "scopes": {"scope_pkey", "hold_pkey", "use_pkey"},
    "changes_since": {"change_pkey", "change_of_service"},
    "change_report": {"change_at"},
}
# These read a table from end to end, which holds no more than what is open, or one row of each process.
WALKS = {
    "takeover": {"shard"},
    "recover_timers": {"timer"},
    "recover_holds": {"hold"},
    "answers_forgotten": {"answer"},
    "position_find": {"reached"},
}
# These read no table at all.
WITHOUT = {
    "member_number",
    "member_lock",
    "member_enter",
    "members_told",
    "takeover_begin",
    "incident_numbers",
    "position_system",
    "position_mark",
    "position_froze",
    "position_wal",
}
ELSEWHERE = {
    "shards_standing",  # below: it may count by either index
    *(name for name in QUERIES if name.startswith("view_")),  # tests/console/test_view_plans.py
}
SAME = {"member_id_fenced_key": "member_pkey"}  # both go by id


@dataclass(frozen=True)
class Plan:
    """What a plan uses."""

    indexes: set[str]
    walked: set[str]  # tables that are read from end to end
    joins: set[str]
    # Tables held row by row against another list, along an index or not. Reads of what is small may.
    unkeyed: frozenset[str] = field(default=frozenset(), compare=False)


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


async def plan_of(connection: Connection, text: str, params: int) -> Plan:
    """The plan that the engine's connection would keep for this statement."""
    await connection.execute(f"prepare looked_at as {text}")
    arguments = f"({', '.join(['null'] * params)})" if params else ""
    answer = await connection.fetchval(f"explain (format json) execute looked_at {arguments}")
    await connection.execute("deallocate looked_at")
    found = list(nodes(json.loads(answer)[0]["Plan"]))
    return Plan(
        indexes={SAME.get(node["Index Name"], node["Index Name"]) for node in found if "Index Name" in node},
        walked={node["Relation Name"] for node in found if node["Node Type"] == "Seq Scan"},
        joins={node["Node Type"] for node in found if node["Node Type"] in ("Hash Join", "Merge Join")},
        unkeyed=frozenset().union(*(without_key(node) for node in found if "Join Filter" in node)),
    )


def without_key(join: dict[str, Any]) -> set[str]:
    return {node["Relation Name"] for node in nodes(join) if "Relation Name" in node and "Index Cond" not in node}


@pytest.fixture(params=["empty", "full"])
async def engine_connection(request: pytest.FixtureRequest, new_database: str) -> Any:
    if request.param == "full":
        seeding = await connect(new_database)
        await seeding.execute(SEED)
        await seeding.execute("analyze")
        await seeding.close()
    connection = await connect(new_database, ENGINE)
    yield connection
    await connection.close()


async def test_every_part_of_a_commit_goes_by_key(engine_connection: Connection) -> None:
    """Each alone, so that a wrong plan names its part."""
    for part in PARTS:
        plan = await plan_of(engine_connection, compose(QUERIES, [part]), 2 + part.params)

        expected = COMMITS.get(part.name, set()) | {"member_pkey", "switch_pkey"}
        assert plan == Plan(expected, set(), set()), part.name


async def test_the_whole_commit_goes_by_key(engine_connection: Connection) -> None:
    plan = await plan_of(engine_connection, compose(QUERIES, PARTS), 2 + sum(part.params for part in PARTS))

    assert plan == Plan(set().union(*COMMITS.values(), {"member_pkey", "switch_pkey"}), set(), set())


async def test_every_part_goes_by_key_after_an_analyse_that_found_nothing(new_database: str) -> None:
    """A burst after a quiet night: each row of a commit would be held against every row that came since."""
    connection = await connect(new_database, ENGINE)
    await connection.execute(SEED)
    for table in EMPTIED:
        await connection.execute(f"delete from {table}")
    await connection.execute("analyze")

    for part in PARTS:
        plan = await plan_of(connection, compose(QUERIES, [part]), 2 + part.params)
        assert (part.name, plan.unkeyed) == (part.name, frozenset())
    for name in ("answers", "forwarded"):
        plan = await plan_of(connection, QUERIES[name].text, len(QUERIES[name].params))
        assert (name, plan.unkeyed) == (name, frozenset())
    await connection.close()


async def test_every_read_goes_by_key(engine_connection: Connection) -> None:
    plans = {name: await plan_of(engine_connection, QUERIES[name].text, len(QUERIES[name].params)) for name in READS}

    assert plans == {name: Plan(indexes, set(), set()) for name, indexes in READS.items()}


async def test_what_walks_through_a_table_is_known(engine_connection: Connection) -> None:
    names = [*WALKS, *WITHOUT, "shards_standing"]
    plans = {name: await plan_of(engine_connection, QUERIES[name].text, len(QUERIES[name].params)) for name in names}

    assert {name: plan.walked for name, plan in plans.items()} == {name: WALKS.get(name, set()) for name in names}
    assert not any(plan.joins for plan in plans.values())
    assert not any(plans[name].indexes for name in WITHOUT)


def test_no_query_is_left_out() -> None:
    """Derived from the files: whoever adds a query says here by which index it goes, or why it need not."""
    commits = {f"commit_{part.name}" for part in PARTS} | {"commit_fence", "commit_switch_kept", "commit_answer"}

    assert sorted([*commits, *READS, *WALKS, *WITHOUT, *ELSEWHERE]) == sorted(QUERIES)
    assert set(COMMITS) <= {part.name for part in PARTS}


async def test_a_scan_would_be_seen(new_database: str) -> None:
    """The tests above can fail: with the settings of other connections, or by a column without an index."""
    connection = await connect(new_database)
    await connection.execute("insert into hold select n::text, n, 1, now() from generate_series(1, 5000) n; analyze")
    await connection.execute("set plan_cache_mode = force_generic_plan")

    plan = await plan_of(connection, "select * from hold where run = $1", 1)

    assert plan.walked == {"hold"}
    await connection.close()
