"""The last step before `postgres` or `initdb` runs: takes on its account, ties its life to ours, becomes it.

Run as a script with the command line that `account.command` makes; standard library only and without site packages,
so that it costs some tens of milliseconds. What it hands on is itself: it ends in exec. When it cannot get there it
says why in one line on stderr and leaves with one of the codes below.

    launch.py PARENT HOW:UID:GID FOLDER PROGRAM [ARGUMENT...]
"""

import ctypes
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

__all__ = ["NO_ACCOUNT", "NO_FOLDER", "NO_PARENT", "NO_PROGRAM"]

NO_ACCOUNT = 121  # this machine does not let us become the account
NO_FOLDER = 122  # the account may not enter the data folder
NO_PROGRAM = 123  # the account may not run the program
NO_PARENT = 124  # whoever wanted the program is gone already

PR_SET_PDEATHSIG = 1
CLONE_NEWUSER = 0x10000000


def main(arguments: Sequence[str]) -> None:
    """Become the program; see the module."""
    parent, account, folder, program, *rest = arguments
    how, uid, gid = account.split(":")
    with _or_leave(NO_ACCOUNT, f"become the account {account}"):
        _become(how, int(uid), int(gid))
    # Only now: with every change of account the kernel forgets this wish.
    _die_with(int(parent))
    with _or_leave(NO_FOLDER, f"enter {folder}"):
        os.chdir(folder)
    # Python ignores these two, and what is ignored stays ignored across exec.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    with _or_leave(NO_PROGRAM, f"run {program}"):
        os.execv(program, [program, *rest])


@contextmanager
def _or_leave(code: int, doing: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        sys.stderr.write(f"cannot {doing}: {error.strerror}\n")
        sys.exit(code)


def _become(how: str, uid: int, gid: int) -> None:
    if how == "namespace":
        _enter_namespace(uid, gid)
    elif how == "user":
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)


def _enter_namespace(uid: int, gid: int) -> None:
    """A user namespace in which we are `uid`, while our files stay ours outside."""
    ours = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "unshare"):
        raise OSError(0, "this system has no user namespaces")
    if libc.unshare(CLONE_NEWUSER) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    for file, line in (
        ("setgroups", "deny"),  # the kernel asks for this before it takes a map of groups
        ("uid_map", f"{uid} {ours[0]} 1"),
        ("gid_map", f"{gid} {ours[1]} 1"),
    ):
        with open(f"/proc/self/{file}", "w", encoding="ascii") as target:
            target.write(line)


def _die_with(parent: int) -> None:
    """Where the kernel can: a fast shutdown (SIGINT) as soon as the thread that started us ends, however it ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGINT), 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(NO_PARENT)


if __name__ == "__main__":
    main(sys.argv[1:])
