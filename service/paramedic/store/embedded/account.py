"""Whose process PostgreSQL is. It refuses to be root's, and initdb wants a user that has a name.

`supervisor` asks `choose` once a start; everything that runs one of PostgreSQL's programs takes its command line from
`command`. In this order: as we are; in a user namespace (the files stay ours, nobody else gets anything); as an
unprivileged user, to whom the database's folder is handed.
"""

import asyncio
import os
import pwd
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from paramedic.errors import Permanent
from paramedic.store.embedded import launch
from paramedic.store.embedded.binaries import Binaries, copied
from paramedic.store.embedded.folder import DataFolder

__all__ = ["ENVIRONMENT", "Account", "How", "choose", "command", "run"]

LAUNCHER = Path(launch.__file__)
PATIENCE = 20.0  # seconds for `postgres --version`

# Nothing of our own environment: its PG... variables would steer the server, and its secrets are not the server's.
# Messages come in the language in which `report` reads them.
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}

# Whom a program may be when it may not be root: the first that the machine has.
UNPRIVILEGED = ("postgres", "daemon", "nobody")


class How(StrEnum):
    """The words that the launcher knows."""

    SAME = "same"
    NAMESPACE = "namespace"
    USER = "user"


@dataclass(frozen=True)
class Account:
    """How a program gets its user and group; for a namespace, the numbers it sees inside."""

    how: How
    uid: int = 0
    gid: int = 0

    def hand_over(self, *paths: Path) -> None:
        """Give the paths, and what is below them, to the account, if it is another user."""
        if self.how is not How.USER:
            return
        for path in paths:
            for item in (path, *path.rglob("*")):
                os.chown(item, self.uid, self.gid, follow_symlinks=False)


def command(account: Account, folder: Path, program: Path, *arguments: str) -> list[str]:
    """The command line that runs `program` as `account`, in `folder`, for no longer than this process lives."""
    # Isolated and without site packages: what a user's environment adds to Python has no business here.
    launcher = [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid())]
    return [*launcher, f"{account.how}:{account.uid}:{account.gid}", str(folder), str(program), *arguments]


async def run(account: Account, folder: Path, program: Path, *arguments: str, timeout: float) -> tuple[int, list[str]]:
    """Run a program to its end: its exit status and the lines of its complaints. Raises Permanent after `timeout`."""
    process = await asyncio.create_subprocess_exec(
        *command(account, folder, program, *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,  # how far it has come, without line ends, in the middle of what went wrong
        stderr=asyncio.subprocess.PIPE,
        env=ENVIRONMENT,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(timeout):
            _, said = await process.communicate()
    except TimeoutError as error:
        raise Permanent(
            f"{program.name} did not end within {timeout:g} s; is the disk below {folder} stuck?"
        ) from error
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    return await process.wait(), said.decode(errors="replace").splitlines()


async def choose(folder: DataFolder, binaries: Binaries) -> tuple[Account, Binaries]:
    """The account to run PostgreSQL as, and the programs as that account can reach them.

    Each candidate is tried by running `postgres --version`. Raises Permanent when none will do.
    """
    refusals: list[str] = []
    for account in _candidates(folder):
        if account.how is How.SAME:
            return account, binaries
        _let_in(account, folder)
        status, said = await run(account, folder.path, binaries.program("postgres"), "--version", timeout=PATIENCE)
        if status == launch.NO_PROGRAM:
            binaries = await asyncio.to_thread(copied, binaries, folder.path)
            status, said = await run(account, folder.path, binaries.program("postgres"), "--version", timeout=PATIENCE)
        if status == 0:
            return account, binaries
        refusals += said[-1:]
    raise Permanent(
        f"PostgreSQL does not run as root, and there is no other account for it ({'; '.join(refusals)}):"
        " run Paramedic as an ordinary user, choose a folder that every user may reach with PARAMEDIC_DATA,"
        " or set PARAMEDIC_DATABASE_URL"
    )


def _candidates(folder: DataFolder) -> list[Account]:
    ours = os.geteuid()
    if ours != 0 and _user(ours):
        return [Account(How.SAME)]
    others = [(user.pw_uid, user.pw_gid) for user in map(_user, UNPRIVILEGED) if user]
    namespaces = [Account(How.NAMESPACE, *other) for other in others[:1]]
    if ours != 0:
        return [*namespaces, Account(How.SAME)]
    with suppress(FileNotFoundError):
        owner = folder.cluster.stat()
        if owner.st_uid != 0:  # it was handed over at an earlier start
            return [Account(How.USER, owner.st_uid, owner.st_gid)]
    return [*namespaces, *(Account(How.USER, *other) for other in others[:1])]


def _user(who: str | int) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwuid(who) if isinstance(who, int) else pwd.getpwnam(who)
    except KeyError:
        return None


def _let_in(account: Account, folder: DataFolder) -> None:
    """The other user must pass through our folder to reach its own; more than that it may not."""
    if account.how is How.USER:
        os.chown(folder.path, -1, account.gid)
        folder.path.chmod(0o710)
