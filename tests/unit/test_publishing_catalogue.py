"""The catalogue says what the mart descriptions say."""

from pathlib import Path

import pytest

from flows.core.errors import SettingsError
from flows.publishing.catalogue import Catalogue, read_catalogue

DESCRIBED = """
models:
  - name: mart_invoices
    config: {alias: invoices}
    columns:
      - name: net_amount
        config: {meta: {sum: true}}
      - name: contact_email
        config: {meta: {personal_data: true}}
      - name: days_overdue
        config: {meta: {view_expression: current_date - due_date}}
      - name: invoice_id
  - name: customers
    columns: [{name: customer_id}]
  - name: only_for_other_marts
    config: {meta: {published: false}}
  - name: not_built
    config: {enabled: false}
"""


def test_the_yml_files_beside_the_marts_are_read(tmp_path: Path) -> None:
    (tmp_path / "invoices.yml").write_text(DESCRIBED)
    assert read_catalogue(tmp_path) == Catalogue(
        tables=frozenset({"invoices", "customers"}),
        sums={"invoices": ["net_amount"]},
        personal={"invoices": ["contact_email"]},
        expressions={"invoices": {"days_overdue": "current_date - due_date"}},
    )


def test_marts_that_nothing_describes_are_not_published_unmasked(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No mart is described"):
        read_catalogue(tmp_path)


def test_a_catalogue_kept_with_a_publication_comes_back_equal() -> None:
    kept = Catalogue(
        tables=frozenset({"orders"}),
        sums={"orders": ["net_amount"]},
        personal={"orders": ["email"]},
        expressions={"orders": {"is_late": "true"}},
    )
    assert Catalogue.from_json(kept.to_json()) == kept
    assert Catalogue.from_json({}) == Catalogue()


def test_masks_add_up() -> None:
    both = Catalogue(personal={"a": ["x"]}).masking_also(
        Catalogue(personal={"a": ["y"], "b": ["z"]})
    )
    assert both.personal == {"a": {"x", "y"}, "b": {"z"}}
