"""One look at a database without changing it: can it be used, is it up to date, what time is it there?

`paramedic doctor` asks; nothing of the service does.
"""

from dataclasses import dataclass
from datetime import datetime

from paramedic.errors import Permanent
from paramedic.store.connect import connect, translated
from paramedic.store.migrate import read_migrations

__all__ = ["Looked", "look"]


@dataclass(frozen=True, slots=True)
class Looked:
    """What was seen. `missing` counts migrations that are still to come, `ahead` those of a newer version."""

    version: str
    at: datetime
    standby: bool
    creates: bool
    missing: int
    ahead: int


async def look(dsn: str, *, timeout: float) -> Looked:
    """Connect, look, and leave, within `timeout` seconds for each. Raises Temporary, Permanent, or Fault."""
    known = {migration.version for migration in read_migrations()}
    connection = await connect(dsn, timeout=timeout)
    try:
        with translated("looking at the database"):
            row = await connection.fetchrow(
                "select current_setting('server_version') as version, clock_timestamp() as at,"
                " pg_is_in_recovery() as standby, to_regclass('migration') is not null as migrated,"
                " coalesce(has_schema_privilege(current_schema(), 'create'), false) as creates",
                timeout=timeout,
            )
            if row is None:
                raise Permanent("the database answered a question with nothing")
            applied = set()
            if row["migrated"]:
                rows = await connection.fetch("select version from migration", timeout=timeout)
                applied = {one["version"] for one in rows}
    finally:
        connection.terminate()
    return Looked(row["version"], row["at"], row["standby"], row["creates"], len(known - applied), len(applied - known))
