"""`concord bench`: measure, print each figure with its limit, keep the result."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from flows.bench import Figure, measure, table
from flows.cli import stack
from flows.cli.homes import use_home
from flows.core.clock import now
from flows.core.settings import settings


def run_bench(*, order_lines: int) -> dict[str, Any]:
    """Measure on a stack of the bench's own, take it down, and keep the figures."""
    home = settings().home / "bench"
    with use_home(home):
        try:
            stack.up()
            figures = measure(order_lines, say=_say)
        finally:
            stack.down()
    return _kept(home, figures)


def run_identity_bench(*, data: Path | None, records: int) -> dict[str, Any]:
    """Measure identity on a server of the bench's own, stop it, and keep the figures."""
    from flows.bench.identity import measure_identity
    from flows.core import embedded

    home = settings().home / "bench"
    with use_home(home):
        try:
            figures = measure_identity(data, records, say=_say)
        finally:
            embedded.stop()
    return _kept(home, figures)


def run_marts_bench(*, order_lines: int) -> dict[str, Any]:
    """Measure the marts at a tenth, at all and at three times the lines, and keep the figures."""
    from flows.bench.marts import measure_marts
    from flows.core import embedded

    home = settings().home / "bench"
    with use_home(home):
        try:
            sizes = (order_lines // 10, order_lines, 3 * order_lines)
            figures = measure_marts(sizes, say=_say)
        finally:
            embedded.stop()
    return _kept(home, figures)


def run_connectors_bench(*, accounts: int, dlt: Path | None) -> dict[str, Any]:
    """Measure the connectors on sandbox servers of the bench's own, and keep the figures."""
    from flows.bench.connectors import measure_connectors
    from flows.core import embedded

    home = settings().home / "bench"
    with use_home(home):
        try:
            figures = measure_connectors(accounts, dlt, say=_say)
        finally:
            embedded.stop()
    return _kept(home, figures)


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _kept(home: Path, figures: list[Figure]) -> dict[str, Any]:
    shutil.rmtree(home, ignore_errors=True)
    result = {"at": now().isoformat(), "figures": [figure.as_dict() for figure in figures]}
    with (settings().home / "bench.jsonl").open("a", encoding="utf-8") as kept:
        kept.write(json.dumps(result) + "\n")
    return result | {"text": table(figures)}
