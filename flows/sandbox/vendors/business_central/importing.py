"""An import of prices that goes past the checks, as a package of tables written directly does."""

from decimal import Decimal

from flows.sandbox.vendors.business_central.books import amount
from flows.sandbox.vendors.business_central.posting import MONEY, lines_of
from flows.sandbox.vendors.business_central.tenant import Tenant


def import_prices(tenant: Tenant, decimals_lost: int) -> int:
    """Write prices and amounts of all open orders' lines anew; return how many lines have them.

    Nothing is validated, so that the totals of the orders and their stamps stay as they were.
    """
    factor = Decimal(10) ** decimals_lost
    count = 0
    for company in tenant.companies.values():
        for order in list(tenant.table(company, "salesOrders").records.values()):
            for line in lines_of(tenant, company, "salesOrderLines", order.key):
                written = {
                    name: amount(Decimal(str(line.values.get(name, 0))) * factor)
                    for name in ("unitPrice", *MONEY)
                }
                tenant.save(company, "salesOrderLines", line.key, written)
                count += 1
    return count
