"""MetricFlow's command `mf` over what is published."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from flows.core.dbt import profile_environment
from flows.core.settings import settings
from flows.core.warehouse import warehouse_url
from flows.metrics.semantics import PUBLISHED, write_mf_project


def run_mf(arguments: Sequence[str], schema: str = PUBLISHED) -> int:
    """Run `mf` with these arguments, such as `query --metrics dso`, and return its exit status."""
    folder = write_mf_project(schema=schema)
    command = [str(Path(sys.executable).with_name("mf")), *arguments]
    environment = {**settings().environment, **profile_environment(warehouse_url())}
    return subprocess.run(command, cwd=folder, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(run_mf(sys.argv[1:]))
