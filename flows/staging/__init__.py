"""Around dbt's staging models: what to build, what was built, and in which currency."""

from flows.staging.currency import settle_reporting_currency
from flows.staging.scope import (
    Plan,
    catch_up_selection,
    clear_incoming,
    mark_staged,
    marts_to_catch_up,
    models_to_stage,
    plan_of_work,
    records_changed_since,
)
from flows.staging.signature import marts_signature, remember_signature

__all__ = [
    "Plan",
    "catch_up_selection",
    "clear_incoming",
    "mark_staged",
    "marts_signature",
    "marts_to_catch_up",
    "models_to_stage",
    "plan_of_work",
    "records_changed_since",
    "remember_signature",
    "settle_reporting_currency",
]
