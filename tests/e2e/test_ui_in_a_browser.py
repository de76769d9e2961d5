"""What a person of the data team does in the UI, done in a headless browser."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from flows.cli import stack
from flows.core.settings import settings
from flows.core.warehouse import connect, warehouse_url
from flows.sandbox import company
from tests.fixtures.story import write_connections

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
CLICK_MILLISECONDS = 60_000
RUN_MILLISECONDS = 400_000

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="NO CHROMIUM FOUND: the UI was not tested"),
]


@pytest.fixture(scope="module")
def ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Bring the stack up with a generated company to integrate; yield the UI's address."""
    folder = tmp_path_factory.mktemp("ui")
    (folder / "extracts").mkdir()
    company.write_company(folder / "extracts")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONCORD_HOME", str(folder / "home"))
        patch.setenv("CONCORD_CONNECTIONS", str(write_connections(folder)))
        for name in ("CONCORD_WAREHOUSE_URL", "PREFECT_API_URL", "PREFECT_HOME"):
            patch.delenv(name, raising=False)
        _forget()
        yield stack.up().ui
        stack.down()
    _forget()


def _forget() -> None:
    settings.cache_clear()
    warehouse_url.cache_clear()


@pytest.fixture(scope="module")
def page(ui: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.set_default_timeout(CLICK_MILLISECONDS)
        yield page
        browser.close()


def test_a_person_starts_the_main_job_and_sees_it_complete_with_its_verdicts(
    page: Page, ui: str
) -> None:
    page.goto(f"{ui}/deployments")
    _open_deployment(page, "integrate", "on-demand")
    _open_tab(page, "Description")
    expect(page.get_by_text("The whole job, now.")).to_be_visible()
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_text("Quick run").click()
    # The note that leads to the run slides in, and a sliding button cannot be clicked.
    page.get_by_role("button", name="View run").first.dispatch_event("click")
    page.wait_for_url("**/runs/flow-run/*")
    ended = page.get_by_text("Completed", exact=True).or_(page.get_by_text("Failed", exact=True))
    ended.first.wait_for(timeout=RUN_MILLISECONDS)
    expect(page.get_by_text("Completed", exact=True).first).to_be_visible()
    _open_tab(page, "Artifacts")
    expect(page.get_by_text("integrate").first).to_be_visible()
    expect(page.get_by_text("did not produce any artifacts")).to_have_count(0)
    page.goto(f"{ui}/artifacts/key/gate-raw")
    expect(page.get_by_text("3 documents (11 rows) wait in quarantine").first).to_be_visible()
    page.goto(f"{ui}/artifacts/key/gate-marts")
    expect(page.get_by_text("let run 1 pass").first).to_be_visible()
    assert _published_orders() > 0


def _open_deployment(page: Page, flow: str, name: str) -> None:
    # The list shows ten at a time, and those of one name in any order: search as a person does.
    page.get_by_placeholder("Search deployments...").fill(flow)
    of_the_flow = page.get_by_role("link", name=flow, exact=True)
    row = page.get_by_role("row").filter(has=of_the_flow).filter(has_text=name)
    row.get_by_role("link", name=name).click()


def _open_tab(page: Page, name: str) -> None:
    page.locator(".p-tab", has_text=name).click()


def _published_orders() -> int:
    with connect() as connection:
        row = connection.execute("select count(*) from marts.orders").fetchone()
    return int(row[0]) if row else 0


def test_a_landing_says_what_it_does_before_it_is_run(page: Page, ui: str) -> None:
    page.goto(f"{ui}/deployments")
    _open_deployment(page, "land", "on-demand")
    _open_tab(page, "Description")
    expect(page.get_by_text("Lands what is new at one connection")).to_be_visible()
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_text("Custom run")).to_be_visible()


def test_the_pages_need_nothing_from_outside_this_machine(page: Page, ui: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{ui}/deployments")
    page.wait_for_load_state("networkidle")
    assert asked
    outside = [url for url in asked if not url.startswith((ui, "data:", "blob:", _socket(ui)))]
    assert outside == []


def _socket(ui: str) -> str:
    return ui.replace("http://", "ws://")
