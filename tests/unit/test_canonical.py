"""The canonical model as Python reads it."""

import pytest

from flows.core.canonical import COMMON_COLUMNS, Entity, entities, entity
from flows.core.errors import SettingsError


def test_there_are_twenty_five_entities() -> None:
    assert len(entities()) == 25
    assert len({one.name for one in entities()}) == 25


@pytest.mark.parametrize("one", entities(), ids=lambda one: one.name)
def test_every_entity_has_a_key_kinds_and_the_common_columns_last(one: Entity) -> None:
    assert one.key
    assert set(one.kinds) <= {"crm", "erp"}
    assert one.column_names[-3:] == COMMON_COLUMNS
    assert all(column.description.endswith(".") for column in one.columns)


def test_technical_columns_are_no_part_of_the_model() -> None:
    assert not {"source_key", "batch_id", "failed_rules"} & set(entity("orders").column_names)


def test_contacts_carry_the_columns_of_both_systems() -> None:
    assert {"account_id", "customer_id"} <= set(entity("contacts").column_names)
    assert entity("contacts").kinds == ("crm", "erp")


def test_a_rate_has_three_key_columns() -> None:
    assert entity("fx_rates").key == ("currency", "rate_date", "reporting_currency")


def test_a_line_belongs_to_the_document_of_its_header() -> None:
    assert entity("order_lines").document_type == entity("orders").document_type == "order"
    assert entity("order_lines").document_key == "order_id"
    assert entity("accounts").is_own_document


def test_an_unknown_entity_is_named_with_the_known_ones() -> None:
    with pytest.raises(SettingsError, match="'order' is no canonical entity; known are accounts"):
        entity("order")
