"""Which columns a mart's columns are made of, and how, read from the compiled SQL."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from sqlglot import exp, parse_one
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope

from flows.explaining.kinds import (
    CHOSEN,
    COMPUTED,
    CONSTANT,
    COPIED,
    is_trivial,
    kind_of,
    parts_of,
    steps,
)

DIALECT = "postgres"
EVERY_ROW = "*"
Role = Literal["value", "condition"]
Schema = Mapping[str, Mapping[str, Mapping[str, str]]]


@dataclass(frozen=True, order=True)
class Origin:
    """A column of a relation that a value is made of, or that decides which value it is.

    `alias` tells two uses of one relation apart; `EVERY_ROW` stands for rows that are counted.
    """

    relation: str
    alias: str
    column: str
    role: Role = "value"

    @property
    def input(self) -> str:
        """The relation with its alias, as paths name it."""
        return f"{self.relation}:{self.alias}" if self.alias else self.relation


@dataclass(frozen=True)
class Derivation:
    """How one column comes about."""

    kind: str
    formula: tuple[str, ...]
    origins: frozenset[Origin]


NOTHING = Derivation(CONSTANT, (), frozenset())


def derivations(compiled: str, columns: Mapping[str, Mapping[str, str]]) -> dict[str, Derivation]:
    """Return how each output column of a compiled model comes about.

    `columns` gives the columns of every relation as `schema.table`: they resolve the stars.
    """
    tree = parse_one(compiled, dialect=DIALECT)
    for table in tree.find_all(exp.Table):
        table.set("catalog", None)
    qualified = qualify(
        tree,
        schema=_nested(columns),
        dialect=DIALECT,
        identify=False,
        quote_identifiers=False,
        validate_qualify_columns=False,
    )
    scope = build_scope(qualified)
    if scope is None:
        return {}
    reader = _Reader()
    return {name: reader.column(scope, name) for name in _output_names(qualified)}


def _nested(columns: Mapping[str, Mapping[str, str]]) -> dict[str, object]:
    nested: dict[str, dict[str, object]] = {}
    for relation, described in columns.items():
        schema, _, table = relation.partition(".")
        nested.setdefault(schema, {})[table] = dict(described)
    return dict(nested)


class _Reader:
    """Follows columns through CTEs, unions and sub-selects; each is followed once."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, str], Derivation] = {}

    def column(self, scope: Scope, name: str) -> Derivation:
        """Return how a column of a scope comes about."""
        key = (id(scope), name)
        if key not in self._known:
            self._known[key] = NOTHING  # a recursive CTE ends here
            self._known[key] = self._find(scope, name)
        return self._known[key]

    def _find(self, scope: Scope, name: str) -> Derivation:
        if scope.set_operation_scopes:
            return self._united(scope, name)
        if name == EVERY_ROW:
            return self._source(scope, _first_source(scope), EVERY_ROW)
        if not isinstance(scope.expression, exp.Query):  # values, or a function that gives rows
            inner = [*scope.subquery_scopes, *scope.derived_table_scopes]
            return _together(self.column(one, name) for one in inner) if inner else NOTHING
        for projection in scope.expression.selects:
            if projection.alias_or_name == name:
                return self._expression(scope, projection.unalias())
        return NOTHING

    def _united(self, scope: Scope, name: str) -> Derivation:
        names = _output_names(scope.expression)
        position = names.index(name) if name in names else None
        found = [
            self.column(
                branch, name if position is None else _output_names(branch.expression)[position]
            )
            for branch in scope.set_operation_scopes
        ]
        told = [one for one in found if one.kind != CONSTANT] or found
        kinds = {one.kind for one in told}
        return Derivation(
            kind=kinds.pop() if len(kinds) == 1 else COMPUTED if COMPUTED in kinds else CHOSEN,
            formula=told[0].formula if len({one.formula for one in told}) == 1 else (),
            origins=frozenset().union(*(one.origins for one in found)),
        )

    def _expression(self, scope: Scope, expression: exp.Expr) -> Derivation:
        values = [
            (node, self._node(scope, node))
            for node, role in parts_of(expression)
            if role == "value"
        ]
        conditions = [
            self._node(scope, node) for node, role in parts_of(expression) if role == "condition"
        ]
        inner = {id(node): found.kind for node, found in values}
        kind = kind_of(expression, inner)
        origins = {one for _, found in values for one in found.origins}
        decisive = {replace(one, role="condition") for found in conditions for one in found.origins}
        known = {replace(one, role="condition") for one in origins}
        return Derivation(
            kind=kind,
            formula=self._formula(expression, [found for _, found in values]),
            origins=frozenset(origins | (decisive - known)),
        )

    def _formula(self, expression: exp.Expr, values: list[Derivation]) -> tuple[str, ...]:
        own = () if is_trivial(expression) else (steps(expression, DIALECT),)
        told = [value for value in values if value.formula]
        return (*own, *(told[0].formula if len(told) == 1 else ()))

    def _node(self, scope: Scope, node: exp.Expr) -> Derivation:
        if isinstance(node, exp.Column):
            return self._source(scope, node.table, node.name)
        if isinstance(node, exp.Star):
            return self._source(scope, _first_source(scope), EVERY_ROW)
        found = [
            self.column(inner, name)
            for inner in scope.subquery_scopes
            if inner.expression is node
            for name in _output_names(node)
        ]
        return _together(found)

    def _source(self, scope: Scope, table: str, column: str) -> Derivation:
        source = scope.sources.get(table)
        if isinstance(source, Scope):
            return self.column(source, column)
        if not isinstance(source, exp.Table) or not source.db:
            return NOTHING
        alias = "" if table == source.name else table
        origin = Origin(f"{source.db}.{source.name}", alias, column)
        return Derivation(COPIED, (), frozenset({origin}))


def _together(found: Iterable[Derivation]) -> Derivation:
    listed = list(found)
    if len(listed) == 1:
        return listed[0]
    return Derivation(CHOSEN, (), frozenset(origin for one in listed for origin in one.origins))


def _output_names(expression: exp.Expr) -> list[str]:
    return list(expression.named_selects) if isinstance(expression, exp.Query) else []


def _first_source(scope: Scope) -> str:
    start = scope.expression.args.get("from_") or scope.expression.args.get("from")
    return str(start.this.alias_or_name) if start else ""
