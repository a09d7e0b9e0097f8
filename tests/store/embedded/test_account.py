"""Whose process PostgreSQL is: as root, as an ordinary user, as a user without a name; and what it is handed."""

import asyncio
import os
import pwd
import stat
from pathlib import Path

import pytest

from paramedic.clock import SystemClock
from paramedic.errors import Permanent
from paramedic.store.connect import connect
from paramedic.store.embedded import account
from paramedic.store.embedded.account import Account, How, choose, run
from paramedic.store.embedded.folder import DataFolder
from paramedic.store.embedded.supervisor import EmbeddedPostgres
from tests.postgres import FAST
from tests.store.embedded.parts import linux, pretended, root, runs, until

SAME = Account(How.SAME)
SH = Path("/bin/sh")

REFUSING = f"""
import runpy, sys
if sys.argv[2].startswith("namespace"):
    sys.stderr.write("cannot become the account: Operation not permitted")
    sys.exit(121)
runpy.run_path({str(account.LAUNCHER)!r}, run_name="__main__")
"""


@pytest.fixture
def without_namespaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container whose policy forbids them."""
    launcher = tmp_path / "launcher.py"
    launcher.write_text(REFUSING)
    monkeypatch.setattr(account, "LAUNCHER", launcher)


class TestCandidates:
    """Who it could be, in which order, by who we are."""

    def candidates(self, monkeypatch: pytest.MonkeyPatch, uid: int, folder: Path, named: bool = True) -> list[Account]:
        def by_number(number: int) -> pwd.struct_passwd:
            if not named:
                raise KeyError(number)
            return pwd.struct_passwd(("me", "x", number, number, "", "/", "/bin/sh"))

        def by_name(name: str) -> pwd.struct_passwd:
            if name != "daemon":
                raise KeyError(name)
            return pwd.struct_passwd((name, "x", 1, 2, "", "/", "/bin/sh"))

        monkeypatch.setattr(os, "geteuid", lambda: uid)
        monkeypatch.setattr(pwd, "getpwuid", by_number)
        monkeypatch.setattr(pwd, "getpwnam", by_name)
        return account._candidates(DataFolder(folder))

    def test_an_ordinary_user_is_itself(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        assert self.candidates(monkeypatch, 1000, tmp_path) == [SAME]

    def test_root_tries_a_namespace_and_then_another_user(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        assert self.candidates(monkeypatch, 0, tmp_path) == [Account(How.NAMESPACE, 1, 2), Account(How.USER, 1, 2)]

    def test_a_user_without_a_name_gets_one_in_a_namespace(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """As in a container that runs under a number; initdb asks for the name."""
        assert self.candidates(monkeypatch, 4711, tmp_path, named=False) == [Account(How.NAMESPACE, 1, 2), SAME]

    @root
    def test_what_was_handed_over_stays_with_its_owner(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        (tmp_path / "postgres").mkdir()
        os.chown(tmp_path / "postgres", 77, 78)
        assert self.candidates(monkeypatch, 0, tmp_path) == [Account(How.USER, 77, 78)]


class TestRun:
    async def test_it_tells_the_status_and_the_complaints(self, tmp_path: Path) -> None:
        status, said = await run(SAME, tmp_path, SH, "-c", "echo out; echo err >&2; exit 5", timeout=10)
        assert (status, said) == (5, ["err"])

    async def test_our_environment_stays_here(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PGDATA", "/elsewhere")
        _, said = await run(SAME, tmp_path, SH, "-c", "echo $PGDATA >&2; echo $LC_ALL >&2", timeout=10)
        assert said == ["", "C"]

    async def test_one_that_hangs_is_killed_with_its_children(self, tmp_path: Path) -> None:
        script = "sleep 60 & echo $! > child; wait"
        with pytest.raises(Permanent, match=r"sh did not end within 0.5 s; is the disk below .* stuck"):
            await run(SAME, tmp_path, SH, "-c", script, timeout=0.5)
        child = int((tmp_path / "child").read_text())
        await until(lambda: not runs(child), "the child of a killed program ends")

    async def test_cancelling_kills_too(self, tmp_path: Path) -> None:
        running = asyncio.ensure_future(run(SAME, tmp_path, SH, "-c", "echo $$ > pid; sleep 60", timeout=60))
        file = tmp_path / "pid"
        await until(lambda: file.exists() and file.read_text() != "", "it runs")
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await until(lambda: not runs(int(file.read_text())), "the cancelled program ends")


@root
@linux
@pytest.mark.usefixtures("without_namespaces")
class TestWithoutNamespaces:
    """Root, where namespaces are refused: another user, who is let in no further than need be."""

    async def test_the_folder_is_handed_over_and_serves(self, room: Path, data: Path) -> None:
        """A database that was root's own until now, as when a folder moves into a container."""
        room.chmod(0o755)
        async with EmbeddedPostgres(data, SystemClock(), tuning=FAST) as server:
            connection = await connect(server.dsn)
            await connection.execute("create table kept as select 1")
            await connection.close()
            status = Path(f"/proc/{server.pid}/status").read_text()
            uid = int(status.split("Uid:")[1].split()[0])
        assert uid != 0
        assert {path.stat().st_uid for path in (data / "postgres").rglob("*")} == {uid}
        assert stat.S_IMODE(data.stat().st_mode) == 0o710
        assert data.stat().st_uid == 0
        assert stat.S_IMODE((data / "lock").stat().st_mode) == 0o600

        async with EmbeddedPostgres(data, SystemClock(), tuning=FAST) as server:
            connection = await connect(server.dsn)
            assert await connection.fetchval("select count(*) from kept") == 1
            await connection.close()

    async def test_a_new_database_is_made_as_that_user(self, room: Path) -> None:
        room.chmod(0o755)
        script = (
            'touch postgres.new/mine && echo "initdb: error: made by $(id -u) with $(wc -c < password.new)" >&2; exit 1'
        )
        programs = pretended(room, initdb=script)
        with pytest.raises(Permanent, match=r"made by [1-9]\d* with 64$"):
            await EmbeddedPostgres(room / "data", SystemClock(), programs=programs).__aenter__()

    async def test_programs_out_of_its_reach_are_copied(self, room: Path) -> None:
        room.chmod(0o755)
        closed = room / "closed"
        closed.mkdir(mode=0o700)
        folder = DataFolder(room / "data")
        folder.path.mkdir(mode=0o700)
        chosen, programs = await choose(folder, pretended(closed))
        assert chosen.how is How.USER
        assert programs.root.is_relative_to(folder.path)

    async def test_programs_within_its_reach_are_not(self, room: Path) -> None:
        room.chmod(0o755)
        folder = DataFolder(room / "data")
        folder.path.mkdir(mode=0o700)
        reachable = pretended(room)
        assert (await choose(folder, reachable))[1] == reachable

    async def test_a_folder_nobody_else_may_reach_is_a_clear_failure(self, room: Path) -> None:
        """It lies below one for root alone. Nothing is opened up to get there."""
        folder = DataFolder(room / "data")
        folder.path.mkdir(mode=0o700)
        with pytest.raises(Permanent) as failure:
            await choose(folder, pretended(room))
        assert f"cannot enter {folder.path}: Permission denied" in str(failure.value)
        assert "choose a folder that every user may reach with PARAMEDIC_DATA" in str(failure.value)
        assert stat.S_IMODE(room.stat().st_mode) == 0o700
