"""How a row of a mart leads to the rows of its inputs: as declared, else by keys."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from flows.explaining.analytical import ANALYTICAL_PATHS
from flows.explaining.declared import DOCUMENTS_AND_RECORDS
from flows.explaining.hops import Hop, Path, same

# The marts whose rows are followed exactly, all the way to raw, in every column.
FOLLOWED = frozenset(
    {
        *DOCUMENTS_AND_RECORDS,
        *("contact_crosswalk", "contact_ids", "customer_crosswalk", "customer_ids", "product_ids"),
        *("invoice_lines", "return_lines", "shipment_lines"),
    }
)
PATHS: Mapping[str, Sequence[Path]] = {**DOCUMENTS_AND_RECORDS, **ANALYTICAL_PATHS}
# Records of one customer, contact or product: the same name means another thing in the marts.
UNIFIED = frozenset({"accounts", "addresses", "contacts", "customers", "products"})
SETTING = Path("ops.settings", (Hop("ops.settings", where={"key": "reporting_currency"}),))


@dataclass(frozen=True)
class Keys:
    """What the keys of marts and staged records are, and which columns marts have."""

    marts: Mapping[str, Sequence[str]]
    columns: Mapping[str, Sequence[str]]
    staged: Mapping[str, str]


def paths_of(table: str, inputs: Sequence[str], keys: Keys) -> Iterator[Path]:
    """Yield the paths from a mart to its inputs: the declared ones, else those its keys give.

    An input that neither leads to has no path: its columns are known, its rows are not.
    """
    declared = {path.input: path for path in PATHS.get(table, ())}
    yield from PATHS.get(table, ())
    for name in inputs:
        if name not in declared and (path := _by_keys(table, name, keys)):
            yield path


def _by_keys(table: str, name: str, keys: Keys) -> Path | None:
    schema, _, relation = name.partition(":")[0].partition(".")
    if name == "ops.settings":
        return SETTING
    mine = {*keys.columns[table]}
    theirs = {*keys.columns.get(f"{schema}.{relation}", ())}
    if schema == "staging" and relation not in UNIFIED and relation in keys.staged:
        wanted = {"source_system": "source_system", "source_key": keys.staged[relation]}
        if mine >= {*wanted.values()}:
            return Path(name, (Hop(f"{schema}.{relation}", wanted),))
    if schema == "marts" and {*keys.marts.get(relation, ("",))} <= mine:
        return Path(name, (Hop(f"{schema}.{relation}", same(*keys.marts[relation])),))
    if schema == "identity" and {*keys.marts[table]} <= theirs:
        return Path(name, (Hop(f"{schema}.{relation}", same(*keys.marts[table])),))
    if (
        schema in ("staging", "marts")
        and {*keys.marts[table]} <= theirs
        and relation not in UNIFIED
    ):
        # Rule files are staged, too, and nothing in them is ever marked as deleted.
        can_be_deleted = schema == "staging" and "is_deleted" in theirs
        alive: dict[str, str | bool | None] = {"is_deleted": False} if can_be_deleted else {}
        hop = Hop(f"{schema}.{relation}", same(*keys.marts[table]), where=alive)
        return Path(name, (hop,), is_exact=table in FOLLOWED)
    return None
