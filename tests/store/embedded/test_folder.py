"""The data folder: one process at a time, paths that fit a socket, and one clear line when it cannot be used."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from paramedic.errors import Permanent
from paramedic.store.embedded import folder as folder_module
from paramedic.store.embedded.folder import DataFolder, held
from tests.store.embedded.parts import root

HOLDER = """
import sys
from pathlib import Path
from paramedic.store.embedded.folder import held
with held(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_it_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    with held(tmp_path / "a" / "b") as folder:
        assert folder.path == tmp_path / "a" / "b"
        assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700


def test_a_folder_that_is_there_keeps_its_rights(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    with held(tmp_path):
        assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o750


def test_a_relative_path_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with held(Path(".paramedic")) as folder:
        assert folder.path == tmp_path / ".paramedic"


def test_another_process_is_named(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with (
            pytest.raises(Permanent, match=rf"in use by process {holder.pid} on .*: stop that one first"),
            held(tmp_path),
        ):
            pass
    with held(tmp_path):
        assert (tmp_path / "lock").read_text().startswith(f"process {os.getpid()} on ")


def test_it_is_free_again_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), held(tmp_path):
        raise ZeroDivisionError
    with held(tmp_path):
        pass


def test_a_place_where_no_folder_can_be_is_a_clear_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with (
        pytest.raises(Permanent, match=r"data folder .*file.data cannot be used: .*PARAMEDIC_DATA"),
        held(tmp_path / "file" / "data"),
    ):
        pass


class TestSocketFolder:
    def test_it_is_in_the_data_folder(self, tmp_path: Path) -> None:
        place = DataFolder(tmp_path)
        sockets = place.make_socket_folder()
        assert sockets == tmp_path / "run"
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
        place.drop_socket_folder(sockets)
        assert list(tmp_path.iterdir()) == []

    def test_what_a_killed_server_left_in_it_is_gone(self, tmp_path: Path) -> None:
        (tmp_path / "run").mkdir(mode=0o700)
        (tmp_path / "run" / ".s.PGSQL.5432.lock").write_text("4711")
        assert list(DataFolder(tmp_path).make_socket_folder().iterdir()) == []

    def test_the_last_path_that_fits_and_the_first_that_does_not(self, tmp_path: Path) -> None:
        """108 bytes are the kernel's limit for the socket's path, its final zero included; macOS has 104."""
        fixed = len(os.fsencode(tmp_path / "x" / "run" / ".s.PGSQL.5432")) - 1
        for length, near in ((103 - fixed, True), (104 - fixed, False)):
            data = tmp_path / ("x" * length)
            data.mkdir()
            place = DataFolder(data)
            sockets = place.make_socket_folder()
            assert (sockets == data / "run") is near
            place.drop_socket_folder(sockets)

    def test_a_comma_would_make_two_hosts_of_it(self, tmp_path: Path) -> None:
        data = tmp_path / "a,b"
        data.mkdir()
        place = DataFolder(data)
        sockets = place.make_socket_folder()
        assert not sockets.is_relative_to(data)
        place.drop_socket_folder(sockets)

    def test_a_far_one_is_noted_and_used_again_after_a_crash(self, tmp_path: Path) -> None:
        place = self.deep(tmp_path)
        sockets = place.make_socket_folder()
        assert place.socket_note.read_text() == str(sockets)
        assert place.make_socket_folder() == sockets
        place.drop_socket_folder(sockets)
        assert not sockets.exists()
        assert not place.socket_note.exists()

    def test_a_noted_one_that_others_may_enter_is_not_used(self, tmp_path: Path) -> None:
        """Folders for temporary files belong to everybody: another user may have made one of that name since."""
        place = self.deep(tmp_path)
        first = place.make_socket_folder()
        first.chmod(0o755)
        second = place.make_socket_folder()
        assert second != first
        place.drop_socket_folder(first)
        place.drop_socket_folder(second)

    def test_a_noted_link_is_not_followed(self, tmp_path: Path) -> None:
        place = self.deep(tmp_path)
        private = tmp_path / "private"
        private.mkdir(mode=0o700)
        (private / "precious").touch()
        (tmp_path / "link").symlink_to(private)
        place.socket_note.write_text(str(tmp_path / "link"))
        sockets = place.make_socket_folder()
        assert (private / "precious").exists()
        place.drop_socket_folder(sockets)

    @root
    def test_a_noted_one_of_somebody_else_is_not_used(self, tmp_path: Path) -> None:
        place = self.deep(tmp_path)
        foreign = tmp_path / "foreign"
        foreign.mkdir(mode=0o700)
        os.chown(foreign, 1, 1)
        place.socket_note.write_text(str(foreign))
        sockets = place.make_socket_folder()
        assert sockets != foreign
        place.drop_socket_folder(sockets)

    def test_when_nothing_is_short_enough_it_says_so(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(folder_module, "LONGEST_SOCKET", 10)
        with pytest.raises(Permanent, match=r"both too long for a socket, .*: choose another folder"):
            DataFolder(tmp_path).make_socket_folder()

    @staticmethod
    def deep(tmp_path: Path) -> DataFolder:
        path = tmp_path / ("deep" * 25)
        path.mkdir()
        return DataFolder(path)
