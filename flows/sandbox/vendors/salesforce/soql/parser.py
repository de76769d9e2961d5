"""Reads a query."""

from flows.sandbox.vendors.salesforce.soql.syntax import (
    Aggregate,
    Both,
    Comparison,
    Condition,
    FieldSet,
    Literal,
    Membership,
    Not,
    Ordering,
    Path,
    Query,
)
from flows.sandbox.vendors.salesforce.soql.tokens import Token, malformed, tokens
from flows.sandbox.vendors.shared.replies import RefusalError

AGGREGATES = frozenset(("COUNT", "COUNT_DISTINCT", "MIN", "MAX", "SUM", "AVG"))
DATE_FUNCTIONS = frozenset(
    ("DAY_ONLY", "CALENDAR_YEAR", "CALENDAR_MONTH", "DAY_IN_MONTH", "HOUR_IN_DAY")
)
OPERATORS = {"=": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
KEYWORDS = frozenset(
    ("SELECT", "FROM", "WHERE", "AND", "OR", "NOT", "ORDER", "BY", "GROUP", "LIMIT", "OFFSET",
     "ASC", "DESC", "NULLS", "LIKE", "IN", "INCLUDES", "EXCLUDES", "HAVING", "USING", "WITH")
)  # fmt: skip


def parse(text: str) -> Query:
    """Return the query that a text is, or refuse it as the vendor does."""
    parser = _Parser(text)
    query = parser.query()
    parser.expect_end()
    return query


class _Parser:
    """Walks over the words of one query."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens(text)
        self._position = 0

    @property
    def _token(self) -> Token:
        return self._tokens[self._position]

    def _next(self) -> Token:
        token = self._token
        self._position += token.kind != "end"
        return token

    def _unexpected(self, token: Token | None = None) -> RefusalError:
        token = token or self._token
        return malformed(self._text, token.place, f"unexpected token: '{token.text}'")

    def _accept(self, *words: str) -> bool:
        """Step over these words if they are what comes next."""
        ahead = self._tokens[self._position : self._position + len(words)]
        if [token.word for token in ahead] != list(words):
            return False
        self._position += len(words)
        return True

    def _expect(self, *words: str) -> None:
        if not self._accept(*words):
            raise self._unexpected()

    def expect_end(self) -> None:
        if self._token.kind != "end":
            raise self._unexpected()

    def query(self) -> Query:
        place = self._token.place
        self._expect("SELECT")
        select = [self._selected()]
        while self._accept(","):
            select.append(self._selected())
        self._expect("FROM")
        query = Query(select, self._object(), place)
        if self._token.kind == "name" and self._token.word not in KEYWORDS | {"ALL", "FOR"}:
            self._next()
        self._clauses(query)
        return query

    def _clauses(self, query: Query) -> None:
        if self._accept("WHERE"):
            query.where = self._condition()
        if self._accept("GROUP", "BY"):
            query.group_by = [self._grouping()]
            while self._accept(","):
                query.group_by.append(self._grouping())
        if self._accept("ORDER", "BY"):
            query.order_by = [self._ordering()]
            while self._accept(","):
                query.order_by.append(self._ordering())
        if self._accept("LIMIT"):
            query.limit = self._count()
        if self._accept("OFFSET"):
            query.offset = self._count()
        query.is_all_rows = self._accept("ALL", "ROWS")

    def _selected(self) -> "Path | Aggregate | FieldSet | Query":
        if self._accept("("):
            inner = self.query()
            self._expect(")")
            return inner
        if self._tokens[self._position + 1].text == "(":
            return self._function()
        return self._path()

    def _grouping(self) -> Path:
        """Read a field, or what a date function makes of it."""
        if self._tokens[self._position + 1].text != "(":
            return self._path()
        function = self._function()
        if not isinstance(function, Path):
            raise self._unexpected()
        return function

    def _alias(self) -> str | None:
        has_alias = self._token.kind == "name" and self._token.word not in KEYWORDS
        return self._next().text if has_alias else None

    def _function(self) -> Aggregate | FieldSet | Path:
        token = self._next()
        self._expect("(")
        if token.word == "FIELDS":
            kind = self._next().word
            self._expect(")")
            return FieldSet(kind)
        if token.word in DATE_FUNCTIONS:
            path = self._path()
            self._expect(")")
            return Path(path.names, path.place, token.word, self._alias())
        if token.word not in AGGREGATES:
            raise self._unexpected(token)
        counted = None if self._token.text == ")" else self._path()
        self._expect(")")
        return Aggregate(token.word, counted, self._alias())

    def _object(self) -> str:
        # One standard object has the name of a keyword.
        return self._next().text if self._token.word == "ORDER" else self._name()

    def _name(self) -> str:
        if self._token.kind != "name" or self._token.word in KEYWORDS:
            raise self._unexpected()
        return self._next().text

    def _path(self) -> Path:
        place = self._token.place
        return Path(tuple(self._name().split(".")), place)

    def _count(self) -> int:
        if self._token.kind != "number" or not self._token.text.isdigit():
            raise self._unexpected()
        return int(self._next().text)

    def _ordering(self) -> Ordering:
        path = self._path()
        is_descending = self._accept("DESC")
        if not is_descending:
            self._accept("ASC")
        nulls_last = self._accept("NULLS", "LAST")
        if not nulls_last:
            self._accept("NULLS", "FIRST")
        return Ordering(path, is_descending, nulls_last)

    def _condition(self) -> Condition:
        """Read conditions; AND and OR may not be mixed without parentheses."""
        left = self._single()
        operator = self._token.word
        while self._token.word in ("AND", "OR"):
            if self._token.word != operator:
                raise self._unexpected()
            self._next()
            left = Both(operator, left, self._single())
        return left

    def _single(self) -> Condition:
        if self._accept("NOT"):
            return Not(self._single())
        if self._accept("("):
            inner = self._condition()
            self._expect(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Condition:
        path = self._path()
        if self._accept("NOT", "IN"):
            return Membership(path, "NOT IN", self._members())
        for word in ("IN", "INCLUDES", "EXCLUDES"):
            if self._accept(word):
                return Membership(path, word, self._members())
        if self._accept("LIKE"):
            return Comparison(path, "LIKE", self._literal())
        token = self._next()
        if token.text not in OPERATORS:
            raise self._unexpected(token)
        return Comparison(path, OPERATORS[token.text], self._literal())

    def _members(self) -> tuple[Literal, ...] | Query:
        self._expect("(")
        if self._token.word == "SELECT":
            inner = self.query()
            self._expect(")")
            return inner
        members = [self._literal()]
        while self._accept(","):
            members.append(self._literal())
        self._expect(")")
        return tuple(members)

    def _literal(self) -> Literal:
        token = self._next()
        if token.kind == "string":
            return Literal("string", _unescaped(token.text[1:-1]), token.place)
        if token.kind in ("number", "date", "datetime"):
            return Literal(token.kind, token.text, token.place)
        if token.word in ("TRUE", "FALSE"):
            return Literal("boolean", token.word.lower(), token.place)
        if token.word == "NULL":
            return Literal("null", "", token.place)
        if token.kind == "name" and token.word not in KEYWORDS:
            return self._named_date(token)
        raise self._unexpected(token)

    def _named_date(self, token: Token) -> Literal:
        if self._accept(":"):
            return Literal("named date", f"{token.word}:{self._count()}", token.place)
        return Literal("named date", token.word, token.place)


ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


def _unescaped(text: str) -> str:
    """Return a string as it is meant, without its backslashes."""
    letters = iter(text)
    return "".join(
        ESCAPES.get(after := next(letters, ""), after) if letter == "\\" else letter
        for letter in letters
    )
