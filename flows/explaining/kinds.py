"""How an expression makes its value: copied, chosen, summed, counted, converted or computed."""

from collections.abc import Iterator, Mapping

from sqlglot import exp

COPIED, CHOSEN, SUMMED, COUNTED = "copied", "chosen", "summed", "counted"
CONVERTED, COMPUTED, CONSTANT = "converted", "computed", "constant"
LONGEST_FORMULA = 400

Part = tuple[exp.Expr, str]
_WRAPPERS = (exp.Paren, exp.Cast, exp.TryCast)


def parts_of(expression: exp.Expr, role: str = "value") -> Iterator[Part]:
    """Yield the columns, stars and sub-selects of an expression, and what part each plays.

    A `value` goes into the result; a `condition` only decides which value does.
    """
    if isinstance(expression, exp.Column | exp.Star):
        yield expression, role
    elif isinstance(expression, exp.Subquery | exp.Exists):
        inner = expression.this
        yield (inner.unnest() if isinstance(inner, exp.Subquery) else inner), role
    else:
        for child, decides in _children(expression):
            yield from parts_of(child, "condition" if decides else role)


def _children(expression: exp.Expr) -> Iterator[tuple[exp.Expr, bool]]:
    """Yield what an expression is made of, and whether it only decides."""
    decisive = _decisive(expression)
    for child in expression.iter_expressions():
        yield child, any(child is one for one in decisive)


def _decisive(expression: exp.Expr) -> list[exp.Expr]:
    match expression:
        case exp.If():
            return [expression.this]
        case exp.Filter() | exp.Nullif():
            return [expression.expression]
        case exp.Order():
            return list(expression.expressions)
        case exp.Window():
            partition = list(expression.args.get("partition_by") or [])
            order = expression.args.get("order")
            return [*partition, *([order] if order else [])]
        case exp.Case() if expression.this:
            return [expression.this]
    return []


def is_trivial(expression: exp.Expr) -> bool:
    """Say whether an expression only hands a value on."""
    return isinstance(_bare(expression), exp.Column | exp.Literal | exp.Null | exp.Boolean)


def steps(expression: exp.Expr, dialect: str) -> str:
    """Return an expression as people read it, shortened where it is very long."""
    text = expression.sql(dialect=dialect)
    return text if len(text) <= LONGEST_FORMULA else f"{text[:LONGEST_FORMULA]} ..."


def kind_of(expression: exp.Expr, inner: Mapping[int, str]) -> str:
    """Return how an expression makes its value; `inner` has the kind of each column by its id."""
    bare = _bare(expression)
    if isinstance(bare, exp.Column | exp.Select):
        return inner.get(id(bare), COMPUTED)
    if isinstance(bare, exp.Subquery):
        return inner.get(id(bare.this), COMPUTED)
    for types, kind in _KINDS:
        if isinstance(bare, types):
            return kind
    if isinstance(bare, exp.Coalesce | exp.Case | exp.Bracket | exp.Nullif):
        return _choice(bare, inner)
    if isinstance(bare, exp.Round) and isinstance(_bare(bare.this), exp.Mul):
        return CONVERTED if _is_by_rate(_bare(bare.this)) else COMPUTED
    return COMPUTED


_KINDS: tuple[tuple[type[exp.Expr], str], ...] = (
    (exp.Literal, CONSTANT),
    (exp.Null, CONSTANT),
    (exp.Boolean, CONSTANT),
    (exp.Sum, SUMMED),
    (exp.Count, COUNTED),
    (exp.Min, CHOSEN),
    (exp.Max, CHOSEN),
)


def _choice(expression: exp.Expr, inner: Mapping[int, str]) -> str:
    kinds = {kind_of(one, inner) for one in _alternatives(expression)} - {CONSTANT}
    if COMPUTED in kinds:
        return COMPUTED
    if isinstance(expression, exp.Bracket):  # the first of a list
        return CHOSEN
    if not kinds:
        return CONSTANT
    return kinds.pop() if len(kinds) == 1 and not _has_several(expression) else CHOSEN


def _alternatives(expression: exp.Expr) -> Iterator[exp.Expr]:
    if isinstance(expression, exp.Case):
        yield from (one.args["true"] for one in expression.args["ifs"])
        if default := expression.args.get("default"):
            yield default
    elif isinstance(expression, exp.Coalesce):
        yield expression.this
        yield from expression.expressions
    elif isinstance(expression, exp.Bracket):
        yield from (part for part, role in parts_of(expression.this) if role == "value")
    else:
        yield expression.this


def _has_several(expression: exp.Expr) -> bool:
    several = [one for one in _alternatives(expression) if not _is_constant(one)]
    return len(several) > 1


def _is_constant(expression: exp.Expr) -> bool:
    return not any(True for _ in parts_of(expression))


def _is_by_rate(product: exp.Expr) -> bool:
    return any(
        isinstance(side, exp.Column) and side.name == "fx_rate"
        for side in (_bare(product.this), _bare(product.expression))
    )


def _bare(expression: exp.Expr) -> exp.Expr:
    while isinstance(expression, _WRAPPERS):
        expression = expression.this
    return expression
