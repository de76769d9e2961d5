"""`concord bench`: measure, print each figure with its limit, keep the result."""

import json
import sys
from typing import Any

from flows.bench import measure, table
from flows.core.clock import now
from flows.core.settings import settings


def run_bench(*, order_lines: int) -> dict[str, Any]:
    """Measure the budget and keep the figures below the home folder."""
    figures = measure(order_lines, say=lambda text: print(text, file=sys.stderr))
    result = {"at": now().isoformat(), "figures": [figure.as_dict() for figure in figures]}
    path = settings().home / "bench" / "figures.jsonl"
    with path.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(result) + "\n")
    return result | {"text": table(figures)}
