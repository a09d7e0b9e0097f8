"""The file that outlives the database: whole or not there, and a broken one is said."""

import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from paramedic.core.positions import Position
from paramedic.errors import Fault
from paramedic.store.position_file import PositionFile

ONE = Position("a1", 7, "7001", 2**40 + 1, datetime(2026, 1, 5, 2, 14, 0, 5, tzinfo=UTC))


async def test_what_is_written_is_read_by_the_next_process(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert await PositionFile(data).read() is None
    await PositionFile(data).write(ONE)
    await PositionFile(data).write(msgspec.structs.replace(ONE, mark=8))
    assert await PositionFile(data).read() == msgspec.structs.replace(ONE, mark=8)
    assert [path.name for path in data.iterdir()] == ["position.json"]
    assert (data / "position.json").stat().st_mode & 0o777 == 0o600


async def test_it_is_on_the_disk_before_it_takes_the_old_ones_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    sync, replace = os.fsync, Path.replace

    def synced(handle: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        sync(handle)

    def replaced(self: Path, target: Path) -> Path:
        done.append("replaced")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", replaced)
    await PositionFile(tmp_path).write(ONE)
    assert done == ["file", "replaced", "folder"]


@pytest.mark.parametrize("text", ["", "{", '{"who": "a1"}', "null", '{"who": 1}'])
async def test_a_broken_file_is_a_fault_that_names_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "position.json").write_text(text)
    with pytest.raises(Fault, match=r"position\.json: cannot be read, and says how far the database was"):
        await PositionFile(tmp_path).read()


async def test_a_write_that_fails_leaves_the_old_one(tmp_path: Path) -> None:
    await PositionFile(tmp_path).write(ONE)
    (tmp_path / "position.new").mkdir()
    with pytest.raises(OSError, match="directory"):
        await PositionFile(tmp_path).write(msgspec.structs.replace(ONE, mark=8))
    assert await PositionFile(tmp_path).read() == ONE
