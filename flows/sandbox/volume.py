"""A big and clean company for measuring: a million order lines in a few seconds.

Every value follows from the seed and the row's number, so that a change can be written
without reading what was written before.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from flows.sandbox.volume_rows import (
    ACCOUNT,
    ADDRESS,
    CUSTOMER,
    FX_RATE,
    INVOICE,
    INVOICE_LINE,
    LINES_PER_ROUND,
    ORDER,
    ORDER_LINE,
    ORDERS_PER_ROUND,
    PRODUCT,
    Size,
    Values,
    Volume,
    mixed,
    template,
)
from flows.sandbox.volume_sales import (
    SALES_ORDER,
    SALES_ORDER_LINE,
    sales_order_lines,
    sales_orders,
)

PARAMETERS = "volume.json"
BUFFER = 1 << 20


@dataclass(frozen=True)
class VolumeTruth:
    """How many rows each file holds."""

    rows: dict[str, int]


def write_volume(  # noqa: PLR0913 - all by name
    folder: Path,
    *,
    order_lines: int = 1_000_000,
    seed: int = 7,
    customers: int = 20_000,
    products: int = 5_000,
    file_format: str = "jsonl",
    invoices: bool = False,
    sales: bool = False,
) -> VolumeTruth:
    """Write the company; the number of order lines is rounded down to whole rounds of 20.

    `file_format` is jsonl or csv; with `invoices` each order has an invoice with its lines, with
    `sales` the CRM has its own orders, not all of them alike.
    """
    rounds = max(1, order_lines // LINES_PER_ROUND)
    size = Size(rounds * ORDERS_PER_ROUND, customers, products, seed, invoices, sales)
    volume = Volume(size)
    writer = _Writer(folder, file_format)
    writer.write("crm", "accounts", ACCOUNT, volume.accounts())
    writer.write("erp", "customers", CUSTOMER, volume.customers())
    writer.write("erp", "addresses", ADDRESS, volume.addresses())
    writer.write("erp", "products", PRODUCT, volume.products())
    writer.write("erp", "fx_rates", FX_RATE, volume.fx_rates())
    writer.write_documents(volume, range(size.orders))
    parameters = {**asdict(size), "file_format": file_format}
    (folder / PARAMETERS).write_text(json.dumps(parameters), encoding="utf-8")
    return VolumeTruth(writer.rows)


def write_volume_change(folder: Path, *, share: float = 0.01, seed: int = 7) -> VolumeTruth:
    """Rewrite the document files as a delta in which a share of the orders is one piece larger.

    Invoices and CRM orders, where there are any, follow; every row is newer than all before.
    """
    parameters = json.loads((folder / PARAMETERS).read_text(encoding="utf-8"))
    file_format = parameters.pop("file_format")
    size = Size(**parameters)
    step = max(1, round(1 / share))
    chosen = [n for n in range(size.orders) if mixed(n, seed + 2) % step == 0]
    volume = Volume(size, is_changed=True)
    writer = _Writer(folder, file_format)
    writer.write_documents(volume, chosen)
    return VolumeTruth(writer.rows)


class _Writer:
    """Streams rows into files and counts them."""

    def __init__(self, folder: Path, file_format: str) -> None:
        self.folder = folder
        self.file_format = file_format
        self.rows: dict[str, int] = {}

    def write_documents(self, volume: Volume, numbers: Sequence[int]) -> None:
        """Write orders and what belongs to them."""
        self.write("erp", "orders", ORDER, volume.orders(numbers))
        self.write("erp", "order_lines", ORDER_LINE, volume.order_lines(numbers))
        if volume.size.has_invoices:
            self.write("erp", "invoices", INVOICE, volume.invoices(numbers))
            self.write("erp", "invoice_lines", INVOICE_LINE, volume.invoice_lines(numbers))
        if volume.size.has_sales:
            self.write("crm", "sales_orders", SALES_ORDER, sales_orders(volume, numbers))
            lines = sales_order_lines(volume, numbers)
            self.write("crm", "sales_order_lines", SALES_ORDER_LINE, lines)

    def write(
        self, connection: str, entity: str, columns: tuple[str, ...], rows: Iterable[Values]
    ) -> None:
        """Write one file from a template, without building a row in memory."""
        path = self.folder / connection / f"{entity}.{self.file_format}"
        path.parent.mkdir(parents=True, exist_ok=True)
        head, line = template(columns, self.file_format)
        table = f"{connection}/{entity}"
        self.rows[table] = 0
        with path.open("w", encoding="utf-8", buffering=BUFFER, newline="\n") as target:
            target.write(head)
            target.writelines(line % values for values in self._counted(table, rows))

    def _counted(self, table: str, rows: Iterable[Values]) -> Iterator[Values]:
        count = 0
        for values in rows:
            count += 1
            yield values
        self.rows[table] = count
