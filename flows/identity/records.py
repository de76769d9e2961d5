"""Bring the records as they are compared up to date, and what follows from them in SQL."""

from psycopg import Connection, sql

from flows.core.dbt import run_dbt
from flows.core.signature import remember, remembered
from flows.core.warehouse import connect
from flows.identity.domains import DOMAINS, Domain

COMPUTED = "identity_records_computed"
# What the records of a domain are made of; the models of each begin with its name.
STAGED = {
    "customers": ("accounts", "customers", "addresses"),
    "contacts": ("contacts",),
    "products": ("products",),
}


def compute_records(run_id: int, *, full: bool = False) -> None:
    """Compute records, blocks and key links of what changed since the last time it was done.

    The models of a domain without changes are not even run.
    """
    with connect(application="concord identity") as connection:
        since = None if full else remembered(connection, COMPUTED)
        still = [d for d in DOMAINS if since and not _has_changed(connection, d, int(since))]
    left_out = [f"path:models/identity/{domain.singular}_*" for domain in still]
    exclusion = ["--exclude", *left_out] if left_out else []
    if len(still) < len(DOMAINS):
        run_dbt(["run", "--select", "path:models/identity", *exclusion], full=full)
    with connect(application="concord identity") as connection:
        # Only now: models that failed half way are run again.
        remember(connection, COMPUTED, str(run_id))


def _has_changed(connection: Connection, domain: Domain, since: int) -> bool:
    changed = sql.SQL(" or ").join(
        sql.SQL("exists (select from {} where version > {})").format(
            sql.Identifier("staging", table), sql.Literal(since)
        )
        for table in STAGED[domain.name]
    )
    gone = sql.SQL("exists (select from {}) and not exists (select from {})").format(
        sql.Identifier("identity", f"{domain.singular}_records"),
        sql.Identifier("staging", STAGED[domain.name][0]),
    )
    row = connection.execute(sql.SQL("select {} or {}").format(changed, gone)).fetchone()
    return bool(row and row[0])
