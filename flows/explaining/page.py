"""A page that shows where every published column comes from; it needs no server and no network."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path

from psycopg import Connection
from sqlglot import exp, parse_one

from flows.core.dbt import target_path
from flows.core.warehouse import connect
from flows.explaining.catalogue import refresh
from flows.explaining.lineage import DIALECT, EVERY_ROW

PAGE = "lineage.html"
LONGEST_EXPRESSION = 120
_COLUMNS = """
select table_name, column_name, explained_columns.description, kind, formula, rules
from ops.explained_columns inner join ops.explained_tables using (table_name)
where is_published order by table_name, position
"""
_INPUTS = """
select table_name, column_name, split_part(input, ':', 1), source_column, role
from ops.explained_inputs order by 1, 2, 3, 4
"""
Column = tuple[str, str]


def build_page(path: Path | None = None) -> Path:
    """Write the column lineage of every published mart, down to raw, and return the page's place.

    The marts must have been built once.
    """
    refresh()
    with connect() as connection:
        lineage = Lineage(connection)
        content = _page(lineage, connection.execute(_COLUMNS).fetchall())
    path = path or target_path() / PAGE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


class Lineage:
    """Where columns come from: one step back, and all the way to raw."""

    def __init__(self, connection: Connection) -> None:
        self._inputs: dict[Column, dict[str, set[Column]]] = {}
        for table, column, relation, source, role in connection.execute(_INPUTS):
            known = self._inputs.setdefault((f"marts.{table}", column), {})
            known.setdefault(role, set()).add((relation, source))
        self._raw = dict(_raw_columns(connection))

    def inputs(self, column: Column, role: str) -> list[Column]:
        """Return what a column is made of, or what decides about it."""
        return sorted(self._inputs.get(column, {}).get(role, ()))

    def staged(self, column: Column) -> list[Column]:
        """Return the columns outside the marts that a column is made of in the end."""
        seen: set[Column] = set()
        found: set[Column] = set()
        waiting = [column]
        while waiting:
            for one in self.inputs(waiting.pop(), "value"):
                if one not in seen:
                    seen.add(one)
                    (waiting.append if one[0].startswith("marts.") else found.add)(one)
        return sorted(found)

    def raw(self, column: Column) -> list[str]:
        """Return what fills a staged column, by connection."""
        return self._raw.get(column, [])


def _raw_columns(connection: Connection) -> Iterator[tuple[Column, list[str]]]:
    found: dict[Column, list[str]] = {}
    rows = connection.execute(
        "select connection, entity, select_sql from ops.canonical_selects order by 1, 2"
    )
    for source_system, entity, select in rows:
        tree = parse_one(select, dialect=DIALECT)
        for query in tree.find_all(exp.Select) if isinstance(tree, exp.SetOperation) else [tree]:
            for projection in query.selects if isinstance(query, exp.Query) else ():
                key = (f"staging.{entity}", projection.alias_or_name)
                place = f"raw_{source_system}: {_received(projection.unalias())}"
                if place not in found.setdefault(key, []):
                    found[key].append(place)
    yield from found.items()


def _received(expression: exp.Expr) -> str:
    if isinstance(expression, exp.Column):
        return expression.name
    text = expression.sql(dialect=DIALECT)
    return text if len(text) <= LONGEST_EXPRESSION else f"{text[:LONGEST_EXPRESSION]} ..."


def _page(lineage: Lineage, columns: Iterable[Sequence[object]]) -> str:
    tables: dict[str, list[str]] = {}
    for table, column, description, kind, formula, rules in columns:
        told = {"description": description, "kind": kind, "formula": formula, "rules": rules}
        row = _row(lineage, (f"marts.{table}", str(column)), told)
        tables.setdefault(str(table), []).append(row)
    body = "\n".join(_table(name, rows) for name, rows in tables.items())
    template = files("flows.explaining").joinpath("lineage_page.html").read_text(encoding="utf-8")
    return template.replace("<!-- tables -->", body)


def _table(name: str, rows: Iterable[str]) -> str:
    titles = ("Column", "How", "Made of", "In the end", "As received", "Decided by")
    head = "".join(f"<th>{title}</th>" for title in titles)
    return (
        f'<section><h2 id="{escape(name)}">marts.{escape(name)}</h2>'
        f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></section>"
    )


def _row(lineage: Lineage, column: Column, told: Mapping[str, object]) -> str:
    staged = lineage.staged(column)
    received = [f"{'.'.join(one)}: {place}" for one in staged for place in lineage.raw(one)]
    formula = told["formula"] if isinstance(told["formula"], list) else []
    rules = told["rules"] if isinstance(told["rules"], list) else []
    how = [str(told["kind"]), *formula, *(f"rule {rule}" for rule in rules)]
    cells = (
        f"<b>{escape(column[1])}</b><p>{escape(str(told['description'] or ''))}</p>",
        _list(how),
        _list(map(_named, lineage.inputs(column, "value"))),
        _list(map(_named, staged)),
        _list(received),
        _list(map(_named, lineage.inputs(column, "condition"))),
    )
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _named(column: Column) -> str:
    relation, name = column
    return f"rows of {relation}" if name == EVERY_ROW else f"{relation}.{name}"


def _list(texts: Iterable[str]) -> str:
    items = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return f"<ul>{items}</ul>" if items else ""
