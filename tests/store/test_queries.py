"""Named SQL files: names, comments and parameters, and a place in the file for every mistake."""

from pathlib import Path

import pytest

from paramedic.errors import Fault
from paramedic.store.connect import connect
from paramedic.store.queries import Query, load, parse


def one(sql: str) -> Query:
    """The only query of a file in which the statement begins in line 2."""
    [query] = parse(f"-- name: it\n{sql}\n", "it.sql")
    return query


def test_a_file_of_queries() -> None:
    source = """-- The incidents' file.

-- name: open_incident
-- Opens one;
-- answers its id.
insert into incident (id, key) values (:id, :key)
returning id;

-- name: incidents
select * from incident
where key = :key -- the :key of the rule
"""
    assert parse(source, "incident.sql") == (
        Query(
            "open_incident",
            "insert into incident (id, key) values ($1, $2)\nreturning id",
            ("id", "key"),
            "Opens one; answers its id.",
        ),
        Query("incidents", "select * from incident\nwhere key = $1 -- the :key of the rule", ("key",), ""),
    )


@pytest.mark.parametrize(
    ("sql", "text", "params"),
    [
        ("select :a, :b, :a", "select $1, $2, $1", ("a", "b")),
        ("select :a::int, b::text", "select $1::int, b::text", ("a",)),
        ("select :a ::int[]", "select $1 ::int[]", ("a",)),
        ("select (:a)::uuid,:b", "select ($1)::uuid,$2", ("a", "b")),
        ("select x=:a, -:b", "select x=$1, -$2", ("a", "b")),
        ("select ':a', 'it''s :b', :c", "select ':a', 'it''s :b', $1", ("c",)),
        (r"select E'\':a', e'\\', :b", r"select E'\':a', e'\\', $1", ("b",)),
        (r"select '\', :a, '\'", r"select '\', $1, '\'", ("a",)),
        ('select ":a" from "t"":b" where c = :c', 'select ":a" from "t"":b" where c = $1', ("c",)),
        ("select $$ :a $$, $x$ :b $$ $x$, :c", "select $$ :a $$, $x$ :b $$ $x$, $1", ("c",)),
        ("select 1 /* :a /* :b */ :c */ + :d", "select 1 /* :a /* :b */ :c */ + $1", ("d",)),
        ("select 1 -- :a 'open\n + :b", "select 1 -- :a 'open\n + $1", ("b",)),
        ("select x[1:2], x[lo:hi], y[1]:z", "select x[1:2], x[lo:hi], y[1]:z", ()),
        ("select f(a := :a)", "select f(a := $1)", ("a",)),
        ("select '12:30'::time, at time zone 'x' = :at_1", "select '12:30'::time, at time zone 'x' = $1", ("at_1",)),
        ("select 1;", "select 1", ()),
        ("select 1 ; \n ;\n", "select 1", ()),
        ("select ';', :a", "select ';', $1", ("a",)),
    ],
)
def test_only_parameters_become_numbers(sql: str, text: str, params: tuple[str, ...]) -> None:
    query = one(sql)
    assert (query.text, query.params) == (text, params)


@pytest.mark.parametrize(
    ("source", "where", "what"),
    [
        ("select 1\n-- name: a\nselect 2", "x.sql:1", "SQL before the first name"),
        ("select 1", "x.sql:1", "SQL before the first name"),
        ("-- name: a\n-- about\n\n-- name: b\nselect 1", "x.sql:1", "the query a has no SQL"),
        ("-- name: a\nselect 1\n-- name: a\nselect 2", "x.sql:1", "the name a is there twice"),
        ("\n-- name: A-b\nselect 1", "x.sql:2", "'A-b' is no name for a query"),
        ("-- name:\nselect 1", "x.sql:1", "'' is no name for a query"),
        ("-- name: a\nselect\n'open", "x.sql:3", "' is opened and never closed"),
        ('-- name: a\nselect "open', "x.sql:2", '" is opened and never closed'),
        ("-- name: a\nselect $x$ open $y$", "x.sql:2", "$x$ is opened and never closed"),
        ("-- name: a\nselect /* open /* */", "x.sql:2", "/* is opened and never closed"),
        ("-- name: a\nselect 1;\nselect 2", "x.sql:2", "a second statement follows"),
        ("-- name: a\nselect :a, $1", "x.sql:2", "$1 is a numbered parameter"),
    ],
)
def test_a_mistake_has_a_place_and_a_way_out(source: str, where: str, what: str) -> None:
    with pytest.raises(Fault) as fault:
        parse(source, "x.sql")
    assert (fault.value.where, fault.value.what) == (where, what)
    assert fault.value.right


def test_a_string_does_not_reach_into_the_next_query() -> None:
    with pytest.raises(Fault, match=r"x.sql:2: ' is opened"):
        parse("-- name: a\nselect 'open\n-- name: b\nselect 'x'", "x.sql")


def test_an_empty_file_has_no_queries() -> None:
    assert parse("-- nothing yet\n", "x.sql") == ()


class TestLoad:
    def test_every_sql_file_of_the_folder_is_read(self, tmp_path: Path) -> None:
        (tmp_path / "b.sql").write_text("-- name: two\nselect 2")
        (tmp_path / "a.sql").write_text("-- name: one\nselect 'ü'", encoding="utf-8")
        (tmp_path / "notes.txt").write_text("not SQL")
        queries = load(tmp_path)
        assert list(queries) == ["one", "two"]
        assert queries["one"].text == "select 'ü'"

    def test_a_name_is_good_for_one_query_in_all_files(self, tmp_path: Path) -> None:
        for name in ("a.sql", "b.sql"):
            (tmp_path / name).write_text("-- name: one\nselect 1")
        with pytest.raises(Fault, match=r"b.sql: another file has a query one too"):
            load(tmp_path)

    def test_nobody_adds_a_query_later(self, tmp_path: Path) -> None:
        assert not hasattr(load(tmp_path), "__setitem__")


class TestArguments:
    query = Query("it", "select $1, $2", ("b", "a"), "")

    def test_they_come_in_the_order_of_the_numbers(self) -> None:
        assert self.query.arguments(a=1, b=None) == (None, 1)

    @pytest.mark.parametrize(
        ("values", "said"),
        [({"a": 1}, r"query it: missing \['b'\], unknown \[\]"), ({"a": 1, "b": 2, "c": 3}, r"unknown \['c'\]")],
    )
    def test_one_too_few_or_too_many_is_a_mistake(self, values: dict[str, int], said: str) -> None:
        with pytest.raises(TypeError, match=said):
            self.query.arguments(**values)


async def test_the_database_understands_what_comes_out(database: str) -> None:
    query = one("select :a::int + :b::int as sum, ':c' as text, E'\\':d' as quoted /* :e */ where :a = 1 -- :f")
    connection = await connect(database)
    row = await connection.fetchrow(query.text, *query.arguments(a=1, b=2))
    await connection.close()
    assert row is not None
    assert tuple(row) == (3, ":c", "':d")
