"""The views analysts read flip to the candidate in one transaction, and back."""

from flows.publishing.catalogue import Catalogue, read_catalogue
from flows.publishing.ledger import TableDifference, differences
from flows.publishing.publication import Publication, publish, rollback
from flows.publishing.slots import (
    begin_build,
    candidate_slot,
    finish_build,
    live_slot,
    slot_models,
    slot_version,
    was_built_otherwise,
)
from flows.publishing.spare import copy_live_to_spare

__all__ = [
    "Catalogue",
    "Publication",
    "TableDifference",
    "begin_build",
    "candidate_slot",
    "copy_live_to_spare",
    "differences",
    "finish_build",
    "live_slot",
    "publish",
    "read_catalogue",
    "rollback",
    "slot_models",
    "slot_version",
    "was_built_otherwise",
]
