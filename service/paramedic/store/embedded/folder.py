"""The data folder: what lies where in it, and the lock that lets one process at a time use it.

`supervisor` opens it before anything else; the other parts get their paths from it.

    lock                  held (flock) by the process that serves, and says which one that is
    postgres/             the database; it appears in one step, finished
    postgres.new/         one in the making; what a crash left of it is thrown away
    run/                  the socket's folder, unless its path is not fit for one: then `socket` says where that is
    postgres-RELEASE/     a copy of the programs, where the account needs one
"""

import fcntl
import os
import platform
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from paramedic.errors import Permanent

__all__ = ["PORT", "DataFolder", "held"]

PORT = 5432  # nothing listens on it: it is a part of the socket's name
LONGEST_SOCKET = 103  # bytes; macOS allows this many, Linux four more


@dataclass(frozen=True)
class DataFolder:
    """The folder at `path` (absolute) and the places in it."""

    path: Path

    @property
    def cluster(self) -> Path:
        """The database's own folder."""
        return self.path / "postgres"

    @property
    def unfinished(self) -> Path:
        """Where the database is while it is made."""
        return self.path / "postgres.new"

    @property
    def password(self) -> Path:
        """The password's file; in the database's folder, so that one never comes or goes without the other."""
        return self.cluster / "paramedic.password"

    @property
    def socket_note(self) -> Path:
        """Says where the socket's folder is when it is not here."""
        return self.path / "socket"

    def make_socket_folder(self) -> Path:
        """An empty folder for the socket that nobody else may enter, with a path that is fit for one."""
        here = self.path / "run"
        folder = here if _fits(here) else self._far_socket_folder()
        folder.mkdir(mode=0o700, exist_ok=True)
        for left in folder.iterdir():  # a lock file of a killed server would keep the next one out
            left.unlink()
        return folder

    def drop_socket_folder(self, folder: Path) -> None:
        """Undo `make_socket_folder`."""
        shutil.rmtree(folder, ignore_errors=True)
        self.socket_note.unlink(missing_ok=True)

    def _far_socket_folder(self) -> Path:
        """The one noted before, when it still is a private folder of ours; else a new one, noted before it is used."""
        if self.socket_note.exists():
            noted = Path(self.socket_note.read_text(encoding="utf-8"))
            if _is_private(noted):
                return noted
        folder = Path(tempfile.mkdtemp(prefix="paramedic-"))
        if not _fits(folder):
            folder.rmdir()
            raise Permanent(
                f"{self.path} and {folder} are both too long for a socket, or have a comma:"
                " choose another folder with PARAMEDIC_DATA"
            )
        self.socket_note.write_text(str(folder), encoding="utf-8")
        return folder


@contextmanager
def held(path: Path) -> Iterator[DataFolder]:
    """The data folder at `path`, made if need be, for this process alone. Raises Permanent when it cannot be had."""
    path = path.absolute()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise Permanent(
            f"the data folder {path} cannot be used: {error.strerror}; give its owner the right to write there,"
            " or choose another with PARAMEDIC_DATA"
        ) from error
    try:
        _lock(handle, path)
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"process {os.getpid()} on {platform.node()}".encode(), 0)
        yield DataFolder(path)
    finally:
        os.close(handle)


def _lock(handle: int, path: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(handle, 200, 0).decode(errors="replace") or "another process"
        raise Permanent(
            f"the data folder {path} is in use by {holder}: stop that one first,"
            " or give this one a folder of its own with PARAMEDIC_DATA"
        ) from error


def _fits(folder: Path) -> bool:
    """Whether a socket can be there: short enough, and without the comma that parts hosts in a URL."""
    return len(os.fsencode(folder / f".s.PGSQL.{PORT}")) <= LONGEST_SOCKET and "," not in str(folder)


def _is_private(folder: Path) -> bool:
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and stat.S_IMODE(found.st_mode) == 0o700 and found.st_uid == os.geteuid()
