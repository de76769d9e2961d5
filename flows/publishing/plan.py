"""What publishing a slot would change: the views to make, and what analysts would lose."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from psycopg import Connection, sql

from flows.core.errors import PublicationRefusedError
from flows.publishing.catalogue import Catalogue
from flows.publishing.shape import (
    MARTS,
    Column,
    Relation,
    expression_type,
    relations,
    slot_schema,
    trusted,
)

# The sub-select is evaluated once per query, not once per row.
MAY_SEE = sql.SQL(
    "(select pg_catalog.pg_has_role(current_user, 'concord_personal_data', 'member'))"
)


@dataclass(frozen=True)
class Loss:
    """A column (None: the whole table) that analysts would lose, or find with another type."""

    table: str
    column: str | None
    change: str

    def __str__(self) -> str:
        """Spell it for a person."""
        name = f"{MARTS}.{self.table}"
        return f"{name}.{self.column} ({self.change})" if self.column else f"{name} ({self.change})"


@dataclass(frozen=True)
class ViewPlan:
    """One published view: its query, and the comments it must carry (None: the view's own)."""

    table: str
    query: sql.Composed
    comments: Mapping[str | None, str | None]
    is_new: bool
    losses: tuple[Loss, ...]
    added: tuple[str, ...]
    filled: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """All views of one publication, by name."""

    slot: str
    views: tuple[ViewPlan, ...]
    removed: tuple[Loss, ...]
    tables: Mapping[str, Relation]
    fingerprint: str

    @property
    def losses(self) -> tuple[Loss, ...]:
        """Everything that would break what analysts rely on."""
        return (*self.removed, *(loss for view in self.views for loss in view.losses))

    @property
    def is_visible(self) -> bool:
        """Whether the columns or comments that analysts see change."""
        changes = (view.is_new or view.added or view.comments for view in self.views)
        return bool(self.losses) or any(changes)


@dataclass(frozen=True)
class Source:
    """The slot to publish, and how."""

    slot: str
    catalogue: Catalogue
    fill: bool = False


def make_plan(connection: Connection, source: Source, published: frozenset[str]) -> Plan:
    """Compare a slot with the published views, `published` being those that are ours.

    With `fill`, what the slot lacks stays, as null columns and empty tables, so that going back
    to an older slot takes nothing from analysts.
    """
    tables = _tables(connection, source)
    views = relations(connection, MARTS)
    _refuse_strangers(tables, views)
    plans = [_view(connection, source, table, views.get(name)) for name, table in tables.items()]
    gone = sorted(published & views.keys() - tables.keys())
    if source.fill:
        plans += [_empty_view(views[name]) for name in gone]
        gone = []
    return Plan(
        slot=source.slot,
        views=tuple(sorted(plans, key=lambda view: view.table)),
        removed=tuple(Loss(name, None, "removed") for name in gone),
        tables=tables,
        fingerprint=_fingerprint(connection, plans),
    )


def _tables(connection: Connection, source: Source) -> dict[str, Relation]:
    found = relations(connection, slot_schema(source.slot))
    wanted = source.catalogue.tables
    tables = {name: table for name, table in found.items() if wanted is None or name in wanted}
    if not tables:
        raise PublicationRefusedError(
            f"Schema {slot_schema(source.slot)} holds no mart to publish. Build the slot first."
        )
    return tables


def _refuse_strangers(tables: Mapping[str, Relation], views: Mapping[str, Relation]) -> None:
    for name in tables:
        if name in views and views[name].kind != "v":
            raise PublicationRefusedError(
                f"{MARTS}.{name} is not a view, so it was not published by Concord. "
                "Move it to another schema."
            )


def _view(
    connection: Connection, source: Source, table: Relation, view: Relation | None
) -> ViewPlan:
    columns = {column.name: column for column in _columns(connection, source, table)}
    kept = view.columns if view else ()
    losses = tuple(_losses(table.name, kept, columns, fill=source.fill))
    lost = {loss.column for loss in losses}
    filled = [column for column in kept if column.name not in columns and column.name not in lost]
    order = {column.name: column for column in (*filled, *columns.values())}
    names = [column.name for column in kept if column.name in order]
    added = [name for name in columns if name not in {column.name for column in kept}]
    outputs = [
        _filler(order[name]) if order[name] in filled else _output(source, table, order[name])
        for name in (*names, *added)
    ]
    return ViewPlan(
        table=table.name,
        query=sql.SQL("select {} from {}").format(
            sql.SQL(", ").join(outputs), _identifier(source, table)
        ),
        # A view that is dropped and made again has lost its comments.
        comments=_comments(table, list(columns.values()), None if losses else view),
        is_new=view is None,
        losses=losses,
        added=tuple(added) if view else (),
        filled=tuple(column.name for column in filled),
    )


def _columns(connection: Connection, source: Source, table: Relation) -> Iterator[Column]:
    yield from table.columns
    for name, expression in source.catalogue.expressions.get(table.name, {}).items():
        if table.column(name) is None:
            yield Column(name, expression_type(connection, _identifier(source, table), expression))


def _losses(
    table: str, kept: tuple[Column, ...], columns: Mapping[str, Column], *, fill: bool
) -> Iterator[Loss]:
    for column in kept:
        new = columns.get(column.name)
        if new is None and not fill:
            yield Loss(table, column.name, "removed")
        elif new is not None and new.type != column.type:
            yield Loss(table, column.name, f"{column.type} becomes {new.type}")


def _output(source: Source, table: Relation, column: Column) -> sql.Composable:
    name = sql.Identifier(column.name)
    expression = source.catalogue.expressions.get(table.name, {}).get(column.name)
    value: sql.Composable = sql.SQL("({})").format(trusted(expression)) if expression else name
    is_personal = column.name in source.catalogue.personal.get(table.name, ())
    if is_personal:
        value = sql.SQL("case when {} then {} end").format(MAY_SEE, value)
    if is_personal or expression:
        return sql.SQL("({})::{} as {}").format(value, trusted(column.type), name)
    return name


def _filler(column: Column) -> sql.Composable:
    return sql.SQL("null::{} as {}").format(trusted(column.type), sql.Identifier(column.name))


def _empty_view(view: Relation) -> ViewPlan:
    return ViewPlan(
        table=view.name,
        query=sql.SQL("select {} where false").format(
            sql.SQL(", ").join(map(_filler, view.columns))
        ),
        comments={},
        is_new=False,
        losses=(),
        added=(),
        filled=tuple(column.name for column in view.columns),
    )


def _comments(
    table: Relation, columns: list[Column], view: Relation | None
) -> dict[str | None, str | None]:
    """Return only the comments that differ from those the view has."""
    wished: dict[str | None, str | None] = {
        None: table.comment,
        **{column.name: column.comment for column in columns},
    }
    now: dict[str | None, str | None] = {}
    if view:
        now = {None: view.comment, **{column.name: column.comment for column in view.columns}}
    return {name: comment for name, comment in wished.items() if comment != now.get(name)}


def _fingerprint(connection: Connection, plans: list[ViewPlan]) -> str:
    text = "\n".join(f"{plan.table}: {plan.query.as_string(connection)}" for plan in plans)
    return hashlib.sha256(text.encode()).hexdigest()


def _identifier(source: Source, table: Relation) -> sql.Identifier:
    return sql.Identifier(slot_schema(source.slot), table.name)
