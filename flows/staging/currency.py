"""The reporting currency: settled once, from the setting or from what the data says."""

from psycopg import Connection

from flows.core.settings import settings
from flows.core.signature import remember, remembered

SETTING = "reporting_currency"
FALLBACK = "EUR"
MOST_FREQUENT_RATE_CURRENCY = """
select reporting_currency from staging.fx_rates
where not is_deleted group by 1 order by count(*) desc, 1 limit 1
"""
MOST_FREQUENT_DOCUMENT_CURRENCY = """
select currency from (
    select currency from staging.orders where not is_deleted
    union all
    select currency from staging.invoices where not is_deleted
) as documents
where currency is not null group by 1 order by count(*) desc, 1 limit 1
"""


def settle_reporting_currency(connection: Connection) -> str:
    """Decide the reporting currency and keep it: the setting, else what the warehouse already uses.

    Without either, the currency most rates convert to, else the one most documents are in.
    """
    code = reporting_currency(connection) or _from_data(connection)
    remember(connection, SETTING, code)
    return code


def reporting_currency(connection: Connection) -> str | None:
    """Return the currency the next build reports in, where that is settled already."""
    return settings().reporting_currency or remembered(connection, SETTING)


def _from_data(connection: Connection) -> str:
    return (
        _first(connection, MOST_FREQUENT_RATE_CURRENCY)
        or _first(connection, MOST_FREQUENT_DOCUMENT_CURRENCY)
        or FALLBACK
    )


def _first(connection: Connection, query: str) -> str | None:
    row = connection.execute(query.encode()).fetchone()
    return str(row[0]) if row else None
