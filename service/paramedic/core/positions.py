"""Whether a database is the one that we knew, or lacks what we did: then nothing may write until a person says so.

A process remembers, outside the database, how far it saw the database come. `engine.highest` asks `against` when it has
joined. A database that was put back from a backup does not know what was done since, and would have it done again.
"""

from datetime import datetime

import msgspec

__all__ = ["Found", "Position", "against", "decided_since"]


class Position(msgspec.Struct, frozen=True):
    """How far a process saw the database come: kept beside it, never in it.

    `who` is the process's own folder, and `mark` what that wrote last, counted up. `system` names the database system
    and `wal` how much of its log was on its disk, `at` by its own clock. Empty or 0: we may not know.
    """

    who: str
    mark: int
    system: str
    wal: int
    at: datetime


class Found(msgspec.Struct, frozen=True):
    """How the database is now. `mark` is ours as it holds it (0: none); `frozen`: when somebody last froze this one."""

    mark: int
    system: str
    wal: int
    frozen: datetime | None = None


def against(remembered: Position, found: Found) -> str:
    """Why this database may lack what we know to have happened; empty if it goes on from there.

    A promoted replica is the same system: it is fine exactly if it has all that we were answered for.
    """
    since = f"{remembered.at:%Y-%m-%d %H:%M:%S} UTC"
    if remembered.system != found.system and remembered.system and found.system:
        return f"this is another database system ({found.system}) than at {since} ({remembered.system})"
    if 0 < found.wal < remembered.wal and remembered.system == found.system:
        return f"the database is at {_place(found.wal)}, and was at {_place(remembered.wal)} already, at {since}"
    if found.mark < remembered.mark:
        return f"the database does not hold what this process wrote at {since}: it is an older copy"
    return ""


def decided_since(remembered: Position, found: Found) -> bool:
    """Whether another process has frozen this very database after we last saw ours: then it is frozen, or a person has
    opened it since, and need not do so once for each process.
    """
    return found.frozen is not None and found.frozen > remembered.at


def _place(wal: int) -> str:
    """As PostgreSQL writes it."""
    return f"{wal >> 32:X}/{wal & 0xFFFFFFFF:X}"
