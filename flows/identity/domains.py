"""The kinds of things that get ids, and where each keeps its own."""

from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files

from psycopg import Connection, Cursor, sql


@dataclass(frozen=True)
class Domain:
    """One kind of thing: how it is called, and what its ids begin with."""

    name: str
    singular: str
    prefix: str

    @cached_property
    def names(self) -> dict[str, sql.Identifier | sql.Literal]:
        """The names that the scripts are written with."""
        return {
            "domain": sql.Literal(self.name),
            "records": sql.Identifier("identity", f"{self.singular}_records"),
            "key_links": sql.Identifier("identity", f"{self.singular}_key_links"),
            "key_clashes": sql.Identifier("identity", f"{self.singular}_key_clashes"),
            "id": sql.Identifier(f"{self.singular}_id"),
            "ids": sql.Identifier("identity", f"{self.singular}_ids"),
            "crosswalk": sql.Identifier("identity", f"{self.singular}_crosswalk"),
            "sequence": sql.Literal(f"identity.{self.singular}_id_numbers"),
        }

    def written(self, script: str) -> sql.Composed:
        """Return a script of this package with the names of this domain in it."""
        text = (files("flows.identity") / "sql" / f"{script}.sql").read_text(encoding="utf-8")
        return sql.SQL(text).format(**self.names)

    def run(self, connection: Connection, script: str, **settings: str | int) -> Cursor:
        """Run a script; what it needs to know is handed over as settings of the transaction."""
        for name, value in settings.items():
            connection.execute("select set_config(%s, %s, true)", (f"concord.{name}", str(value)))
        return connection.execute(self.written(script))


DOMAINS = (
    Domain("customers", "customer", "C"),
    Domain("contacts", "contact", "P"),
    Domain("products", "product", "I"),
)
