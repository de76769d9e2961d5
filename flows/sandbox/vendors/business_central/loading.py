"""Fills a tenant with the company, and plays its days."""

from collections.abc import Iterator

from flows.sandbox.vendors.business_central import billing, documents, masters
from flows.sandbox.vendors.business_central.books import Books, Item
from flows.sandbox.vendors.business_central.posting import return_goods, ship_and_invoice
from flows.sandbox.vendors.business_central.tenant import Tenant
from flows.sandbox.vendors.shared.company import Company, Row
from flows.sandbox.vendors.shared.keys import guid

POSTED_PER_DAY = 3
TO_POST = ("shipped", "partially_shipped", "released")
# What is worked out when it is shown: it changes, and the row's stamp does not.
FLOW_FIELDS = {"customers": "balanceDue", "items": "inventory", "salesOrders": "fullyShipped"}


class Story:
    """The company's ERP, from its export on, day by day."""

    def __init__(self, tenant: Tenant, company: Company) -> None:
        self._tenant = tenant
        self._company = company
        self._books = Books()
        self._known: dict[tuple[str, str, str], Item] = {}
        self._posted: set[str] = set()
        self.day = 0
        self._books.merge(company)
        for name in self._books.companies():
            tenant.add_company(name)
        for item in self._items():
            self._known[item.company, item.set, item.id] = item
            tenant.save(item.company, item.set, item.id, item.values, stamp=item.modified_at)

    def _items(self) -> Iterator[Item]:
        books = self._books
        yield from masters.tables(books)
        yield from masters.items(books)
        yield from masters.customers(books)
        yield from masters.rates(books)
        yield from documents.orders(books)
        yield from documents.shipments(books)
        yield from billing.invoices(books)

    def play_day(self) -> int:
        """Let the next day of business happen now; return which one it was.

        Beside what the extract of the day says, orders are shipped and invoiced, so that they
        leave the list of orders, and somebody returns what was invoiced.
        """
        self.day += 1
        self._books.merge(self._company.day(self.day))
        for posted in self._posted:
            self._books.rows["orders"][posted]["status"] = "invoiced"
        items = {(item.company, item.set, item.id): item for item in self._items()}
        for key, item in items.items():
            self._update(self._known.get(key), item)
        for company, name, identity in self._known.keys() - items.keys():
            self._tenant.delete(company, name, identity)
        self._known = items
        self._post()
        return self.day

    def _update(self, before: Item | None, item: Item) -> None:
        known = before.values if before else {}
        changed = {name for name, value in item.values.items() if known.get(name) != value}
        if changed == {FLOW_FIELDS.get(item.set)}:
            self._tenant.change_silently(item.company, item.set, item.id, item.values)
        elif changed:
            self._tenant.save(item.company, item.set, item.id, item.values)

    def _post(self) -> None:
        """Ship and invoice the oldest orders; take goods of the first one back."""
        for place, row in enumerate(self._to_post()):
            key, company = str(row["order_id"]), str(row["company"])
            invoice = ship_and_invoice(self._tenant, company, guid("orders", key))
            self._posted.add(key)
            row["status"] = "invoiced"
            if place == 0:
                return_goods(self._tenant, company, invoice)

    def _to_post(self) -> list[Row]:
        waiting = [
            row
            for row in self._books.all("orders")
            if row["status"] in TO_POST
            and self._tenant.record(
                str(row["company"]), "salesOrders", guid("orders", row["order_id"])
            )
        ]
        waiting.sort(key=lambda row: (TO_POST.index(str(row["status"])), row["order_id"]))
        return waiting[:POSTED_PER_DAY]
