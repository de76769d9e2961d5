"""The Business Central source: what there is, what changed, and what the census wants to know."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

from flows.core.errors import NotPermittedError, SourceRefusedError
from flows.sources.blocks import with_block
from flows.sources.business_central.api import BusinessCentralApi
from flows.sources.business_central.dialect import BusinessCentralDialect
from flows.sources.business_central.login import EntraDialect, sign_in
from flows.sources.business_central.objects import (
    CURSORS,
    ENTITIES,
    EXPANDED,
    POSTED_INTO,
    needed,
)
from flows.sources.business_central.options import Options, read_options
from flows.sources.business_central.posting import posted_among
from flows.sources.business_central.queries import Company, Query
from flows.sources.business_central.rows import (
    KEY_FIELDS,
    company_of,
    id_of,
    key_of,
    page_of,
    page_of_deletes,
    page_of_posted,
    stamp_in,
)
from flows.sources.business_central.stamps import stamp_of
from flows.sources.business_central.walk import Walk
from flows.sources.connections import ConnectionConfig
from flows.sources.http import HttpClient, Meter, Patience, Secrets, Tokens
from flows.sources.windows import Fate, Page, State, WindowObject

if TYPE_CHECKING:
    from prefect.blocks.core import Block

IDS_A_QUERY = 40


class BusinessCentralSource:
    """One environment with its companies."""

    def __init__(self, api: BusinessCentralApi) -> None:
        self._api = api
        self._counted: dict[str, int] = {}
        self.meter = api.client.meter

    @property
    def api(self) -> BusinessCentralApi:
        """The environment's API, for checks that go beyond reading."""
        return self._api

    def objects(self) -> Sequence[WindowObject]:
        """Return the standard sets and those asked for by name, those others point at first."""
        options = self._api.options
        names = dict.fromkeys((*ENTITIES, *options.extra_objects))
        return [
            WindowObject(
                name,
                f"{name} of Business Central",
                ENTITIES.get(name, ()),
                needed=frozenset(
                    one for one in needed(name) if f"{name}.{one}" not in options.without_fields
                ),
                key_fields=KEY_FIELDS,
                is_counted_every_run=True,  # nothing else tells of deletes
            )
            for name in names
            if name not in options.without_objects
        ]

    def fields(self, name: str) -> Mapping[str, str]:
        """Return the readable properties, those of the lines with the name of the lines before.

        Raises SourceRefusedError for a set that was asked for by name and cannot be read.
        """
        found = self._api.metadata.sets.get(name)
        if found is not None and "id" in found.properties:
            lines = EXPANDED.get(name, "")
            within = self._api.metadata.expanded(name, lines)
            return {**found.properties, **{f"{lines}.{one}": kind for one, kind in within.items()}}
        if name in self._api.options.extra_objects:
            raise SourceRefusedError(
                f"There is no entity set {name} with ids in API v2.0 that the app may read. "
                "Correct 'objects' of the connection."
            )
        return {}

    def pages(self, name: str, state: State | None, *, full: bool) -> Iterator[Page]:
        """Yield what is new since a state."""
        walk = Walk(self._api, name, state, full=full)
        yield from walk.pages()
        if walk.count is not None:
            self._counted[name] = walk.count

    def count(self, name: str) -> int | None:
        """Count the records of all companies, unless a walk has just done so."""
        known = self._counted.pop(name, None)
        return self._api.count(name) if known is None else known

    def live_keys(self, name: str) -> Iterator[Sequence[tuple[str, str | None]]]:
        """Yield every key with its timestamp."""
        known = self._api.metadata.sets[name].properties
        cursor = next((one for one in CURSORS if one in known), None)
        query = Query(name, order="id", select=f"id,{cursor}" if cursor else "id")
        for company in self._api.companies:
            for page in self._api.pages(company, query):
                yield [(key_of(company.id, str(row["id"])), stamp_in(row)) for row in page.rows]

    def fetch(self, name: str, keys: Sequence[str], state: State) -> Iterator[Page]:
        """Yield these records as they are now: by lists of ids, and singly what lists withhold."""
        expand = EXPANDED.get(name, "")
        for company, chunk in self._by_company(keys):
            condition = " or ".join(f"id eq {id_of(key)}" for key in chunk)
            missing = set(chunk)
            currency = partial(self._api.unnamed_currency, company, name)
            query = Query(name, filter=condition, expand=expand)
            for page in self._api.pages(company, query):
                found = page_of(page, company, state, local_currency=currency)
                missing -= set(found.keys)
                yield found
            for key in sorted(missing):
                if one := self._api.row(company, Query(name, expand=expand), id_of(key)):
                    yield page_of(one, company, state, local_currency=currency)

    def fates(self, name: str, keys: Sequence[str]) -> Mapping[str, Fate]:
        """Look ids up one by one; what is gone from a list of open documents may be posted."""
        return {key: self._fate(name, key) for key in keys}

    def deletions(self, name: str, keys: Sequence[str], state: State) -> Page:  # noqa: ARG002
        """Return the page that says that these records are deleted, as of now."""
        return page_of_deletes(keys, state, stamp_of(self._api.now()))

    def departures(self, name: str, rows: Mapping[str, str], state: State) -> Iterator[Page]:
        """Yield what became of documents that left their list: posted ones live on as such.

        `rows` are their last rows as JSON, by key.
        """
        posted: set[str] = set()
        for company, chunk in self._by_company(list(rows)):
            documents = {key: rows[key] for key in chunk}
            posted |= posted_among(self._api, company, POSTED_INTO[name], documents)
        now = stamp_of(self._api.now())
        if posted:
            yield page_of_posted([(key, rows[key]) for key in sorted(posted)], state, now)
        if gone := sorted(set(rows) - posted):
            yield page_of_deletes(gone, state, now)

    def close(self) -> None:
        """Give the connections back."""
        self._api.close()

    def _fate(self, name: str, key: str) -> Fate:
        company = next((one for one in self._api.companies if one.id == company_of(key)), None)
        if company is None:
            return "hidden"  # the whole company is out of sight
        try:
            found = self._api.row(company, Query(name, select="id"), id_of(key))
        except NotPermittedError:
            return "hidden"
        if found is not None:
            return "live"
        return "left" if name in POSTED_INTO else "deleted"

    def _by_company(self, keys: Sequence[str]) -> Iterator[tuple[Company, Sequence[str]]]:
        companies = {one.id: one for one in self._api.companies}
        for company_id, members in groupby(sorted(keys), company_of):
            listed = list(members)
            for start in range(0, len(listed), IDS_A_QUERY):
                yield companies[company_id], listed[start : start + IDS_A_QUERY]


def open_business_central(
    config: ConnectionConfig, patience: Patience | None = None
) -> BusinessCentralSource:
    """Prepare a connection; nothing is asked of Business Central yet.

    Raises ConnectionsError for options that are missing or make no sense.
    """
    return BusinessCentralSource(api_of(config, patience))


def api_of(config: ConnectionConfig, patience: Patience | None = None) -> BusinessCentralApi:
    """Return the environment's API, signed in when it is first asked something."""
    options = read_options(with_block(config, _form))
    secrets = Secrets((options.credentials.client_secret,))
    meter = _meter(config.name, options)
    entrance = HttpClient(EntraDialect(), meter=meter, secrets=secrets, patience=patience)
    tokens = Tokens(lambda: sign_in(entrance, options.credentials))
    client = HttpClient(
        BusinessCentralDialect(),
        meter=meter,
        secrets=secrets,
        base_url=options.api_url,
        tokens=tokens,
        patience=patience,
    )
    return BusinessCentralApi(client, entrance, options)


def _form() -> "type[Block]":
    from flows.sources.business_central.credentials_block import (  # noqa: PLC0415 - slow
        BusinessCentralCredentials,
    )

    return BusinessCentralCredentials


def _meter(name: str, options: Options) -> Meter:
    return Meter(name, daily_calls=options.daily_calls, reserve=options.quota_reserve)
