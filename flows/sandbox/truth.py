"""What is known about the generated extracts, because it was planted there."""

import csv
import io
import json
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path


@dataclass(frozen=True)
class CustomerPair:
    """Two source records of one company; keys are account ids (crm) or customer ids (erp)."""

    left_source: str
    left_key: str
    right_source: str
    right_key: str
    spelling: str
    link: str


@dataclass(frozen=True)
class OrderDifference:
    """One planted difference: CRM less ERP, in the currency of the ERP's order.

    Where only the currencies differ, the CRM's amount is converted at the day's rates.
    """

    cause: str
    order_number: str | None
    crm_order_number: str | None
    line_number: int | None
    product_number: str | None
    currency: str
    crm_net_amount: Decimal
    erp_net_amount: Decimal
    difference_amount: Decimal


@dataclass(frozen=True)
class RowFault:
    """One row that the first gate must quarantine with its whole document."""

    entity: str
    key: str
    rule: str
    document_type: str
    document_key: str


@dataclass(frozen=True)
class CompanyTruth:
    """What a first run over the company must find."""

    seed: int
    scale: float
    as_of: date
    customers: int
    customer_pairs: tuple[CustomerPair, ...]
    order_differences: tuple[OrderDifference, ...]
    row_faults: tuple[RowFault, ...]
    expected_rows: dict[str, int]
    expected_quarantined: dict[str, int]

    @property
    def expected_staged(self) -> dict[str, int]:
        """The rows of each entity that reach staging."""
        held = self.expected_quarantined
        return {table: count - held.get(table, 0) for table, count in self.expected_rows.items()}


@dataclass(frozen=True)
class DayTruth:
    """What a run over a day of changes must find; the files hold only new and changed rows."""

    day: int
    files: str
    new: dict[str, int]
    changed: dict[str, int]
    deleted: dict[str, int]
    late: dict[str, int]
    late_keys: tuple[str, ...]
    renamed_customer: str
    moved_customer: str
    merged_accounts: tuple[str, str]
    repaired_order: str
    expected_quarantined: dict[str, int]
    expected_staged: dict[str, int]


@dataclass(frozen=True)
class BatchTruth:
    """What a run over one spoilt or repaired export must find."""

    is_refused: bool
    expected_blocked_rules: tuple[str, ...]
    failing_rows: dict[str, int]
    file_rows: dict[str, int]
    added_rows: dict[str, int]
    order_ids: tuple[str, ...]


Truth = CompanyTruth | DayTruth | BatchTruth


def write_truth(truth: Truth, folder: Path, name: str = "truth.json") -> None:
    """Write the truth beside the extracts, where no connection reads it."""
    text = json.dumps(asdict(truth), default=str, indent=2, ensure_ascii=False)
    (folder / name).write_text(f"{text}\n", encoding="utf-8")


def write_customer_pairs(truth: CompanyTruth, folder: Path) -> None:
    """Write the pairs of records that are one customer, as `concord evaluate` reads them."""
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(("left_source", "left_key", "right_source", "right_key"))
    writer.writerows(
        (pair.left_source, pair.left_key, pair.right_source, pair.right_key)
        for pair in truth.customer_pairs
    )
    (folder / "truth_customers.csv").write_text(target.getvalue(), encoding="utf-8")
