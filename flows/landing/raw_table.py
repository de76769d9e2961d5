"""One raw table: made when first needed, filled by COPY, with Postgres as judge in doubt."""

from collections.abc import Iterable, Iterator, Sequence

import psycopg
from psycopg import Connection, sql

from flows.sources.contract import Lines, Reject, Trust

_CREATE = """
create schema if not exists {schema};
create table {table} (
    raw_id bigint generated always as identity (cache 1000),
    batch_id bigint not null default current_setting('concord.batch_id')::bigint,
    operation text not null default 'upsert' check (operation in ('upsert', 'delete')),
    payload json not null
);
create index on {table} using brin (batch_id) with (pages_per_range = 32, autosummarize = on);
comment on table {table} is 'Rows as received; arrival order is batch_id, raw_id. Append-only.';
"""
# No JSON text holds this control character, so that nothing is taken for a second column. Text
# is read by Postgres a fifteenth faster than CSV; a backslash is the one thing that it would undo.
_COPY = """
copy {table} (batch_id, payload) from stdin (format text, delimiter e'\\x02')
"""
# Only jsonb refuses escapes that name no character; a number beyond its range is for the gate.
_KIND = "case when strpos(content, '\\u') > 0 then 'jsonb' else 'json' end"
_IS_OBJECT = f"""
case
    when pg_input_is_valid(content, {_KIND}) then json_typeof(content::json) = 'object'
    else false
end
"""
_LAND_OBJECTS = f"""
insert into {{table}} (payload)
select content::json
from pg_temp.concord_lines
where {_IS_OBJECT}
order by line
"""
_TEMPORARY = """
create temp table if not exists concord_lines (line bigint, content text) on commit drop
"""
_REASONS = f"""
select
    line,
    case
        when pg_input_is_valid(content, {_KIND})
            then 'the line is a JSON ' || json_typeof(content::json) || ', not an object'
        else concat_ws('. ', error.message, nullif(rtrim(error.detail, '.'), ''))
    end
from pg_temp.concord_lines
cross join lateral pg_input_error_info(content, {_KIND}) as error
where not {_IS_OBJECT}
order by line
"""


class RawTable:
    """The raw table of one object, within the transaction of one batch."""

    def __init__(self, connection: Connection, source_system: str, name: str) -> None:
        self._connection = connection
        self._schema = f"raw_{source_system}"
        self._name = name
        self._table = sql.Identifier(self._schema, name)
        self._prefix = b""

    def ensure(self) -> bool:
        """Make the table unless it is there; return whether it was made."""
        if self._exists():
            return False
        self._connection.execute(
            "select pg_advisory_xact_lock(hashtextextended(%s, 0))", (self._schema,)
        )
        if self._exists():
            return False
        self._connection.execute(
            sql.SQL(_CREATE).format(schema=sql.Identifier(self._schema), table=self._table)
        )
        return True

    def begin(self, batch_id: int) -> None:
        """Let the rows that follow, to the end of the transaction, belong to the batch."""
        self._prefix = b"%d\x02" % batch_id
        self._connection.execute(
            "select set_config('concord.batch_id', %s, true)", (str(batch_id),)
        )

    def note_deletes(self, batch_id: int, lines: bytes) -> None:
        """Land rows that say that their key was deleted."""
        statement = sql.SQL(
            "insert into {} (batch_id, operation, payload) select %s, 'delete', payload::json"
            " from unnest(%s::text[]) with ordinality as notice (payload, line) order by line"
        ).format(self._table)
        rows = lines.removesuffix(b"\n").decode().split("\n")
        self._connection.execute(statement, (batch_id, rows))

    def count(self, batch_id: int) -> int:
        """Count the rows of a batch that are there."""
        statement = sql.SQL("select count(*) from {} where batch_id = %s").format(self._table)
        row = self._connection.execute(statement, (batch_id,)).fetchone()
        return int(row[0]) if row else 0

    def write(self, trust: Trust, blocks: Iterable[Lines]) -> Iterator[Reject]:
        """Land blocks of equal trust; yield the lines that are no JSON objects.

        Nothing else may be asked of the connection while the blocks are being taken.
        """
        if trust == "certain":
            self._copy(blocks)
        elif trust == "likely":
            yield from self._try(blocks)
        else:
            for block in blocks:
                yield from self._write_line_by_line(block)

    def _exists(self) -> bool:
        name = self._table.as_string(self._connection)
        row = self._connection.execute("select to_regclass(%s) is not null", (name,)).fetchone()
        return bool(row and row[0])

    def _copy(self, blocks: Iterable[Lines]) -> None:
        with (
            self._connection.cursor() as cursor,
            cursor.copy(sql.SQL(_COPY).format(table=self._table)) as copy,
        ):
            for block in blocks:
                copy.write(self._with_batch(block.content))

    def _with_batch(self, content: bytes) -> bytes:
        if b"\\" in content:
            content = content.replace(b"\\", b"\\\\")
        # Once over the block; a column default would be evaluated for every row.
        return (
            self._prefix + content.removesuffix(b"\n").replace(b"\n", b"\n" + self._prefix) + b"\n"
        )

    def _try(self, blocks: Iterable[Lines]) -> Iterator[Reject]:
        """Copy all at once; where Postgres refuses, each block alone, and then each line."""
        taken: list[Lines] = []
        rest = iter(blocks)
        try:
            with self._connection.transaction():
                self._copy(_noting(rest, taken))
        except (psycopg.DataError, psycopg.OperationalError):
            if self._connection.closed:
                raise
        else:
            return
        taken += rest
        for block in taken:
            yield from self._try([block]) if len(taken) > 1 else self._write_line_by_line(block)

    def _write_line_by_line(self, lines: Lines) -> Iterator[Reject]:
        readable: list[tuple[int, str]] = []
        rows = lines.content.removesuffix(b"\n").split(b"\n")
        for number, row in enumerate(rows, start=lines.first_line):
            if not row.strip():
                continue
            text, reason = _as_text(row)
            if reason:
                yield Reject(number, reason, row)
            else:
                readable.append((number, text))
        yield from self._judge(readable)

    def _judge(self, lines: Sequence[tuple[int, str]]) -> Iterator[Reject]:
        """Let Postgres land what it can hold; narrow down to the line what makes it give up."""
        if not lines:
            return
        try:
            with self._connection.transaction():
                rejects = list(self._judge_at_once(lines))
        except psycopg.Error as error:
            if self._connection.closed:
                raise
            if len(lines) == 1:
                number, text = lines[0]
                yield Reject(number, str(error).splitlines()[0], text.encode())
                return
            middle = len(lines) // 2
            yield from self._judge(lines[:middle])
            yield from self._judge(lines[middle:])
        else:
            yield from rejects

    def _judge_at_once(self, lines: Sequence[tuple[int, str]]) -> Iterator[Reject]:
        # Made where it is needed: nearly all pages and files have nothing to judge.
        self._connection.execute(_TEMPORARY)
        with (
            self._connection.cursor() as cursor,
            cursor.copy("copy pg_temp.concord_lines (line, content) from stdin") as copy,
        ):
            for line in lines:
                copy.write_row(line)
        self._connection.execute(sql.SQL(_LAND_OBJECTS).format(table=self._table))
        reasons = self._connection.execute(_REASONS).fetchall()
        self._connection.execute("truncate pg_temp.concord_lines")
        texts = dict(lines) if reasons else {}
        for number, reason in reasons:
            yield Reject(number, reason, texts[number].encode())


def _noting(blocks: Iterator[Lines], taken: list[Lines]) -> Iterator[Lines]:
    for block in blocks:
        taken.append(block)
        yield block


def _as_text(row: bytes) -> tuple[str, str | None]:
    """Return the line as text, or why it cannot be."""
    row = row.removesuffix(b"\r")
    if b"\0" in row:
        return "", "the line holds a NUL byte, which Postgres cannot store"
    try:
        return row.decode(), None
    except UnicodeDecodeError:
        return "", "the line is not valid UTF-8"
