"""Pages of our own beside Prefect's UI, so that artifacts can link to them."""

from pathlib import Path

from flows.core.settings import settings

FOLDER = "concord"
KEPT_PAGES = 60


def show_page(name: str, html: str) -> str | None:
    """Put a page where this home's Prefect server shows it; return its address below the UI.

    None where this machine does not serve the UI. The latest pages are kept, older ones go.
    """
    served = settings().home / "prefect" / "ui" / "v1"
    if not served.is_dir():
        return None
    folder = served / FOLDER
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.html").write_text(html, encoding="utf-8")
    _prune(folder)
    return f"/{FOLDER}/{name}.html"


def _prune(folder: Path) -> None:
    newest_first = sorted(folder.glob("*.html"), key=lambda page: -page.stat().st_mtime)
    for page in newest_first[KEPT_PAGES:]:
        page.unlink(missing_ok=True)
