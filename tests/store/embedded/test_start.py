"""Starts that do not succeed: each ends in time, with the reason, and leaves no process behind."""

from pathlib import Path

import pytest

from paramedic.clock import SystemClock
from paramedic.errors import Permanent
from paramedic.store.embedded import postmaster, supervisor
from paramedic.store.embedded.supervisor import EmbeddedPostgres
from tests.postgres import FAST
from tests.store.embedded.parts import GOOD_INITDB, HurriedClock, pretended, runs

SHARED = "echo 'FATAL:  pre-existing shared memory block (key 1, ID 2) is still in use' >&2; exit 1"


async def failure(folder: Path, script: str) -> str:
    """Why a start fails whose server is this script; its number is in the data folder's file `pid`."""
    programs = pretended(folder, initdb=GOOD_INITDB, postgres=f"echo $$ >> pid; {script}")
    with pytest.raises(Permanent) as raised:
        await EmbeddedPostgres(folder / "data", HurriedClock(), programs=programs).__aenter__()
    assert not [pid for pid in pids(folder) if runs(pid)]
    assert not (folder / "data" / "run").exists()
    return str(raised.value)


def pids(folder: Path) -> list[int]:
    return [int(line) for line in (folder / "data" / "pid").read_text().split()]


async def test_a_full_disk_at_the_start_is_named(tmp_path: Path) -> None:
    script = "echo 'FATAL:  could not create lock file \"postmaster.pid\": No space left on device' >&2; exit 1"
    assert await failure(tmp_path, script) == (
        f"PostgreSQL did not start: the disk that holds {tmp_path / 'data'} is full; make room, then start again"
        ' (could not create lock file "postmaster.pid": No space left on device)'
    )


async def test_what_passes_is_waited_for_but_not_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "STARTS", 3)
    assert await failure(tmp_path, SHARED) == (
        "PostgreSQL did not start: processes of the server before it are still ending; so it went 3 times"
    )
    assert len(pids(tmp_path)) == 3


async def test_a_server_that_never_gets_ready_is_given_up_and_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "START_TIME", 0.5)
    monkeypatch.setattr(postmaster, "FAST", 0.1)
    monkeypatch.setattr(postmaster, "IMMEDIATE", 0.1)
    said = await failure(tmp_path, "trap '' INT QUIT; while :; do sleep 0.01; done")
    assert said == "PostgreSQL did not get ready within 0.5 s; its log says why"
    assert len(pids(tmp_path)) == 1


async def test_a_server_that_does_not_know_our_password_is_ended(data: Path) -> None:
    """As after the file was edited, or came from another backup than the rest."""
    (data / "postgres" / "paramedic.password").write_text("0" * 64)
    with pytest.raises(Permanent, match="password authentication failed"):
        await EmbeddedPostgres(data, SystemClock(), tuning=FAST).__aenter__()
    assert not (data / "postgres" / "postmaster.pid").exists()


async def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """Here a file stands where the new database's folder would be made."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "postgres.new").write_text("in the way")
    with pytest.raises(Permanent, match=rf"the data folder {data} cannot be used: .*postgres.new.* PARAMEDIC_DATA"):
        await EmbeddedPostgres(data, SystemClock(), programs=pretended(tmp_path)).__aenter__()
