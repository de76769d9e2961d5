"""The keys landed of an object behind an API: what is news, and what the census compares."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from psycopg import Connection, sql
from psycopg.errors import UniqueViolation
from psycopg.types.json import Jsonb

from flows.sources.windows import Page, version_of

_OBJECT = """
insert into ops.source_objects (connection, object) values (%s, %s)
on conflict (connection, object) do update set object = excluded.object
returning object_id, fields
"""
_KNOWN = """
select key, version, is_live from ops.source_keys where object_id = %s and key = any(%s)
"""
_MERGE = """
insert into ops.source_keys (object_id, key, version, is_live, batch_id)
select distinct on (key) %(object)s, key, version, is_live, %(batch)s
from pg_temp.concord_keys
order by key, line desc
on conflict (object_id, key) do update
set version = excluded.version, is_live = excluded.is_live, batch_id = excluded.batch_id
"""
_TEMPORARY = """
create temp table if not exists concord_keys (
    line bigint generated always as identity, key text, version text, is_live boolean
) on commit delete rows
"""
_LISTED = """
create temp table if not exists concord_listed (key text, version text) on commit preserve rows
"""
_UNLISTED = """
select key from ops.source_keys as known
where object_id = %s and is_live
    and not exists (select from pg_temp.concord_listed as listed where listed.key = known.key)
order by key
"""
_IS_DUE = """
select coalesce(counted_at < clock_timestamp() - interval '1 day', true)
from ops.source_objects where object_id = %s
"""
_NOT_LANDED = """
select listed.key
from pg_temp.concord_listed as listed
left join ops.source_keys as known on known.object_id = %s and known.key = listed.key
where known.key is null
    or not known.is_live
    or split_part(known.version, '#', 1) is distinct from coalesce(
        split_part(listed.version, '#', 1), split_part(known.version, '#', 1)
    )
order by listed.key
"""


_BATCHES = """
select array_agg(distinct batch_id) from ops.source_keys where object_id = %s and key = any(%s)
"""
_LAST_ROWS = """
select distinct on (key) key, payload::text
from (
    select raw_id, payload, {} as key from {} where batch_id = any(%s) and operation = 'upsert'
) as received
where key = any(%s)
order by key, raw_id desc
"""
_SPECIAL = set("\\\t\n\r")
_ESCAPED = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


class KnownKeys:
    """The keys of one object."""

    def __init__(self, connection: Connection, source_system: str, name: str) -> None:
        self._connection = connection
        self._table = sql.Identifier(f"raw_{source_system}", name)
        row = connection.execute(_OBJECT, (source_system, name)).fetchone()
        assert row is not None  # noqa: S101 - insert … returning always answers
        self._object_id: int = row[0]
        self.fields: dict[str, str] = row[1]
        connection.execute(_TEMPORARY)

    def note_fields(self, fields: Mapping[str, str]) -> None:
        """Keep what the object's fields are now."""
        if dict(fields) != self.fields:
            self.fields = dict(fields)
            self._connection.execute(
                "update ops.source_objects set fields = %s, described_at = clock_timestamp()"
                " where object_id = %s",
                (Jsonb(self.fields), self._object_id),
            )

    def without_repeats(self, page: Page) -> Page:
        """Leave out the rows whose version has landed already, and deletes of what is not live."""
        known = {
            key: (version, is_live)
            for key, version, is_live in self._connection.execute(
                _KNOWN, (self._object_id, list(page.keys))
            )
        }
        if not known and page.operation == "upsert":
            return page
        lines = page.lines.removesuffix(b"\n").split(b"\n")
        kept = [
            position
            for position, key in enumerate(page.keys)
            if not _is_repeat(page, position, lines[position], known.get(key))
        ]
        return page if len(kept) == len(page.keys) else _only(page, lines, kept)

    def note(self, page: Page, batch_id: int) -> None:
        """Take the page's keys in, within the transaction that lands its rows."""
        if not page.may_repeat and self._note_as_new(page, batch_id):
            return
        with self._connection.cursor() as cursor:
            command = "copy pg_temp.concord_keys (key, version, is_live) from stdin"
            with cursor.copy(command) as copy:
                copy.write(_as_copy_text(page))
            cursor.execute(_MERGE, {"object": self._object_id, "batch": batch_id})

    def _note_as_new(self, page: Page, batch_id: int) -> bool:
        """Take the keys in where none of them is known, which costs half; say whether it did."""
        try:
            with self._connection.transaction(), self._connection.cursor() as cursor:
                command = (
                    "copy ops.source_keys (object_id, batch_id, key, version, is_live) from stdin"
                )
                with cursor.copy(command) as copy:
                    copy.write(_as_copy_text(page, f"{self._object_id}\t{batch_id}\t"))
        except UniqueViolation:
            return False
        return True

    def live_count(self) -> int:
        """Count the keys that are live."""
        return self._number("select count(*) from ops.source_keys where object_id = %s and is_live")

    def is_census_due(self) -> bool:
        """Say whether the last census is a day ago, or never was."""
        row = self._connection.execute(_IS_DUE, (self._object_id,)).fetchone()
        return bool(row and row[0])

    def note_census(self) -> None:
        """Note that the census has been taken."""
        self._connection.execute(
            "update ops.source_objects set counted_at = clock_timestamp() where object_id = %s",
            (self._object_id,),
        )

    def take_list(self, pages: Iterable[Sequence[tuple[str, str | None]]]) -> None:
        """Take in what the source lists as live."""
        self._connection.execute(_LISTED)
        self._connection.execute("truncate pg_temp.concord_listed")
        with (
            self._connection.cursor() as cursor,
            cursor.copy("copy pg_temp.concord_listed (key, version) from stdin") as copy,
        ):
            for page in pages:
                for pair in page:
                    copy.write_row(pair)

    def listed_count(self) -> int:
        """Count the keys that the source listed."""
        statement = "select count(distinct key) from pg_temp.concord_listed"
        row = self._connection.execute(statement).fetchone()
        return int(row[0]) if row else 0

    def not_landed(self) -> list[str]:
        """Return the listed keys that have not landed, or not in the listed version."""
        return self._keys(_NOT_LANDED)

    def unlisted(self) -> list[str]:
        """Return the live keys that the source did not list."""
        return self._keys(_UNLISTED)

    def last_rows(self, keys: Sequence[str], key_fields: Sequence[str]) -> dict[str, str]:
        """Return the newest landed row of each key, as JSON."""
        values = (self._object_id, list(keys))
        batches = self._connection.execute(_BATCHES, values).fetchone()
        parts = [sql.SQL("payload ->> {}").format(sql.Literal(name)) for name in key_fields]
        key = sql.SQL("concat_ws('|', {})").format(sql.SQL(", ").join(parts))
        statement = sql.SQL(_LAST_ROWS).format(key, self._table)
        found = self._connection.execute(statement, (batches[0] if batches else [], list(keys)))
        return dict(found.fetchall())

    def _keys(self, statement: str) -> list[str]:
        rows = self._connection.execute(statement.encode(), (self._object_id,)).fetchall()
        return [row[0] for row in rows]

    def _number(self, statement: str) -> int:
        row = self._connection.execute(statement.encode(), (self._object_id,)).fetchone()
        return int(row[0]) if row else 0


def _is_repeat(page: Page, position: int, line: bytes, known: tuple[Any, bool] | None) -> bool:
    version, key = page.versions[position], page.keys[position]
    if page.operation == "delete":
        # A row that came back after it was deleted has a later stamp than the notice.
        return known is None or not known[1] or (known[0] or "").partition("#")[0] > (version or "")
    if known is None or known[0] is None or version is None:
        return False
    was, was_live = known
    if was_live == (key in page.gone):
        return False
    stamp = version.partition("#")[0]
    return was == version or ("#" in was and was == version_of(stamp, line, fresh_from=""))


def _only(page: Page, lines: Sequence[bytes], kept: Sequence[int]) -> Page:
    return replace(
        page,
        lines=b"".join(lines[position] + b"\n" for position in kept),
        keys=[page.keys[position] for position in kept],
        versions=[page.versions[position] for position in kept],
    )


def _as_copy_text(page: Page, prefix: str = "") -> bytes:
    live, gone = ("f", "f") if page.operation == "delete" else ("t", "f")
    keys = page.keys
    if _SPECIAL & set("".join(keys)):
        keys = [key.translate(_ESCAPED) for key in keys]
    versions = ("\\N" if version is None else version for version in page.versions)
    states = (
        (gone if key in page.gone else live for key in page.keys)
        if page.gone
        else [live] * len(keys)
    )
    rows = zip(keys, versions, states, strict=True)
    return "".join(
        [f"{prefix}{key}\t{version}\t{is_live}\n" for key, version, is_live in rows]
    ).encode()
