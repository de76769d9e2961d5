"""Serves the sandbox company from the command line: python -m flows.sandbox.vendors."""

import argparse
import json
import sys
import threading
from contextlib import AbstractContextManager
from pathlib import Path

from flows.sandbox.vendors.business_central import sandbox as business_central
from flows.sandbox.vendors.business_central.sandbox import BusinessCentralSandbox
from flows.sandbox.vendors.salesforce import sandbox as salesforce
from flows.sandbox.vendors.salesforce.sandbox import SalesforceSandbox
from flows.sandbox.vendors.shared import company
from flows.sandbox.vendors.shared.company import Company


def main() -> None:
    """Serve one system until somebody interrupts."""
    options = _options()
    with _served(options, _company(options)) as sandbox:
        # The first line tells whoever started it where it is and how to log in.
        sys.stdout.write(json.dumps({"url": sandbox.url, **sandbox.credentials}) + "\n")
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m flows.sandbox.vendors", description=__doc__)
    parser.add_argument("--system", choices=("salesforce", "business_central"), required=True)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--data", type=Path, help="a folder with crm/ and erp/ extracts")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--accounts", type=int, default=0, help="so many made up, no company")
    return parser.parse_args()


def _company(options: argparse.Namespace) -> Company | None:
    if options.accounts:
        return None
    if options.data:
        return company.load(options.data)
    return company.make(options.seed, options.scale)


def _served(
    options: argparse.Namespace, source: Company | None
) -> AbstractContextManager[SalesforceSandbox | BusinessCentralSandbox]:
    if options.system == "salesforce":
        return salesforce.served(source, port=options.port, accounts=options.accounts)
    return business_central.served(source, port=options.port, customers=options.accounts)


if __name__ == "__main__":
    main()
