"""The CRM's extract as Salesforce records."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from flows.sandbox.vendors.salesforce import documents, parties
from flows.sandbox.vendors.salesforce.ids import salesforce_id
from flows.sandbox.vendors.salesforce.known import Known, Values
from flows.sandbox.vendors.shared.company import Company, Row
from flows.sandbox.vendors.shared.keys import guid


@dataclass(frozen=True)
class Item:
    """One record to be: its object, its canonical key and its values."""

    entity: str
    key: str
    values: Values
    row: Row

    @property
    def id(self) -> str:
        """The Salesforce id."""
        return salesforce_id(self.entity, self.key)


class Translator(Known):
    """Turns rows into records; it remembers what later rows may refer to."""

    def items(self, company: Company) -> Iterator[Item]:
        """Yield the records of a company, or of what changed on a day, parents first."""
        self.products |= {
            str(row["product_number"]): row for row in company.rows("crm", "products")
        }
        self.erp_keys |= _erp_keys(company)
        for entity in ("opportunities", "quotes", "sales_orders"):
            key = SHAPES[entity][1]
            self.currencies |= {
                str(row[key]): str(row["currency"]) for row in company.rows("crm", entity)
            }
        if company.rows("crm", "users"):
            yield Item("Pricebook2", "standard", BOOK, company.rows("crm", "users")[0])
        for name, (entity, key, shape) in SHAPES.items():
            for row in company.rows("crm", name):
                yield Item(entity, str(row[key]), shape(self, row), row)
                if name == "products":
                    yield Item("PricebookEntry", str(row[key]), parties.price(self, row), row)


def _erp_keys(company: Company) -> dict[str, str]:
    """Return the ERP's key of each account that one of the systems knows of."""
    return {
        str(row["crm_account_id"]): guid("customers", row["customer_id"])
        for row in company.rows("erp", "customers")
        if row.get("crm_account_id")
    }


BOOK: Values = {"Name": "Standard Price Book", "IsActive": True, "IsStandard": True}

SHAPES: dict[str, tuple[str, str, Callable[[Known, Row], Values]]] = {
    "users": ("User", "user_id", parties.user),
    "accounts": ("Account", "account_id", parties.account),
    "contacts": ("Contact", "contact_id", parties.contact),
    "leads": ("Lead", "lead_id", parties.lead),
    "products": ("Product2", "product_id", parties.product),
    "opportunities": ("Opportunity", "opportunity_id", documents.opportunity),
    "opportunity_lines": ("OpportunityLineItem", "opportunity_line_id", documents.opportunity_line),
    "quotes": ("Quote", "quote_id", documents.quote),
    "quote_lines": ("QuoteLineItem", "quote_line_id", documents.quote_line),
    "sales_orders": ("Order", "sales_order_id", documents.order),
    "sales_order_lines": ("OrderItem", "sales_order_line_id", documents.order_line),
    "cases": ("Case", "case_id", documents.case),
}
