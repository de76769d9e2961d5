"""What works at a connection, before anything runs."""

from argparse import Namespace
from dataclasses import asdict
from typing import Any


def check(arguments: Namespace) -> dict[str, Any]:
    """Look at a connection, and say what works, what is missing and what a run would cost.

    Raises CheckFailedError when something that is needed does not work.
    """
    from flows.core.errors import CheckFailedError
    from flows.land import chosen
    from flows.sources import check_source

    config = next(iter(chosen([arguments.connection])))
    report = check_source(config)
    text = "\n".join([config.name, *(f"  {line}" for line in report.lines())])
    if not report.is_good:
        raise CheckFailedError(f"connection {text}")
    return {**asdict(report), "text": text}
