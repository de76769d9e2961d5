"""Databases on a server: their URLs, and making one that is missing."""

from contextlib import suppress
from urllib.parse import quote, urlencode

import psycopg
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict


def with_database(url: str, name: str) -> str:
    """Return the URL of another database on the same server."""
    parts = {key: str(value) for key, value in conninfo_to_dict(url).items() if value is not None}
    parts.pop("dbname", None)
    user, password = parts.pop("user", ""), parts.pop("password", "")
    host, port = parts.pop("host", ""), parts.pop("port", "")
    credentials = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
    address = quote(host, safe=",.[]:") + (f":{port}" if port else "")
    options = f"?{urlencode(parts)}" if parts else ""
    at = "@" if credentials else ""
    return f"postgresql://{credentials}{at}{address}/{quote(name, safe='')}{options}"


def database_name(url: str) -> str:
    """Return the database a URL names; Postgres falls back to the user's name."""
    parts = conninfo_to_dict(url)
    return str(parts.get("dbname") or parts.get("user") or "postgres")


def ensure_database(url: str, name: str) -> str:
    """Make the database on the server of `url` unless it exists, and return its URL."""
    statement = sql.SQL("create database {} template template0 encoding 'UTF8'")
    with psycopg.connect(url, autocommit=True) as connection:
        query = "select from pg_database where datname = %s"
        if connection.execute(query, (name,)).fetchone() is None:
            # Another process may make it at the same moment.
            with suppress(errors.DuplicateDatabase, errors.UniqueViolation):
                connection.execute(statement.format(sql.Identifier(name)))
    return with_database(url, name)
