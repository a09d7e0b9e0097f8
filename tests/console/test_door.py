"""The private socket is for its owner, is found wherever its folder is, and never takes what belongs to another."""

import os
import pwd
import socket
import stat
from pathlib import Path

import pytest

from paramedic.console.door import NAME, connect, open_door, peer
from paramedic.errors import Fault, Temporary


def test_only_its_owner_can_open_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with open_door(tmp_path / "data"):
            assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
            assert stat.S_IMODE((tmp_path / "data" / NAME).stat().st_mode) == 0o600
    finally:
        os.umask(before)


def test_a_folder_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    """It may be the database's, or the user's own choice; the socket is closed to others by its own mode."""
    tmp_path.chmod(0o755)

    with open_door(tmp_path):
        assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
        assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o600


def test_who_knocks_is_known_by_name(tmp_path: Path) -> None:
    with open_door(tmp_path) as door, connect(tmp_path, timeout=5):
        door.setblocking(True)
        there, _ = door.accept()
        with there:
            assert peer(there) == pwd.getpwuid(os.getuid()).pw_name


def test_a_user_without_a_name_has_a_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pwd, "getpwuid", {}.__getitem__)
    with open_door(tmp_path) as door, connect(tmp_path, timeout=5):
        door.setblocking(True)
        there, _ = door.accept()
        with there:
            assert peer(there) == f"uid-{os.getuid()}"


def test_a_system_that_does_not_tell_who_knocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody but the owner can get in there, so it is the owner."""
    monkeypatch.delattr(socket, "SO_PEERCRED")
    with open_door(tmp_path) as door, connect(tmp_path, timeout=5):
        door.setblocking(True)
        there, _ = door.accept()
        with there:
            assert peer(there) == pwd.getpwuid(os.getuid()).pw_name


def test_it_is_gone_when_the_service_is(tmp_path: Path) -> None:
    with open_door(tmp_path):
        assert (tmp_path / NAME).exists()

    assert not (tmp_path / NAME).exists()


def test_what_a_killed_service_left_behind_is_replaced(tmp_path: Path) -> None:
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(tmp_path / NAME))
    stale.close()

    with open_door(tmp_path), connect(tmp_path, timeout=5) as through:
        assert through.getpeername()


def test_a_second_service_is_told_and_the_first_keeps_its_door(tmp_path: Path) -> None:
    with open_door(tmp_path):
        with pytest.raises(Fault, match="another service listens here; stop it, or set PARAMEDIC_DATA"):
            open_door(tmp_path).__enter__()

        connect(tmp_path, timeout=5).close()


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_what_is_no_socket_is_left_alone(tmp_path: Path, kind: str) -> None:
    path = tmp_path / NAME
    if kind == "file":
        path.write_text("precious")
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(Fault, match="this is not a socket; move it away"):
        open_door(tmp_path).__enter__()

    assert path.is_symlink() or path.exists()


def test_a_deep_folder_is_no_obstacle(tmp_path: Path) -> None:
    """An address of a socket has some hundred bytes; a path may have thousands."""
    deep = tmp_path / ("a" * 100) / ("b" * 100)

    with open_door(deep) as door, connect(deep, timeout=5):
        assert (deep / NAME).is_socket()
        assert door.fileno() > 0
    with open_door(deep):
        pass


def test_a_deep_folder_where_there_is_no_way_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "is_dir", lambda _: False)
    deep = tmp_path / ("a" * 200)
    os.makedirs(deep)

    with pytest.raises(Fault, match="PARAMEDIC_DATA: its path is too long for a socket; at most 100 bytes"):
        connect(deep, timeout=5)


@pytest.mark.parametrize("there", [True, False])
def test_without_a_service_it_says_what_to_do(tmp_path: Path, there: bool) -> None:
    data = tmp_path if there else tmp_path / "nowhere"

    with pytest.raises(Temporary, match=r"no service is running with PARAMEDIC_DATA=.*: start it \(paramedic serve\)"):
        connect(data, timeout=5)


def test_another_users_door_is_not_taken_for_a_missing_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "connect", forbidden)

    with pytest.raises(Fault, match="belongs to another user; run this as the user of the service"):
        connect(tmp_path, timeout=5)
