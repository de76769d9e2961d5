"""The SQL of a mapping: the rows of one file as the rows of one canonical entity."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from psycopg import sql

from flows.core.canonical import Entity
from flows.sources.files.mapping import Expression, FileMapping, Lookup, MappedFile, Part
from flows.sources.files.mapping_words import COPY, names_used

Relation = Callable[[str], sql.Composable]

# Names of our own inside the select; no file column can be called so and be mapped.
BATCH, RAW, OPERATION, PAYLOAD = (
    f"concord:{name}" for name in ("batch_id", "raw_id", "operation", "payload")
)
# Two parts of one entity may read the same file row; each needs a raw_id of its own.
ROWS_PER_PART = 2**48

# Within its batch, so that only the rows of batches that are asked for are counted.
_COPY_NUMBER = sql.SQL(
    "row_number() over (partition by raw_rows.batch_id, raw_rows.payload::text"
    " order by raw_rows.raw_id)"
)


def empty_relation(_: str) -> sql.Composable:
    """Stand in for a raw table that holds nothing."""
    return sql.SQL(
        "(select null::bigint as batch_id, null::bigint as raw_id, null::text as operation,"
        " null::json as payload where false)"
    )


@dataclass(frozen=True)
class PartSelect:
    """Builds the select of one part of one entity."""

    mapping: FileMapping
    part: Part
    relation: Relation

    def rows(self, entity: Entity, source_system: str, kind: str, position: int) -> sql.Composable:
        """Return the whole select, with the columns that every raw.<entity> view has."""
        raw_id: sql.Composable = _name("file", RAW)
        if position:
            raw_id = sql.SQL("{} + {}").format(raw_id, sql.Literal(position * ROWS_PER_PART))
        columns = [
            sql.SQL("{}::text as source_system").format(sql.Literal(source_system)),
            sql.SQL("{}::text as kind").format(sql.Literal(kind)),
            sql.SQL("{} as batch_id").format(_name("file", BATCH)),
            sql.SQL("{} as raw_id").format(raw_id),
            sql.SQL("{} as operation").format(_name("file", OPERATION)),
            sql.SQL("{} as payload").format(_name("file", PAYLOAD)),
            sql.SQL("{} as invalid_columns").format(self._invalid_columns(entity)),
            *(
                sql.SQL("{} as {}").format(self._value(name), sql.Identifier(name))
                for name in entity.column_names
            ),
        ]
        return sql.SQL("select\n    {}\nfrom {}{}").format(
            sql.SQL(",\n    ").join(columns), self.source(), self._where()
        )

    def source(self) -> sql.Composable:
        """Return the file's typed rows with what they look up, as the relation `file`."""
        used = self._names_used()
        own = [name for name in used if self.part.resolve(name)[0] is None]
        borrowed = [name for name in used if name not in own]
        columns: list[sql.Composable] = [sql.SQL("row_of_file.*")]
        for name in borrowed:
            lookup, column = self.part.resolve(name)
            relation = f"lookup {lookup.name}" if lookup else "row_of_file"
            columns += [
                sql.SQL("{} as {}").format(_name(relation, column), sql.Identifier(name)),
                sql.SQL("{} as {}").format(_name(relation, _flag(column)), _name(_flag(name))),
            ]
        return sql.SQL("(\n    select {}\n    from {} as row_of_file{}\n) as file").format(
            sql.SQL(", ").join(columns),
            self._typed_rows(self.part.file, own),
            sql.SQL("").join([self._join(lookup, borrowed) for lookup in self.part.lookups]),
        )

    def _names_used(self) -> tuple[str, ...]:
        expressions = [*self.part.columns.values(), self.part.where]
        names = [name for expression in expressions for name in names_used(expression)]
        names += [name for lookup in self.part.lookups for name in lookup.match]
        return tuple(dict.fromkeys(names))

    def _join(self, lookup: Lookup, borrowed: Iterable[str]) -> sql.Composable:
        resolved = [self.part.resolve(name) for name in borrowed]
        columns = [*lookup.match.values(), *names_used(lookup.where)]
        columns += [column for owner, column in resolved if owner is lookup]
        relation = f"lookup {lookup.name}"
        pairs = [
            sql.SQL("{} = {}").format(_name(relation, theirs), _name("row_of_file", own))
            for own, theirs in lookup.match.items()
        ]
        keys = sql.SQL(", ").join([_name("file", name) for name in lookup.match.values()])
        return sql.SQL(
            "\n    left join (\n    select distinct on ({keys}) file.*\n    from {rows} as file"
            "{where}\n    order by {keys}, {batch} desc, {raw} desc\n    ) as {name} on {pairs}"
        ).format(
            keys=keys,
            rows=self._typed_rows(lookup.file, dict.fromkeys(columns)),
            where=_condition(lookup.where),
            batch=_name("file", BATCH),
            raw=_name("file", RAW),
            name=sql.Identifier(relation),
            pairs=sql.SQL(" and ").join(pairs),
        )

    def _typed_rows(self, file_name: str, names: Iterable[str]) -> sql.Composable:
        """Return a file's rows with the named columns read as their declared types."""
        columns: list[sql.Composable] = [
            sql.SQL("raw_rows.{} as {}").format(sql.Identifier(theirs), sql.Identifier(ours))
            for theirs, ours in (
                ("batch_id", BATCH),
                ("raw_id", RAW),
                ("operation", OPERATION),
                ("payload", PAYLOAD),
            )
        ]
        file, names = self.mapping.files[file_name], list(names)
        typed = [name for name in names if file.type_of(name).type != "text"]
        columns += [column for name in names for column in _read_column(name, name in typed)]
        return sql.SQL("(\n        select {}\n        from {} as raw_rows{}{}\n    )").format(
            sql.SQL(", ").join(columns),
            self.relation(file_name),
            _fields([name for name in names if name != COPY]),
            _typed_fields(file, typed),
        )

    def _value(self, column: str) -> sql.Composable:
        expression = self.part.columns.get(column)
        if expression is None:
            return sql.SQL("null::text")
        return sql.SQL("({})::text").format(value_sql(expression))

    def _where(self) -> sql.Composable:
        flags = list(self._flags(self.part.where))
        return _condition(self.part.where, or_any=flags)

    def _flags(self, expression: Expression | None) -> Iterator[sql.Composable]:
        """Yield what tells that a value the expression reads cannot be read as declared."""
        for name in names_used(expression):
            lookup, column = self.part.resolve(name)
            file = self.mapping.files[lookup.file if lookup else self.part.file]
            if file.type_of(column).type != "text":
                # A row that finds nothing to borrow from has nothing unreadable there.
                yield sql.SQL("coalesce({}, false)").format(_name("file", _flag(name)))

    def _invalid_columns(self, entity: Entity) -> sql.Composable:
        # A row kept although its condition cannot be told is marked by its key.
        doubts = list(self._flags(self.part.where))
        marks = []
        for name in entity.column_names:
            flags = list(self._flags(self.part.columns.get(name)))
            flags += doubts if name in entity.key else []
            if flags:
                marks.append(
                    sql.SQL("case when {} then {} end").format(
                        sql.SQL(" or ").join(flags), sql.Literal(name)
                    )
                )
        if not marks:
            return sql.SQL("null::text[]")
        return sql.SQL("nullif(array_remove(array[{}]::text[], null), '{{}}')").format(
            sql.SQL(", ").join(marks)
        )


def value_sql(expression: Expression) -> sql.Composable:
    """Return the SQL of one expression over the relation `file`."""
    if expression.kind == "constant":
        return sql.Literal(expression.text)
    if expression.kind == "column":
        return _name("file", expression.text)
    return sql.SQL("\n{}\n").format(_verbatim(expression.text))


def _fields(names: list[str]) -> sql.Composable:
    """Return the join that takes the named columns out of the payload, as text."""
    if not names:
        return sql.SQL("")
    record = [sql.SQL("{} text").format(sql.Identifier(name)) for name in names]
    return sql.SQL(
        "\n        cross join lateral json_to_record(raw_rows.payload) as field({})"
    ).format(sql.SQL(", ").join(record))


def _typed_fields(file: MappedFile, names: list[str]) -> sql.Composable:
    """Return the join that reads the named columns as their types, each once per row."""
    if not names:
        return sql.SQL("")
    values = [
        sql.SQL("{} as {}").format(
            file.type_of(name).reads(_name("field", name)), sql.Identifier(name)
        )
        for name in names
    ]
    # Without the offset Postgres would read a value again wherever it is used.
    return sql.SQL("\n        cross join lateral (select {} offset 0) as typed").format(
        sql.SQL(", ").join(values)
    )


def _read_column(name: str, is_typed: bool) -> Iterator[sql.Composable]:
    value: sql.Composable = _name("typed" if is_typed else "field", name)
    if name == COPY:
        value = _COPY_NUMBER
    yield sql.SQL("{} as {}").format(value, sql.Identifier(name))
    unreadable: sql.Composable = sql.SQL("false")
    if is_typed:
        unreadable = sql.SQL("({} is null and btrim({}) <> '')").format(
            _name("typed", name), _name("field", name)
        )
    yield sql.SQL("{} as {}").format(unreadable, _name(_flag(name)))


def _condition(where: Expression | None, or_any: Iterable[sql.Composable] = ()) -> sql.Composable:
    if where is None:
        return sql.SQL("")
    alternatives = [sql.SQL("({})").format(value_sql(where)), *or_any]
    return sql.SQL("\nwhere ({})").format(sql.SQL(" or ").join(alternatives))


def _verbatim(text: str) -> sql.SQL:
    """Return the mapping file's own SQL; it was compiled alone before it may stand here."""
    return sql.SQL(text)


def _name(*parts: str) -> sql.Identifier:
    return sql.Identifier(*parts)


def _flag(name: str) -> str:
    return f"unreadable:{name}"
