"""The database's own folder: made in one step, recognised again, and refused when it is not for this PostgreSQL.

`supervisor` calls `exists`, `make` when there is none, and takes the server's command line and its URL from here.
"""

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

from paramedic.clock import new_secret
from paramedic.errors import Permanent
from paramedic.store.embedded.account import Account, command, run
from paramedic.store.embedded.binaries import Binaries
from paramedic.store.embedded.folder import PORT, DataFolder
from paramedic.store.embedded.report import explained

__all__ = ["DURABLE", "Tuning", "dsn", "exists", "make", "server_command"]

USER = "paramedic"
INITDB_TIME = 120.0  # seconds; half a second is usual

# A thousand small files get to the disk in one call, where the system has one.
SYNC = ("--sync-method=syncfs",) if sys.platform == "linux" else ()

SETTINGS = MappingProxyType(
    {
        # Reached through the socket's folder and in no other way.
        "listen_addresses": "",
        "port": str(PORT),
        "unix_socket_permissions": "0700",
        "password_encryption": "scram-sha-256",
        # An answered delivery survives a power cut (promise 1). These are the defaults, said here so that no edit of
        # postgresql.conf takes them back.
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "autovacuum": "on",
        # A few hundred MB serve a machine that does other things too. An alert writes 7 kB of log, so that 2 GB are
        # three minutes at full speed: checkpoints come by their timer, and a crash is repaired in seconds.
        "shared_buffers": "128MB",
        "max_wal_size": "2GB",
        # One process of it has crashed: it ends as a whole, and whoever watches it learns of it and starts it again.
        "restart_after_crash": "off",
        "timezone": "UTC",
        # One line an event on stderr, in English: `report` reads it, and our own log adds the time.
        "log_destination": "stderr",
        "logging_collector": "off",
        "log_line_prefix": "",
        "log_timezone": "UTC",
        "log_checkpoints": "off",
        "log_min_messages": "warning",
        "log_min_error_statement": "panic",
        "lc_messages": "C",
    }
)


@dataclass(frozen=True)
class Tuning:
    """What differs from `SETTINGS`, and further arguments for initdb. Tests give up durability for speed with it."""

    settings: Mapping[str, str] = field(default_factory=dict)
    initdb: Sequence[str] = ()


DURABLE = Tuning()


def exists(folder: DataFolder, binaries: Binaries) -> bool:
    """Whether there is a database. Raises Permanent, and touches nothing, when it is not one for these programs."""
    if not folder.cluster.exists():
        return False
    try:
        found = (folder.cluster / "PG_VERSION").read_text(encoding="ascii").strip()
    except FileNotFoundError as error:
        raise Permanent(
            f"{folder.cluster} is not a PostgreSQL database (it has no PG_VERSION) and was not touched:"
            " move it away, or choose another folder with PARAMEDIC_DATA"
        ) from error
    if found != str(binaries.major):
        raise Permanent(
            f"the database in {folder.cluster} was made by PostgreSQL {found}, and this is PostgreSQL {binaries.major};"
            f" it was not touched. To carry it over: with the programs of version {found} start it and write it to a"
            " file (pg_dumpall), move the folder away, start Paramedic once, and load the file with psql;"
            f" or install the release of Paramedic that brings PostgreSQL {found}"
        )
    return True


async def make(folder: DataFolder, account: Account, binaries: Binaries, tuning: Tuning) -> None:
    """Make the database beside its place and move it there when it is finished. Raises Permanent."""
    password = folder.path / "password.new"
    _clear_site(folder, password, account)
    status, said = await run(
        account,
        folder.path,
        binaries.program("initdb"),
        f"--pgdata={folder.unfinished}",
        f"--username={USER}",
        f"--pwfile={password}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        # PostgreSQL's own C.UTF-8: the machine's locales need not have it, and no upgrade of theirs breaks an index.
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--locale=C",
        "--data-checksums",
        # The password is 32 random bytes: rounds that slow guessing down would only slow connecting down, in our loop.
        "--set=scram_iterations=1",
        "--no-instructions",
        *SYNC,
        *tuning.initdb,
        timeout=INITDB_TIME,
    )
    if status != 0:
        shutil.rmtree(folder.unfinished, ignore_errors=True)
        password.unlink()
        raise explained("the database could not be made", said, folder.path)
    _finish(folder, password)


def _clear_site(folder: DataFolder, password: Path, account: Account) -> None:
    shutil.rmtree(folder.unfinished, ignore_errors=True)
    folder.unfinished.mkdir(mode=0o700)
    password.unlink(missing_ok=True)
    with os.fdopen(os.open(password, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(new_secret())
        file.flush()
        os.fsync(file.fileno())
    account.hand_over(folder.unfinished, password)


def _finish(folder: DataFolder, password: Path) -> None:
    """What initdb wrote is on the disk already; make the two moves durable too."""
    password.rename(folder.unfinished / folder.password.name)
    _sync(folder.unfinished)
    folder.unfinished.rename(folder.cluster)
    _sync(folder.path)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def server_command(
    folder: DataFolder, account: Account, binaries: Binaries, tuning: Tuning, sockets: Path
) -> list[str]:
    """The command line of the server in the foreground, with its socket in `sockets`."""
    quoted = str(sockets).replace('"', '""')
    settings = {**SETTINGS, "unix_socket_directories": f'"{quoted}"', **tuning.settings}
    arguments = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    return command(account, folder.path, binaries.program("postgres"), "-D", str(folder.cluster), *arguments)


def dsn(folder: DataFolder, sockets: Path) -> str:
    """The URL of the database, password included."""
    try:
        password = folder.password.read_text(encoding="ascii").strip()
    except FileNotFoundError as error:
        raise Permanent(f"{folder.password} is missing: put it back from a backup of the data folder") from error
    return f"postgresql://{USER}:{password}@/postgres?host={quote(str(sockets), safe='')}&port={PORT}"
