"""Data Docs: the stored results of the latest runs as pages that a person can browse."""

import re
import shutil
import time
from importlib.resources import files
from pathlib import Path

from flows.gates.context import SITE, opened, results_folder

# Style and scripts that the pages would fetch from the web at every look.
FROM_THE_WEB = re.compile(
    r"<link[^>]+href=[\"']https?://[^>]+>|<script[^>]+src=[\"']https?://[^>]+>\s*</script>"
)
KEPT_RUNS = 30
KEPT_DAYS = 30.0


def build(*, kept_runs: int = KEPT_RUNS, kept_days: float = KEPT_DAYS) -> Path:
    """Write Data Docs over the latest results and return their first page.

    Older results are dropped first, for the pages re-read all of them; `ops.verdicts` keeps all.
    """
    prune(kept_runs=kept_runs, kept_days=kept_days)
    with opened() as context:
        context.build_data_docs(site_names=[SITE])
    _stand_alone()
    return index_page()


def index_page() -> Path:
    """Return where the first page of Data Docs is, whether or not it is there yet."""
    return results_folder() / "docs" / "index.html"


def prune(*, kept_runs: int, kept_days: float) -> int:
    """Drop, of each suite, results beyond the newest few or older than some days; count them."""
    oldest = time.time() - kept_days * 86400
    dropped = 0
    for suite in (results_folder() / "results").glob("*"):
        runs = [run for run in suite.glob("*/*") if run.is_dir()]
        newest_first = sorted(runs, key=lambda run: run.name, reverse=True)
        for place, run in enumerate(newest_first):
            if place >= kept_runs or run.stat().st_mtime < oldest:
                shutil.rmtree(run)
                dropped += 1
    return dropped


def _stand_alone() -> None:
    """Let the pages be read without the web: our own style and tables, nothing fetched."""
    own = files("flows.gates") / "pages"
    style = (own / "offline.css").read_text(encoding="utf-8")
    script = (own / "offline.js").read_text(encoding="utf-8")
    head = f"<style>{style}</style><script>{script}</script></head>"
    for page in index_page().parent.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        if FROM_THE_WEB.search(text):
            alone = FROM_THE_WEB.sub("", text).replace("</head>", head, 1)
            page.write_text(alone, encoding="utf-8")
