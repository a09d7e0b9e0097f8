"""The database: can it be used, by this version, and does its clock agree with ours?"""

from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

from paramedic.clock import Clock
from paramedic.doctor.finding import Finding, fine, open_, skewed, wrong
from paramedic.errors import Fault, ParamedicError
from paramedic.settings import Settings
from paramedic.store.look import Looked, look

__all__ = ["examine_database", "password_of"]

_SYSTEM = "database"
_SETTING = "PARAMEDIC_DATABASE_URL"


async def examine_database(settings: Settings, clock: Clock, timeout: float) -> Sequence[Finding]:
    """Look at the database that is named; an embedded one lives and ends with the service."""
    dsn = settings.database_url
    if not dsn:
        said = f"{_SETTING} is not set: the service runs its own in {settings.data}"
        return [open_(_SYSTEM, "embedded", said)]
    before = clock.now()
    try:
        seen = await look(dsn, timeout=timeout)
    except Fault as fault:
        return [wrong(_SYSTEM, _SETTING, fault.what, fault.right)]
    except ParamedicError as error:
        return [wrong(_SYSTEM, _SETTING, str(error), f"start it, or correct {_SETTING}")]
    middle = before + (clock.now() - before) / 2
    return [*_usable(seen), skewed(_SYSTEM, "clock", seen.at, middle)]


def password_of(dsn: str) -> str:
    """The password in a database's URL; empty where there is none, or it is no URL."""
    try:
        return unquote(urlsplit(dsn).password or "")
    except ValueError:
        return ""


def _usable(seen: Looked) -> Sequence[Finding]:
    reached = fine(_SYSTEM, "PostgreSQL", f"version {seen.version}, reached")
    if seen.standby:
        right = f"name the primary in {_SETTING}"
        return [reached, wrong(_SYSTEM, "PostgreSQL", "it is a standby, which takes no writes", right)]
    if not seen.missing:
        newer = f", and {seen.ahead} of a newer version" if seen.ahead else ""
        return [reached, fine(_SYSTEM, "tables", f"all migrations are applied{newer}")]
    if seen.creates:
        return [reached, fine(_SYSTEM, "tables", f"{seen.missing} migrations are applied when the service starts")]
    said = f"{seen.missing} migrations are missing, and this user may not create tables"
    return [reached, wrong(_SYSTEM, "tables", said, "grant the user CREATE on the schema")]
