"""The big company's orders as its CRM knows them: some with a piece more, some not at all."""

from collections.abc import Iterable, Iterator

from flows.sandbox.volume_rows import COMMON, MARKETS, Values, Volume, mixed, money

SALES_ORDER = (
    "sales_order_id", "order_number", "account_id", "status", "order_date", "currency",
    "net_amount#", "erp_order_number", *COMMON,
)  # fmt: skip
SALES_ORDER_LINE = (
    "sales_order_line_id", "sales_order_id", "line_number#", "product_number", "quantity#",
    "unit", "unit_price#", "discount_pct#", "net_amount#", *COMMON,
)  # fmt: skip

# One order in so many differs in a quantity; one in so many has no counterpart in the CRM.
DIFFERING, MISSING = 50, 200


def sales_orders(volume: Volume, numbers: Iterable[int]) -> Iterator[Values]:
    """Yield the headers of the orders that the CRM knows."""
    for number in _known(volume, numbers):
        customer = volume.customer(number)
        created, modified = volume.moments(number)
        total = sum(line[3] for line in _lines(volume, number))
        yield (f"S{number:08d}", f"S{number:08d}", f"A{customer:07d}", "released", created[:10],
               MARKETS[customer % len(MARKETS)].currency, money(total), f"O{number:08d}",
               created, modified)  # fmt: skip


def sales_order_lines(volume: Volume, numbers: Iterable[int]) -> Iterator[Values]:
    """Yield their lines, in the order of the headers."""
    for number in _known(volume, numbers):
        created, modified = volume.moments(number)
        for place, line in enumerate(_lines(volume, number), start=1):
            product, quantity, discount, net = line
            yield (f"S{number:08d}-{place}", f"S{number:08d}", place, f"P{product:06d}", quantity,
                   "C62", money(volume.prices[product]), discount, money(net), created,
                   modified)  # fmt: skip


def _known(volume: Volume, numbers: Iterable[int]) -> Iterator[int]:
    return (number for number in numbers if mixed(number, volume.size.seed + 3) % MISSING)


def _lines(volume: Volume, number: int) -> list[tuple[int, int, int, int]]:
    lines = [line[:4] for line in volume.lines(number)]
    if mixed(number, volume.size.seed + 4) % DIFFERING == 0:
        product, quantity, discount, _ = lines[0]
        net = ((quantity + 1) * volume.prices[product] * (100 - discount) + 50) // 100
        lines[0] = (product, quantity + 1, discount, net)
    return lines
