"""Views that analysts built on the published ones: found, taken down, made again as they were."""

from collections.abc import Iterable
from dataclasses import dataclass

import psycopg
from psycopg import Connection, sql
from psycopg.rows import class_row

from flows.core.errors import PublicationRefusedError
from flows.publishing.plan import Loss
from flows.publishing.shape import MARTS, trusted

# Every rule that uses a relation, and which of its columns (0: the relation as a whole).
USES = """
    uses as (
        select distinct r.ev_class as view, d.refobjid as used, d.refobjsubid as used_column
        from pg_depend as d
        inner join pg_rewrite as r on d.objid = r.oid and d.classid = 'pg_rewrite'::regclass
        where d.refclassid = 'pg_class'::regclass and d.refobjid <> r.ev_class
    )
"""
SAVED = """
    select
        c.oid::bigint as oid, n.nspname as schema, c.relname as name, c.relkind::text as kind,
        pg_get_userbyid(c.relowner) as owner, pg_get_viewdef(c.oid) as definition,
        coalesce(c.reloptions, '{}') as options, c.relispopulated as is_populated,
        obj_description(c.oid, 'pg_class') as comment,
        array(
            select array[a.attname::text, col_description(c.oid, a.attnum)]
            from pg_attribute as a
            where
                a.attrelid = c.oid and a.attnum > 0
                and col_description(c.oid, a.attnum) is not null
        ) as column_comments,
        c.relacl is not null as has_grants,
        array(
            select array[
                coalesce(r.rolname::text, 'public'), g.privilege_type, g.is_grantable::text,
                g.attname
            ]
            from (
                select x.grantee, x.privilege_type, x.is_grantable, null::text as attname
                from aclexplode(c.relacl) as x
                union all
                select x.grantee, x.privilege_type, x.is_grantable, a.attname::text
                from pg_attribute as a cross join lateral aclexplode(a.attacl) as x
                where a.attrelid = c.oid
            ) as g
            left join pg_roles as r on r.oid = g.grantee
        ) as grants,
        array(
            select pg_get_indexdef(i.indexrelid) from pg_index as i where i.indrelid = c.oid
        ) as indexes
    from pg_class as c
    inner join pg_namespace as n on n.oid = c.relnamespace
"""


@dataclass(frozen=True)
class SavedView:
    """All that is needed to make a view again."""

    oid: int
    schema: str
    name: str
    kind: str
    owner: str
    definition: str
    options: list[str]
    is_populated: bool
    comment: str | None
    column_comments: list[list[str]]
    has_grants: bool
    grants: list[list[str | None]]
    indexes: list[str]

    @property
    def identifier(self) -> sql.Identifier:
        """The view's qualified name."""
        return sql.Identifier(self.schema, self.name)

    @property
    def qualified_name(self) -> str:
        """The view's name as people say it."""
        return f"{self.schema}.{self.name}"

    @property
    def word(self) -> sql.SQL:
        """What Postgres calls it."""
        return sql.SQL("materialized view" if self.kind == "m" else "view")

    def creation(self) -> sql.Composed:
        """Return the statement that makes it."""
        options = trusted(f" with ({', '.join(self.options)})" if self.options else "")
        data = trusted(" with no data" if self.kind == "m" and not self.is_populated else "")
        return sql.SQL("create {} {}{} as {}{}").format(
            self.word, self.identifier, options, trusted(self.definition.rstrip().rstrip(";")), data
        )


@dataclass(frozen=True)
class Outcome:
    """What became of an analyst's view; the definition makes it again."""

    view_name: str
    owner: str
    outcome: str
    definition: str
    reason: str | None = None


def broken_by(connection: Connection, losses: Iterable[Loss]) -> list[str]:
    """Name the views that use what would be lost, directly or through another view."""
    pairs = [(loss.table, loss.column) for loss in losses]
    rows = connection.execute(
        f"""
        with recursive {USES},
        lost as (
            select c.oid, a.attnum
            from unnest(%s::text[], %s::text[]) as l (table_name, column_name)
            inner join pg_class as c
                on c.relname = l.table_name and c.relnamespace = %s::regnamespace
            left join pg_attribute as a on a.attrelid = c.oid and a.attname = l.column_name
        ),
        broken as (
            select u.view from uses as u
            inner join lost as l
                on u.used = l.oid and u.used_column = coalesce(l.attnum, u.used_column)
            union
            select u.view from uses as u inner join broken as b on u.used = b.view
        )
        select n.nspname || '.' || c.relname
        from broken as b
        inner join pg_class as c on c.oid = b.view
        inner join pg_namespace as n on n.oid = c.relnamespace
        order by 1
        """,
        ([table for table, _ in pairs], [column for _, column in pairs], MARTS),
    ).fetchall()
    return [row[0] for row in rows]


def take_down(connection: Connection, tables: Iterable[str]) -> tuple[list[SavedView], ...]:
    """Drop published views and all that stands on them.

    Returns the published ones and the analysts' own, the latter in the order to make them again.
    """
    # Names outside pg_catalog come out qualified, whatever the search path is later.
    connection.execute("set local search_path to pg_catalog")
    ours = _saved(connection, "where n.nspname = %s and c.relname = any(%s)", MARTS, list(tables))
    theirs = _standing_on(connection, [view.oid for view in ours])
    connection.execute("set local search_path to default")
    for view in (*reversed(theirs), *ours):
        _drop(connection, view)
    return ours, theirs


def _drop(connection: Connection, view: SavedView) -> None:
    try:
        connection.execute(sql.SQL("drop {} {}").format(view.word, view.identifier))
    except psycopg.errors.DependentObjectsStillExist as error:
        raise PublicationRefusedError(
            f"{view.qualified_name} cannot be made again, for something other than a view uses it: "
            f"{error.diag.message_detail}. Drop that first."
        ) from error


def put_back(connection: Connection, views: Iterable[SavedView]) -> list[Outcome]:
    """Make views again, with owners, grants and comments; those that no longer work stay away."""
    outcomes = []
    for view in views:
        definition = view.creation().as_string(connection)
        try:
            with connection.transaction():
                connection.execute(view.creation())
                restore_rights(connection, view)
                _restore_comments(connection, view)
        except psycopg.errors.LockNotAvailable:
            raise
        except psycopg.ProgrammingError as error:
            reason = error.diag.message_primary
            outcomes.append(Outcome(view.qualified_name, view.owner, "dropped", definition, reason))
        else:
            outcomes.append(Outcome(view.qualified_name, view.owner, "recreated", definition))
    return outcomes


def restore_rights(connection: Connection, view: SavedView) -> None:
    """Give a view its former owner and grants."""
    owner = sql.Identifier(view.owner)
    connection.execute(sql.SQL("alter {} {} owner to {}").format(view.word, view.identifier, owner))
    if view.has_grants:
        connection.execute(sql.SQL("revoke all on {} from {}").format(view.identifier, owner))
    columns = {row[0] for row in _column_names(connection, view)}
    for grantee, privilege, is_grantable, column in view.grants:
        if column is None or column in columns:
            connection.execute(
                sql.SQL("grant {}{} on {} to {}{}").format(
                    trusted(str(privilege)),
                    sql.SQL(" ({})").format(sql.Identifier(column)) if column else sql.SQL(""),
                    view.identifier,
                    sql.SQL("public") if grantee == "public" else sql.Identifier(str(grantee)),
                    sql.SQL(" with grant option" if is_grantable == "true" else ""),
                )
            )


def _restore_comments(connection: Connection, view: SavedView) -> None:
    for index in view.indexes:
        connection.execute(trusted(index))
    if view.comment is not None:
        connection.execute(
            sql.SQL("comment on {} {} is {}").format(
                view.word, view.identifier, sql.Literal(view.comment)
            )
        )
    for column, comment in view.column_comments:
        connection.execute(
            sql.SQL("comment on column {} is {}").format(
                sql.Identifier(view.schema, view.name, column), sql.Literal(comment)
            )
        )


def _column_names(connection: Connection, view: SavedView) -> list[tuple[str]]:
    return connection.execute(
        "select attname from pg_attribute where attrelid = %s::text::regclass and attnum > 0",
        (view.identifier.as_string(connection),),
    ).fetchall()


def _standing_on(connection: Connection, roots: list[int]) -> list[SavedView]:
    return _saved(
        connection,
        f"""
        inner join (
            with recursive {USES},
            standing (view, depth) as (
                select u.view, 1 from uses as u where u.used = any(%s::oid[])
                union
                select u.view, s.depth + 1
                from uses as u inner join standing as s on u.used = s.view
            )
            select s.view, max(s.depth) as depth from standing as s group by s.view
        ) as d on d.view = c.oid
        order by d.depth, n.nspname, c.relname
        """,
        roots,
    )


def _saved(connection: Connection, condition: str, *parameters: object) -> list[SavedView]:
    with connection.cursor(row_factory=class_row(SavedView)) as cursor:
        return cursor.execute((SAVED + condition).encode(), parameters).fetchall()
