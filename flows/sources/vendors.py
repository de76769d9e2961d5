"""Which systems hand over rows in their own shape, and which of their objects dbt maps.

Landing unites the raw tables of an object over all connections of a system in the view
`raw.<system>_<object>`, in the singular; the dbt models below `models/staging/<system>` map them
to the canonical model as views `raw.<system>_<entity>`.
"""

import re
from collections.abc import Mapping
from functools import cache

from flows.sources.business_central import objects as business_central
from flows.sources.salesforce import objects as salesforce

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@cache
def mapped_objects() -> Mapping[str, tuple[str, ...]]:
    """Return, by system, the objects that its dbt models read."""
    return {"business_central": business_central.MAPPED, "salesforce": salesforce.MAPPED}


def object_relation_name(system: str, name: str) -> str:
    """Return the name, below schema raw, of what unites an object over all connections.

    It is in the singular, so that it is not the name of the entity that the rows become.
    """
    return relation_name(system, re.sub(r"ies$", "y", name).removesuffix("s"))


def relation_name(system: str, name: str) -> str:
    """Return the name, below schema raw, of a system's rows in the shape of an entity."""
    return f"{system}_{_HUMP.sub('_', name).lower()}"
