"""The Salesforce source: what there is, what changed, and what the census wants to know."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from flows.core.errors import SourceRefusedError
from flows.sources.blocks import with_block
from flows.sources.connections import ConnectionConfig
from flows.sources.http import HttpClient, Meter, Patience, Secrets, Tokens
from flows.sources.salesforce.api import Described, SalesforceApi
from flows.sources.salesforce.dialect import SalesforceDialect
from flows.sources.salesforce.login import sign_in
from flows.sources.salesforce.objects import ENTITIES, NEEDED
from flows.sources.salesforce.options import Options, read_options
from flows.sources.salesforce.rows import page_of_deletes, page_of_json
from flows.sources.salesforce.soql import by_id
from flows.sources.salesforce.stamps import stamp, stamp_of
from flows.sources.salesforce.walk import Walk
from flows.sources.windows import Fate, Page, State, WindowObject

if TYPE_CHECKING:
    from prefect.blocks.core import Block

IDS_A_QUERY = 100


class SalesforceSource:
    """One organisation."""

    def __init__(self, api: SalesforceApi) -> None:
        self._api = api
        self._masters: dict[str, Mapping[str, object]] = {}
        self._described: Mapping[str, Described] = {}
        self._logged: set[str] = set()  # objects whose log of deletes has no gap
        self.meter = api.client.meter

    @property
    def api(self) -> SalesforceApi:
        """The organisation's API, for checks that go beyond reading."""
        return self._api

    def objects(self) -> Sequence[WindowObject]:
        """Sign in; return the standard objects and those asked for, those others point at first."""
        targets = self._targets()
        self._described = self._api.describe([target.name for target in targets])
        return targets

    def _targets(self) -> list[WindowObject]:
        options = self._api.options
        names = dict.fromkeys((*ENTITIES, *options.extra_objects))
        return [
            WindowObject(
                name,
                f"{name} of Salesforce",
                ENTITIES.get(name, ()),
                needed=frozenset(
                    field
                    for field in NEEDED.get(name, ())
                    if f"{name}.{field}" not in options.without_fields
                ),
            )
            for name in names
            if name not in options.without_objects
        ]

    def described(self, name: str) -> Described | None:
        """Return an object as the user may see it, None when it is not to be seen."""
        return self._described.get(name)

    def fields(self, name: str) -> Mapping[str, str]:
        """Return the readable fields; none for a standard object that is not to be seen."""
        if name in self._described:
            return self._described[name].fields
        if name in self._api.options.extra_objects:
            raise SourceRefusedError(
                f"There is no object {name} that the integration user may read. Correct 'objects' "
                "of the connection, or grant the user this object."
            )
        return {}

    def pages(self, name: str, state: State | None, *, full: bool) -> Iterator[Page]:
        """Yield what is new since a state, and what was deleted."""
        walk = Walk(self._api, self._described[name], state, full=full)
        yield from walk.pages()
        if walk.has_whole_log:
            self._logged.add(name)

    def count(self, name: str) -> int | None:
        """Count the live rows that the user sees."""
        return self._api.count(name)

    def live_keys(self, name: str) -> Iterator[Sequence[tuple[str, str | None]]]:
        """Yield every live id with its timestamp."""
        cursor = self._described[name].cursor
        fields = f"Id, {cursor}" if cursor else "Id"
        for page in self._api.query(f"SELECT {fields} FROM {name} ORDER BY Id", name):
            yield [
                (row["Id"], stamp(row[cursor]) if cursor and row[cursor] else None)
                for row in page.rows
            ]

    def fetch(self, name: str, keys: Sequence[str], state: State) -> Iterator[Page]:
        """Yield these rows as they are now."""
        described, fresh = self._described[name], stamp_of(self._api.now())
        missing = set(keys)
        for chunk in _chunks(keys):
            for page in self._api.query(by_id(described, chunk), name):
                missing -= {row["Id"] for row in page.rows}
                yield page_of_json(page, state, described.cursor, fresh, may_repeat=False)
        for key in sorted(missing):
            if found := self._api.row(described, key):
                yield page_of_json(found, state, described.cursor, fresh, may_repeat=False)

    def fates(self, name: str, keys: Sequence[str]) -> Mapping[str, Fate]:
        """Look ids up, in the recycle bin first, then one by one."""
        found: dict[str, Fate] = {}
        described = self._described[name]
        for chunk in _chunks(keys if described.has_bin else ()):
            wanted = [
                one for one in ("Id", "IsDeleted", "MasterRecordId") if one in described.fields
            ]
            soql = by_id(described, chunk, wanted)
            for page in self._api.query(soql, name, with_deleted=True):
                for row in page.rows:
                    found[row["Id"]] = "deleted" if row["IsDeleted"] else "live"
                    self._masters[row["Id"]] = row
        return {key: found.get(key) or self._fate(name, key) for key in keys}

    def deletions(self, name: str, keys: Sequence[str], state: State) -> Page:
        """Return the page that says that these rows are deleted, as of now."""
        now = stamp_of(self._api.now())
        known = self._masters if self._described[name].has_bin else {}
        return page_of_deletes([(key, now) for key in keys], state, known)

    def close(self) -> None:
        """Give the connections back."""
        self._api.close()

    def _fate(self, name: str, key: str) -> Fate:
        seen = self._api.look_up(name, key)
        if seen == "not found":
            # Salesforce does not say whether a row is gone or out of sight; what is gone would be
            # in the log of deletes, as long as that reaches back to when the row was last seen.
            return "hidden" if name in self._logged else "deleted"
        return {"there": "live", "deleted": "deleted", "forbidden": "hidden"}[seen]  # type: ignore[return-value]


def open_salesforce(config: ConnectionConfig, patience: Patience | None = None) -> SalesforceSource:
    """Prepare a connection; nothing is asked of Salesforce yet.

    Raises ConnectionsError for options that are missing or make no sense.
    """
    return SalesforceSource(api_of(config, patience))


def api_of(config: ConnectionConfig, patience: Patience | None = None) -> SalesforceApi:
    """Return the organisation's API, signed in when it is first asked something."""
    options = read_options(with_block(config, _form))
    secrets = _secrets_of(options)
    meter = Meter(config.name, daily_calls=options.daily_calls, reserve=options.quota_reserve)
    dialect = SalesforceDialect()
    entrance = HttpClient(dialect, meter=meter, secrets=secrets, patience=patience)
    tokens = Tokens(lambda: sign_in(entrance, options.credentials, options.login_url))
    client = HttpClient(dialect, meter=meter, secrets=secrets, tokens=tokens, patience=patience)
    return SalesforceApi(client, entrance, options)


def _form() -> "type[Block]":
    from flows.sources.salesforce.credentials_block import (  # noqa: PLC0415 - slow
        SalesforceCredentials,
    )

    return SalesforceCredentials


def _secrets_of(options: Options) -> Secrets:
    credentials = options.credentials
    given = (credentials.client_secret, credentials.private_key, credentials.client_id)
    return Secrets(value for value in given if value)


def _chunks(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    return (keys[start : start + IDS_A_QUERY] for start in range(0, len(keys), IDS_A_QUERY))
