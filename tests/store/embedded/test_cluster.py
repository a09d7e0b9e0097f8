"""The database's folder: made in one step or not at all, and left alone when it is not ours to use."""

import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from paramedic.clock import SystemClock
from paramedic.errors import Permanent
from paramedic.store.connect import connect
from paramedic.store.embedded import cluster
from paramedic.store.embedded.account import Account, How
from paramedic.store.embedded.binaries import Binaries
from paramedic.store.embedded.cluster import DURABLE, Tuning, dsn, exists, make, server_command
from paramedic.store.embedded.folder import DataFolder, held
from paramedic.store.embedded.supervisor import EmbeddedPostgres
from tests.postgres import FAST
from tests.store.embedded.parts import GOOD_INITDB, MAJOR, pretended

SAME = Account(How.SAME)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[DataFolder]:
    with held(tmp_path / "data") as folder:
        yield folder


@pytest.fixture
def programs(tmp_path: Path) -> Binaries:
    return pretended(tmp_path, initdb=GOOD_INITDB)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class TestMake:
    async def test_it_appears_with_its_password(self, folder: DataFolder, programs: Binaries) -> None:
        await make(folder, SAME, programs, DURABLE)
        assert exists(folder, programs)
        assert stat.S_IMODE(folder.password.stat().st_mode) == 0o600
        assert stat.S_IMODE(folder.cluster.stat().st_mode) == 0o700
        assert len(folder.password.read_text()) == 64
        assert (folder.path / "read").read_text() == folder.password.read_text()
        assert sorted(path.name for path in folder.path.iterdir()) == ["lock", "postgres", "read", "words"]

    async def test_initdb_is_asked_for_what_was_promised(self, folder: DataFolder, programs: Binaries) -> None:
        await make(folder, SAME, programs, Tuning(initdb=("--no-sync",)))
        words = (folder.path / "words").read_text().split()
        assert {
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--builtin-locale=C.UTF-8",
            "--data-checksums",
            "--no-sync",
        } <= set(words)
        assert not [word for word in words if folder.password.read_text() in word], "a command line is for all to see"

    async def test_each_database_has_a_password_of_its_own(self, tmp_path: Path, programs: Binaries) -> None:
        passwords = set()
        for name in ("a", "b"):
            with held(tmp_path / name) as folder:
                await make(folder, SAME, programs, DURABLE)
                passwords.add(folder.password.read_text())
        assert len(passwords) == 2

    async def test_what_a_crash_left_half_made_is_thrown_away(self, folder: DataFolder, programs: Binaries) -> None:
        folder.unfinished.mkdir()
        (folder.unfinished / "junk").write_text("half")
        (folder.path / "password.new").write_text("old")
        assert not exists(folder, programs)
        await make(folder, SAME, programs, DURABLE)
        assert sorted(path.name for path in folder.cluster.iterdir()) == ["PG_VERSION", "paramedic.password"]
        assert folder.password.read_text() != "old"

    async def test_a_full_disk_leaves_nothing_and_says_so(self, folder: DataFolder, tmp_path: Path) -> None:
        full = pretended(
            tmp_path,
            initdb="echo 'creating subdirectories ... ok'; touch postgres.new/part;"
            "echo 'initdb: error: could not write file \"PG_VERSION\": No space left on device' >&2; exit 1",
        )
        with pytest.raises(Permanent) as failure:
            await make(folder, SAME, full, DURABLE)
        assert str(failure.value) == (
            f"the database could not be made: the disk that holds {folder.path} is full; make room, then start again"
            ' (could not write file "PG_VERSION": No space left on device)'
        )
        assert [path.name for path in folder.path.iterdir()] == ["lock"]

    async def test_an_initdb_that_hangs_ends(
        self, folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(cluster, "INITDB_TIME", 0.3)
        with pytest.raises(Permanent, match=r"initdb did not end within 0.3 s"):
            await make(folder, SAME, pretended(tmp_path, initdb="sleep 60"), DURABLE)
        assert not folder.cluster.exists()


class TestExists:
    @pytest.fixture(autouse=True)
    def a_folder(self, folder: DataFolder) -> None:
        folder.cluster.mkdir()
        (folder.cluster / "base").write_text("precious")

    def test_a_database_of_this_version_does(self, folder: DataFolder, programs: Binaries) -> None:
        (folder.cluster / "PG_VERSION").write_text(f"{MAJOR}\n")
        assert exists(folder, programs)

    def test_one_of_another_version_is_refused_with_the_way_to_carry_it_over(self, folder: DataFolder) -> None:
        (folder.cluster / "PG_VERSION").write_text("15\n")
        with pytest.raises(Permanent) as failure:
            exists(folder, Binaries(Path("/programs"), 18, "18.6.3"))
        assert str(failure.value).startswith(f"the database in {folder.cluster} was made by PostgreSQL 15, and this is")
        for word in ("PostgreSQL 18; it was not touched", "pg_dumpall", "psql", "move the folder away"):
            assert word in str(failure.value)

    def test_something_else_is_refused(self, folder: DataFolder, programs: Binaries) -> None:
        with pytest.raises(
            Permanent, match=r"is not a PostgreSQL database \(it has no PG_VERSION\) and was not touched"
        ):
            exists(folder, programs)

    @pytest.mark.parametrize("version", ["15\n", None])
    async def test_what_is_refused_is_not_touched(
        self, folder: DataFolder, tmp_path: Path, version: str | None
    ) -> None:
        """By a whole start, and with a pid file that a start would have cleared."""
        if version:
            (folder.cluster / "PG_VERSION").write_text(version)
        (folder.cluster / "postmaster.pid").write_text("1\n")
        other = tmp_path / "other"
        shutil.copytree(folder.path, other)
        before = contents(other / "postgres")
        with pytest.raises(Permanent, match="was not touched"):
            await EmbeddedPostgres(other, SystemClock(), programs=pretended(tmp_path)).__aenter__()
        assert contents(other / "postgres") == before
        assert sorted(path.name for path in other.iterdir()) == ["lock", "postgres"]


class TestServer:
    def test_settings_are_said_and_a_tuning_comes_last(self, folder: DataFolder, programs: Binaries) -> None:
        tuned = Tuning(settings={"fsync": "off"})
        words = server_command(folder, SAME, programs, tuned, Path("/s"))
        assert "fsync=off" in words
        assert "fsync=on" not in words
        assert "fsync=on" in server_command(folder, SAME, programs, DURABLE, Path("/s"))
        assert "listen_addresses=" in words

    def test_a_url_survives_any_path(self, folder: DataFolder) -> None:
        folder.cluster.mkdir()
        folder.password.write_text("secret")
        assert dsn(folder, Path("/a b/ü?#&%/run")) == (
            "postgresql://paramedic:secret@/postgres?host=%2Fa%20b%2F%C3%BC%3F%23%26%25%2Frun&port=5432"
        )

    def test_a_lost_password_is_a_clear_failure(self, folder: DataFolder) -> None:
        with pytest.raises(Permanent, match=r"paramedic.password is missing: put it back from a backup"):
            dsn(folder, Path("/s"))

    async def test_it_serves_from_a_folder_of_any_name(self, room: Path, made: Path) -> None:
        odd = room / 'my, "data" é=\'%'
        shutil.copytree(made, odd)
        async with EmbeddedPostgres(odd, SystemClock(), tuning=FAST) as server:
            connection = await connect(server.dsn)
            assert await connection.fetchval("show data_directory") == str(odd / "postgres")
            await connection.close()
