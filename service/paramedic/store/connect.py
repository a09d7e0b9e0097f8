"""How a connection to PostgreSQL is opened, embedded or outside: one or a pool, each with the profile of its job.

The app calls `connect` and `open_pool` with the database's URL and hands what they give to whoever sends SQL. Everybody
who talks to the driver does it inside `translated()`, so that its errors leave the store as the kinds of `errors`.
"""

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias, TypedDict
from urllib.parse import parse_qs, urlsplit

import asyncpg

from paramedic.errors import Fault, Permanent, Temporary

__all__ = [
    "ENGINE",
    "PLAIN",
    "Connection",
    "Pool",
    "Profile",
    "connect",
    "open_pool",
    "require_supported",
    "translated",
]

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

OLDEST = 15  # the oldest major version that the tests run against

# The server starts, stops or is full, or somebody else holds what we want: the same call may work later.
PASSING = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.LockNotAvailableError,
    asyncpg.InternalClientError,  # the wire was cut in the middle of a message
    asyncpg.InterfaceError,  # the connection or its pool is closed already
    OSError,  # TimeoutError is one of them
)
# Kinds of the above that stay as they are. The driver's complaints about values and URLs are ValueErrors.
LASTING = (
    ValueError,
    asyncpg.UnsupportedClientFeatureError,
    asyncpg.UnsupportedServerFeatureError,
    ssl.SSLCertVerificationError,
)


@dataclass(frozen=True)
class Profile:
    """What a connection is for: its name in pg_stat_activity, session settings, and how long one statement may take.

    `statement_timeout` is in seconds and is kept on this side of the wire, so that a silent network ends it too.
    """

    name: str
    settings: Mapping[str, str] = field(default_factory=dict)
    statement_timeout: float = 30.0


PLAIN = Profile("paramedic")

# The engine's few dozen statements go by key and are prepared once, perhaps while tables are empty: the plan chosen
# then must not be a scan, and it must not be thought over again at every call.
ENGINE = Profile(
    "paramedic engine",
    MappingProxyType(
        {
            "plan_cache_mode": "force_generic_plan",
            "enable_seqscan": "off",
            "enable_hashjoin": "off",
            "enable_mergejoin": "off",
            "random_page_cost": "1.1",  # what it works on is in memory
            "jit": "off",  # what is switched off above counts as very dear, and dear plans would be compiled each time
        }
    ),
    statement_timeout=10.0,
)


class Options(TypedDict):
    """What the driver is told for one connection, alone or in a pool."""

    timeout: float
    command_timeout: float
    server_settings: dict[str, str]
    statement_cache_size: int
    max_cached_statement_lifetime: int
    max_cacheable_statement_size: int


def _options(profile: Profile, timeout: float) -> Options:
    return Options(
        timeout=timeout,
        command_timeout=profile.statement_timeout,
        server_settings={"application_name": profile.name, **profile.settings},
        # Prepared statements are kept for good, whatever their length: the engine has few, long ones.
        statement_cache_size=500,
        max_cached_statement_lifetime=0,
        max_cacheable_statement_size=0,
    )


async def connect(dsn: str, profile: Profile = PLAIN, *, timeout: float = 10.0) -> Connection:
    """One connection, opened within `timeout` seconds. Raises Temporary, Permanent, or Fault for a wrong URL."""
    with _opening(dsn, timeout):
        connection = await asyncpg.connect(dsn, **_options(profile, timeout))
    try:
        require_supported(connection.get_server_version().major, _server(dsn))
    except Permanent:
        connection.terminate()
        raise
    return connection


async def open_pool(dsn: str, profile: Profile = PLAIN, *, size: int, timeout: float = 10.0) -> Pool:
    """A pool of at most `size` connections, one of them opened now. Raises as `connect` does."""
    first = await connect(dsn, profile, timeout=timeout)
    with translated("closing the first connection"):
        await first.close(timeout=timeout)
    with _opening(dsn, timeout):
        return await asyncpg.create_pool(dsn, min_size=1, max_size=size, **_options(profile, timeout))


def require_supported(major: int, server: str) -> None:
    """Raises Permanent when the `server` is of a `major` version older than the oldest that is tested."""
    if major < OLDEST:
        raise Permanent(
            f"{server} is of version {major}; PostgreSQL {OLDEST} or newer is needed:"
            " upgrade it, or leave PARAMEDIC_DATABASE_URL unset to use the embedded one"
        )


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Around every call of the driver: its errors become Temporary or Permanent, saying what was being done.

    A lost connection is Temporary; whether a write before it took effect is for the caller to find out.
    """
    try:
        yield
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as error:
        if isinstance(error, PASSING) and not isinstance(error, LASTING):
            raise Temporary(f"{doing}: {_said(error)}") from error
        raise Permanent(f"{doing}: {_said(error)}") from error


@contextmanager
def _opening(dsn: str, timeout: float) -> Iterator[None]:
    if not dsn.startswith(("postgresql://", "postgres://")):
        raise _wrong("it does not begin with postgresql://")
    try:
        with translated(f"{_server(dsn)} cannot be used"):
            yield
    except ValueError as error:
        raise _wrong(str(error)) from error
    except Permanent as error:
        if isinstance(error.__cause__, asyncpg.ClientConfigurationError):
            raise _wrong(str(error.__cause__)) from error
        raise
    except Temporary as error:
        if isinstance(error.__cause__, TimeoutError):
            raise Temporary(f"{_server(dsn)} does not answer within {timeout:g} s") from error
        raise


def _wrong(what: str) -> Fault:
    return Fault("database URL", what, "write it as postgresql://user:password@host:5432/database")


def _server(dsn: str) -> str:
    """Which server a message is about, without what the URL says of users and passwords."""
    try:
        parts = urlsplit(dsn)
        host = parts.hostname or parse_qs(parts.query).get("host", [""])[0]
    except ValueError:
        host = ""
    return f"PostgreSQL at {host}" if host else "PostgreSQL"


def _said(error: BaseException) -> str:
    """The error in one line; some of the driver's have no text, and some have several lines."""
    return " ".join(str(error).split()) or type(error).__name__
