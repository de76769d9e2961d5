"""What people rule about pairs of records: kept as data, and asked again when values change."""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal, cast, get_args

from psycopg import Connection, sql

from flows.core.errors import RulingsError
from flows.core.signature import remember, remembered
from flows.core.warehouse import connect, exists
from flows.identity.domains import DOMAINS, Domain

RulingWord = Literal["same", "different", "unsure"]
RULINGS = get_args(RulingWord)
Pair = tuple[str, str, str]  # domain, left record, right record
APPLIED_SETTING = "identity_rulings_applied"
WHEN_APPLIED = (
    "The next run of `integrate` or `build` applies them, even if nothing new has landed."
)

# What a person compares; a ruling is asked again when one of these changes, and for nothing else.
SHOWN = {
    "customers": (
        "name", "tax_id", "registration_id", "street", "house_number", "postal_code", "city",
        "region", "country", "phones", "emails", "website_domain", "record_number",
    ),
    "contacts": (
        "full_name", "first_name", "last_name", "birth_date", "national_id", "emails", "phones",
        "street", "house_number", "postal_code", "city", "country", "job_title", "customer_keys",
    ),
    "products": ("product_number", "name", "unit"),
}  # fmt: skip

HASH = "encode(sha256(convert_to(compared::text, 'utf8')), 'hex')"
STANDING = """
    select left_record, right_record from ops.decisions
    where domain = %s and status in ('active', 'reopened')
"""


@dataclass(frozen=True)
class Ruling:
    """What one person says about one pair."""

    domain: str
    left_record: str
    right_record: str
    ruling: RulingWord
    decided_by: str
    reason: str = ""

    @property
    def pair(self) -> Pair:
        """The pair that it is about."""
        return (self.domain, self.left_record, self.right_record)

    def in_order(self) -> "Ruling":
        """Return the same ruling with the record that sorts first on the left."""
        left, right = sorted((self.left_record, self.right_record))
        return Ruling(self.domain, left, right, self.ruling, self.decided_by, self.reason)


def domain_named(name: str) -> Domain:
    """Return a domain by its name; raises RulingsError naming the known ones."""
    for domain in DOMAINS:
        if domain.name == name:
            return domain
    known = ", ".join(domain.name for domain in DOMAINS)
    raise RulingsError(f"There is no domain {name}; known are {known}.")


def ruling_named(word: str) -> RulingWord:
    """Return the ruling that a word means; raises RulingsError for any other word."""
    if (found := word.strip().lower()) not in RULINGS:
        raise RulingsError(f"{word!r} is no ruling; say {', '.join(RULINGS)}.")
    return cast("RulingWord", found)


def record_rulings(
    connection: Connection, rulings: Iterable[Ruling], *, through: Literal["form", "file"]
) -> int:
    """Write rulings with the values they were made on; what stands already is not written again.

    Returns how many were written. Raises RulingsError for a 'same' that the rules keep apart.
    """
    given = [ruling.in_order() for ruling in rulings]
    kept = kept_apart(connection)
    for ruling in given:
        require_allowed(ruling, kept)
    written = 0
    for domain in DOMAINS:
        if of_domain := [ruling for ruling in given if ruling.domain == domain.name]:
            written += _write(connection, domain, of_domain, through)
    return written


def kept_apart(connection: Connection) -> set[Pair]:
    """Return the pairs that the rules keep apart."""
    rows = connection.execute("select domain, left_record, right_record from identity.keep_apart")
    return {(domain, left, right) for domain, left, right in rows}


def require_allowed(ruling: Ruling, kept: AbstractSet[Pair]) -> None:
    """Raise RulingsError when a ruling says the same of two records that the rules keep apart."""
    if ruling.ruling == "same" and ruling.pair in kept:
        raise RulingsError(
            f"{ruling.left_record} and {ruling.right_record} are kept apart by "
            "dbt_project/seeds/rules/keep_apart.csv; take them out there first."
        )


def reopen_changed(connection: Connection) -> int:
    """Ask again about every standing ruling whose compared values are no longer what they were.

    Returns how many were reopened. A ruling written without its values gets those of now.
    """
    reopened = 0
    for domain in DOMAINS:
        pairs = connection.execute(STANDING, (domain.name,)).fetchall()
        if pairs and has_records(connection, domain):
            rows = connection.execute(
                _composed("reopen_rulings", domain), _pairs(domain, pairs) | {"domain": domain.name}
            )
            reopened += sum(is_reopened for (is_reopened,) in rows)
    return reopened


def compared_values(
    connection: Connection, domain: Domain, pairs: Sequence[tuple[str, str]]
) -> dict[Pair, dict[str, dict[str, object]]]:
    """Return the values, left and right, that a person compares of each pair that there is."""
    snapshots = _script("compared_values").format(records=records_table(domain))
    rows = connection.execute(snapshots, _pairs(domain, pairs))
    return {(domain.name, left, right): compared for left, right, compared in rows}


def has_records(connection: Connection, domain: Domain) -> bool:
    """Tell whether the records of a domain have been built."""
    return exists(connection, records_table(domain))


def records_table(domain: Domain) -> sql.Identifier:
    """Return the table of a domain's records."""
    return sql.Identifier("identity", f"{domain.singular}_records")


def are_unapplied(connection: Connection) -> bool:
    """Tell whether the rulings in force differ from those the ids were last assigned by."""
    applied = remembered(connection, APPLIED_SETTING)
    return fingerprint(connection) != (applied or fingerprint_of_none(connection))


def mark_applied(connection: Connection, applied: str) -> None:
    """Remember the fingerprint of the rulings that the ids have just been assigned by."""
    remember(connection, APPLIED_SETTING, applied)


@contextmanager
def taking_effect() -> Iterator[int]:
    """Ask again about rulings whose values changed, and note that those in force are applied.

    The block assigns the ids and lets the gate judge them; when it fails, nothing is noted. What is
    ruled while it works is left for the next time. Yields how many rulings were reopened.
    """
    with connect(application="concord rulings") as connection:
        reopened = reopen_changed(connection)
        applied = fingerprint(connection)
    yield reopened
    with connect(application="concord rulings") as connection:
        mark_applied(connection, applied)


def fingerprint(connection: Connection) -> str:
    """Return what tells one set of rulings in force from another."""
    return _hash_of(connection, "identity.active_rulings")


def fingerprint_of_none(connection: Connection) -> str:
    """Return the fingerprint of no ruling at all."""
    return _hash_of(connection, "(select * from identity.active_rulings where false)")


def in_warehouse(rulings: Sequence[Ruling], *, through: Literal["form", "file"]) -> int:
    """Write rulings in a transaction of their own."""
    with connect(application="concord rulings") as connection:
        return record_rulings(connection, rulings, through=through)


def _hash_of(connection: Connection, relation: str) -> str:
    row = connection.execute(
        (
            "select md5(coalesce(string_agg(concat_ws('/', domain, left_record, right_record, "
            'ruling), \';\' order by domain, left_record collate "C", right_record collate "C"), '
            f"'')) from {relation} as ruling"
        ).encode()
    ).fetchone()
    return str(row[0]) if row else ""


def _write(connection: Connection, domain: Domain, rulings: list[Ruling], through: str) -> int:
    pairs = [(ruling.left_record, ruling.right_record) for ruling in rulings]
    if not has_records(connection, domain):
        raise RulingsError(f"There are no {domain.name} yet; run `concord run` first.")
    parameters = _pairs(domain, pairs) | {
        "domain": domain.name,
        "through": through,
        "rulings": [ruling.ruling for ruling in rulings],
        "reasons": [ruling.reason for ruling in rulings],
        "deciders": [ruling.decided_by for ruling in rulings],
    }
    return connection.execute(_composed("write_rulings", domain), parameters).rowcount


def _composed(script: str, domain: Domain) -> sql.Composed:
    snapshots = _script("compared_values").format(records=records_table(domain))
    return _script(script).format(snapshots=snapshots, hash=sql.SQL(HASH))


def _script(name: str) -> sql.SQL:
    return sql.SQL((files("flows.identity") / "sql" / f"{name}.sql").read_text(encoding="utf-8"))


def _pairs(domain: Domain, pairs: Sequence[tuple[str, ...]]) -> dict[str, object]:
    return {
        "lefts": [pair[0] for pair in pairs],
        "rights": [pair[1] for pair in pairs],
        "fields": list(SHOWN[domain.name]),
    }
