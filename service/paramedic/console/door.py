"""The private socket in PARAMEDIC_DATA: only the user who runs the service, and root, can reach it.

`app` opens it and serves the console on it; the commands connect to it; `people` asks it who is on the other side.
Standard library only, so that a command starts fast.
"""

import errno
import os
import pwd
import socket
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from paramedic.errors import Fault, Temporary

__all__ = ["NAME", "connect", "open_door", "peer"]

NAME = "paramedic.sock"

_LONGEST = 100  # bytes of an address that every system takes
_UCRED = struct.Struct("iII")  # pid, uid, gid


@contextmanager
def open_door(data: Path) -> Iterator[socket.socket]:
    """A listening socket at `data`/paramedic.sock, for its owner only; removed when the context ends.

    Whatever serves on it must have stopped by then. Raises `Fault` when another service listens there, or something
    else has the name.
    """
    path = data / NAME
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    _clear(data, path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # Linux gives the file the mode of the socket, so that there is no moment in which others could connect.
        os.fchmod(listener.fileno(), 0o600)
        with _address(data) as address:
            listener.bind(address)
        path.chmod(0o600)
        listener.listen(64)
        listener.setblocking(False)
        yield listener
    finally:
        listener.close()
        path.unlink(missing_ok=True)


def _clear(data: Path, path: Path) -> None:
    """Remove what a killed service left behind, and nothing else."""
    try:
        kind = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(kind):
        raise Fault(str(path), "this is not a socket", "move it away, or set PARAMEDIC_DATA to another folder")
    try:
        connect(data, timeout=2.0).close()
    except Temporary:
        path.unlink(missing_ok=True)
        return
    raise Fault(str(path), "another service listens here", "stop it, or set PARAMEDIC_DATA to another folder")


def connect(data: Path, *, timeout: float) -> socket.socket:
    """A connection to the service with this data folder. Raises `Temporary` when none listens within `timeout` s."""
    try:
        with _address(data) as address:
            return _connected(address, timeout)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM):
            raise Fault(str(data / NAME), "belongs to another user", "run this as the user of the service") from error
        raise Temporary(
            f"no service is running with PARAMEDIC_DATA={data}: start it (paramedic serve), name its folder in"
            " PARAMEDIC_DATA, or set PARAMEDIC_URL and PARAMEDIC_TOKEN"
        ) from error


def _connected(address: str, timeout: float) -> socket.socket:
    peer_end = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    peer_end.settimeout(timeout)
    try:
        peer_end.connect(address)
    except OSError:
        peer_end.close()
        raise
    return peer_end


@contextmanager
def _address(data: Path) -> Iterator[str]:
    """A path of the socket that is short enough for a socket's address, however deep the folder is."""
    direct = str(data / NAME)
    if len(os.fsencode(direct)) <= _LONGEST:
        yield direct
        return
    if not Path("/proc/self/fd").is_dir():
        raise Fault("PARAMEDIC_DATA", "its path is too long for a socket", f"at most {_LONGEST} bytes with /{NAME}")
    folder = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{NAME}"
    finally:
        os.close(folder)


def peer(connected: socket.socket) -> str:
    """The name of the operating system's user at the other end of a connection through the door."""
    if hasattr(socket, "SO_PEERCRED"):
        _, uid, _ = _UCRED.unpack(connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
    else:
        uid = os.getuid()  # nobody else can open the door, root apart
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid-{uid}"
