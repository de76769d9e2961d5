"""Opening the Great Expectations context in `expectations/`, without writing to it."""

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.core.loading import loading
from flows.core.settings import settings
from flows.core.warehouse import warehouse_url

if TYPE_CHECKING:
    from great_expectations.data_context import FileDataContext

SITE = "gates"
RAW_SOURCE = "warehouse"
MARTS_SOURCE = "marts"
IDENTITY_SOURCE = "identity"


def preload() -> None:
    """Import Great Expectations, which takes seconds; the gate's process does it ahead of work."""
    with warnings.catch_warnings(), loading():
        warnings.simplefilter("ignore")
        import great_expectations  # noqa: PLC0415 - slow, so only where it is needed
        import great_expectations.expectations  # noqa: F401, PLC0415 - registers them; slow as well


def results_folder() -> Path:
    """Return the folder that results and Data Docs are kept in."""
    return settings().home / "gates"


@contextmanager
def opened(search_path: Sequence[str] = ()) -> Iterator["FileDataContext"]:
    """Open the context; connections to the warehouse are closed when the block ends.

    `search_path`: where the unqualified names of the marts suites are looked up.
    """
    preload()
    import great_expectations as gx  # noqa: PLC0415 - slow, so only where it is needed

    # It says per expectation that it starts; the verdict says what came out.
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    context = gx.get_context(
        mode="file",
        context_root_dir=settings().expectations,
        runtime_environment={
            "CONCORD_WAREHOUSE_URL": driver_url(warehouse_url()),
            "CONCORD_GATE_RESULTS": str(results_folder()),
        },
    )
    _read_variables_once(context)
    sources: Any = context.data_sources
    if search_path:
        options = f"-c search_path={','.join(search_path)}"
        sources.get(MARTS_SOURCE).kwargs = {"connect_args": {"options": options}}
    try:
        yield context
    finally:
        for name in (RAW_SOURCE, MARTS_SOURCE, IDENTITY_SOURCE):
            _disconnect(sources.get(name))


def _read_variables_once(context: Any) -> None:  # noqa: ANN401 - untyped in this respect
    # It would read its file of variables anew for every object that it loads: a fifth of its time.
    values = context.config_provider.get_values()
    context.config_provider.get_values = lambda: values


def driver_url(url: str) -> str:
    """Return the warehouse's URL in the form that names psycopg as the driver."""
    scheme, separator, rest = url.partition("://")
    if separator and scheme in ("postgres", "postgresql"):
        return f"postgresql+psycopg://{rest}"
    return url


def _disconnect(source: Any) -> None:  # noqa: ANN401 - Great Expectations' own type is not exported
    # A source that was never asked has no engine yet; asking for one would connect.
    if source._engine is not None:  # noqa: SLF001 - there is no public way to ask
        source._engine.dispose()  # noqa: SLF001 - as above
    engine = getattr(source, "_execution_engine", None)
    if engine is not None:
        engine.close()
