"""The schema on PostgreSQL, as forward-only migrations: the files of `postgres_migrations/`, in order.

What stands there is never edited once released; add to the end. The first is what those of SQLite come to.
"""

from importlib.resources import files

from psycopg import Connection

from syndicate.errors import SchemaError, StoreError

OLDEST = 150_000  # the version that tests are run with


def migrate(connection: Connection[tuple[str, ...]]) -> None:
    """Bring the schema that comes first in the search path to this version's.

    All at once, and nobody else meanwhile.

    Raises:
        StoreError: the database is one that we cannot use.
        SchemaError: a newer Syndicate has been here.
    """
    _check(connection)
    with connection.transaction():
        connection.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('syndicate ' || current_schema(), 0))"
        )
        connection.execute(
            "CREATE TABLE IF NOT EXISTS schema_migrations ("
            " name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        applied = {name for (name,) in connection.execute("SELECT name FROM schema_migrations")}
        text_by_name = _migrations()
        newer = sorted(applied - text_by_name.keys())
        if newer:
            raise SchemaError(
                f"the database was written by a newer Syndicate (it has {', '.join(newer)}): "
                "upgrade this one, or name another as [service] database"
            )
        for name in sorted(text_by_name.keys() - applied):
            connection.execute(text_by_name[name].encode())
            connection.execute("INSERT INTO schema_migrations (name) VALUES (%s)", [name])


def _check(connection: Connection[tuple[str, ...]]) -> None:
    """Refuse a database that has not what we need, before anything is made in it."""
    info = connection.info
    if info.server_version < OLDEST:
        raise StoreError(
            f"PostgreSQL {info.parameter_status('server_version')} is too old: "
            f"upgrade it to {OLDEST // 10_000} or later"
        )
    encoding = info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise StoreError(
            f"the database {info.dbname} keeps texts as {encoding}: make one with"
            " createdb --encoding=UTF8 --template=template0, and name it as [service] database"
        )
    found = connection.execute("SELECT 1 WHERE current_schema() IS NOT NULL").fetchone()
    if found is None:
        raise StoreError(
            f"the database {info.dbname} has no schema that {info.user} finds: make one with"
            f" CREATE SCHEMA AUTHORIZATION {info.user}"
        )


def _migrations() -> dict[str, str]:
    """Return the text of each migration by its name."""
    folder = files("syndicate.store").joinpath("postgres_migrations")
    return {
        file.name.removesuffix(".sql"): file.read_text("utf-8")
        for file in folder.iterdir()
        if file.name.endswith(".sql")
    }
