"""All settings, read from the environment once; nothing else reads it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from flows.core.errors import SettingsError

PROJECT_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Settings:
    """Where things are and how a run behaves."""

    home: Path
    connections_file: Path
    warehouse_url: str | None
    reporting_currency: str | None
    environment: Mapping[str, str]
    project_root: Path = PROJECT_ROOT

    @property
    def dbt_project(self) -> Path:
        """The dbt project folder."""
        return self.project_root / "dbt_project"

    @property
    def expectations(self) -> Path:
        """The Great Expectations context folder."""
        return self.project_root / "expectations"


@cache
def settings() -> Settings:
    """Read the settings; `settings.cache_clear()` makes the next call read them again.

    Raises SettingsError when a value makes no sense.
    """
    env = dict(os.environ)  # noqa: TID251 - the one reader of the environment
    home = Path(env.get("CONCORD_HOME") or PROJECT_ROOT / ".concord").expanduser().resolve()
    connections = env.get("CONCORD_CONNECTIONS") or PROJECT_ROOT / "connections.yaml"
    return Settings(
        home=home,
        connections_file=Path(connections).expanduser().resolve(),
        warehouse_url=env.get("CONCORD_WAREHOUSE_URL") or None,
        reporting_currency=_currency(env.get("CONCORD_REPORTING_CURRENCY")),
        environment=env,
    )


def export(values: Mapping[str, str | None]) -> None:
    """Set environment variables for libraries that read them; None takes one away."""
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)  # noqa: TID251 - the one writer of the environment
        else:
            os.environ[name] = value  # noqa: TID251 - as above


def _currency(code: str | None) -> str | None:
    if not code:
        return None
    if len(code) != 3 or not code.isalpha():  # noqa: PLR2004 - ISO 4217 codes have three letters
        raise SettingsError(
            f"CONCORD_REPORTING_CURRENCY is {code!r}; give an ISO 4217 code such as EUR."
        )
    return code.upper()
