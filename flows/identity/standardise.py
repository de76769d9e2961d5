"""Read the numbers that only a library can check, each of them once."""

from importlib.metadata import version
from importlib.resources import files

import phonenumbers
from psycopg import Connection

from flows.core.signature import remember, remembered
from flows.core.warehouse import connect
from flows.identity.numbers import UNKNOWN, WRONG, Checked, check

LIBRARIES, SEEN = "identity_libraries", "identity_standardised_version"
RECORDS_SIGNATURE = "identity_records_signature"
COPY = "copy identity.standard_values from stdin"


def standardise(run_id: int) -> int:
    """Read the values of changed records that were never read before; return how many.

    Other versions of the libraries read all of them anew, and every record is computed again.
    """
    with connect(application="concord identity") as connection:
        _forget_what_other_libraries_said(connection)
        since = int(remembered(connection, SEEN) or 0)
        count = _read_unseen(connection, since)
        remember(connection, SEEN, str(run_id))
    return count


def standard(kind: str, country: str, value: str) -> Checked:
    """Return one value in its standard form, and whether it can be what it says it is."""
    return _phone(value, country) if kind == "phone" else check(kind, value, country)


def _phone(value: str, country: str) -> Checked:
    """Return a telephone number as E.164; numbers that nobody can have stay unread."""
    try:
        number = phonenumbers.parse(value, country or None)
    except phonenumbers.NumberParseException:
        return UNKNOWN
    if not phonenumbers.is_possible_number(number):
        return WRONG
    text = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    issuer = phonenumbers.region_code_for_number(number)
    return Checked(text, phonenumbers.is_valid_number(number), issuer)


def _read_unseen(connection: Connection, since: int) -> int:
    query = (files("flows.identity") / "sql" / "unseen_values.sql").read_text(encoding="utf-8")
    unseen = connection.execute(query.encode(), {"since": since}).fetchall()
    with connection.cursor().copy(COPY) as copy:
        for kind, country, value in unseen:
            checked = standard(kind, country, value)
            copy.write_row(
                (kind, country, value, checked.standard, checked.is_valid, checked.issuer)
            )
    if unseen:
        connection.execute("analyze identity.standard_values")
    return len(unseen)


def _forget_what_other_libraries_said(connection: Connection) -> None:
    libraries = f"python-stdnum {version('python-stdnum')}, phonenumbers {version('phonenumbers')}"
    known = remembered(connection, LIBRARIES)
    remember(connection, LIBRARIES, libraries)
    if known in (None, libraries):
        return
    connection.execute("truncate identity.standard_values")
    remember(connection, SEEN, "0")
    remember(connection, RECORDS_SIGNATURE, "computed with other libraries")
