"""Which documents left their list because they were posted: their successors name them."""

import json
from collections.abc import Mapping

from flows.sources.business_central.api import BusinessCentralApi
from flows.sources.business_central.queries import Company, Query
from flows.sources.business_central.rows import id_of


def posted_among(
    api: BusinessCentralApi, company: Company, successors: str, documents: Mapping[str, str]
) -> set[str]:
    """Return the keys of the orders that posted documents come from.

    They are looked for by id, then by number, which posted documents keep when the id is gone.
    """
    by_id = {id_of(key): key for key in documents}
    found = _named(api, company, successors, "orderId", by_id)
    by_number = {
        str(json.loads(text).get("number") or ""): key
        for key, text in documents.items()
        if key not in found
    }
    by_number.pop("", None)
    return found | _named(api, company, successors, "orderNumber", by_number)


def _named(
    api: BusinessCentralApi, company: Company, successors: str, name: str, keys: Mapping[str, str]
) -> set[str]:
    if not keys:
        return set()
    is_text = name == "orderNumber"
    quoted = (f"'{one.replace(chr(39), chr(39) * 2)}'" if is_text else one for one in keys)
    condition = " or ".join(f"{name} eq {one}" for one in quoted)
    query = Query(successors, filter=condition, select=f"id,{name}")
    return {
        keys[str(row[name])]
        for page in api.pages(company, query)
        for row in page.rows
        if str(row[name]) in keys
    }
