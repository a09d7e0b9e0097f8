"""The doctor and the database: reached or not, up to date or not, writable or not."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from paramedic.clock import SystemClock
from paramedic.doctor.database import examine_database, password_of
from paramedic.doctor.finding import Finding, skewed
from paramedic.settings import Settings, read_settings
from paramedic.store.connect import connect
from tests.clients.servers import unused_port

TIMEOUT = 5.0


def settings(url: str) -> Settings:
    return read_settings({"PARAMEDIC_DATABASE_URL": url})


async def looked(url: str) -> list[Finding]:
    return list(await examine_database(settings(url), SystemClock(), TIMEOUT))


async def test_a_migrated_database_is_fine(database: str) -> None:
    found = await looked(database)

    assert [each.state for each in found] == ["fine", "fine", "fine"]
    assert [each.about for each in found] == ["PostgreSQL", "tables", "clock"]
    assert found[1].said == "all migrations are applied"


async def test_a_blank_one_is_filled_when_the_service_starts(blank_database: str) -> None:
    found = await looked(blank_database)

    assert found[1].state == "fine"
    assert "migrations are applied when the service starts" in found[1].said


async def test_looking_changes_nothing(blank_database: str) -> None:
    await looked(blank_database)
    connection = await connect(blank_database)
    try:
        assert await connection.fetchval("select count(*) from pg_tables where schemaname = 'public'") == 0
    finally:
        await connection.close()


async def test_one_that_a_newer_version_has_migrated_is_fine(database: str) -> None:
    connection = await connect(database)
    try:
        await connection.execute("insert into migration (version, name, checksum) values (9999, 'later', 'x')")
    finally:
        await connection.close()

    assert (await looked(database))[1].said == "all migrations are applied, and 1 of a newer version"


async def test_a_user_who_may_not_create_tables_is_wrong(blank_database: str) -> None:
    parts = urlsplit(blank_database)
    role = parts.path.strip("/").replace("test_", "nobody_")  # of this test's own: roles belong to the whole server
    connection = await connect(blank_database)
    try:
        await connection.execute(f"create role {role} login password 'x'")
        await connection.execute("revoke create on schema public from public")
        found = await looked(parts._replace(netloc=f"{role}:x@" + parts.netloc.rpartition("@")[2]).geturl())
    finally:
        await connection.execute(f"drop role if exists {role}")
        await connection.close()

    assert found[1].state == "wrong", found
    assert found[1].right == "grant the user CREATE on the schema"


async def test_nobody_there_is_wrong_and_says_what_to_do() -> None:
    [finding] = await looked(f"postgresql://ann:s3cret@127.0.0.1:{unused_port()}/x")

    assert finding.state == "wrong"
    assert finding.right == "start it, or correct PARAMEDIC_DATABASE_URL"
    assert "s3cret" not in finding.said


async def test_a_url_that_is_none_is_wrong() -> None:
    [finding] = await looked("mysql://x")

    assert finding.state == "wrong"
    assert finding.right == "write it as postgresql://user:password@host:5432/database"


async def test_an_embedded_one_lives_with_the_service(tmp_path: Path) -> None:
    one = read_settings({"PARAMEDIC_DATA": str(tmp_path)})
    [finding] = await examine_database(one, SystemClock(), TIMEOUT)

    assert finding.state == "open"
    assert str(tmp_path) in finding.said


@pytest.mark.parametrize(
    ("dsn", "password"),
    [("postgresql://a:b%40c@h/d", "b@c"), ("postgresql://h/d", ""), ("", ""), ("postgresql://[", "")],
)
def test_the_password_of_a_url(dsn: str, password: str) -> None:
    assert password_of(dsn) == password


NOW = datetime(2026, 5, 12, 9, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "state", "said"),
    [
        (0.0, "fine", "its clock is within 1s of ours"),
        (-5.0, "fine", "its clock is within 5s of ours"),
        (5.1, "wrong", "its clock is 5s ahead of ours"),
        (-3600.0, "wrong", "its clock is 1h behind ours"),
    ],
)
def test_clocks(seconds: float, state: str, said: str) -> None:
    finding = skewed("database", "clock", NOW + timedelta(seconds=seconds), NOW)

    assert (finding.state, finding.said) == (state, said)


def test_a_secret_is_struck_out_wherever_it_stands() -> None:
    finding = Finding("slack", "x", "wrong", "token abc-1 or abc", "renew abc-1")

    assert finding.without(["abc-1", "abc"]) == Finding("slack", "x", "wrong", "token *** or ***", "renew ***")
