"""The store in production: PostgreSQL, one statement a commit, fenced by membership."""

from paramedic.store.postgres.store import PostgresStore

__all__ = ["PostgresStore"]
