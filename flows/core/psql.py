"""psql, as it comes with the embedded server, on the warehouse."""

import subprocess
from collections.abc import Sequence

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from flows.core.embedded import binaries
from flows.core.settings import settings
from flows.core.warehouse import warehouse_url


def run_psql(options: Sequence[str], statements: str | None = None) -> int:
    """Run psql and return its exit status; the password travels where no process list shows it."""
    target = {name: str(value) for name, value in conninfo_to_dict(warehouse_url()).items()}
    password = target.pop("password", "")
    return subprocess.run(
        [str(binaries() / "psql"), "-d", make_conninfo(**target), *options],
        input=statements.encode() if statements is not None else None,
        env={**settings().environment, "PGPASSWORD": password},
        check=False,
    ).returncode
