"""The same rows by dlt's REST source with its fastest settings, in an environment that has dlt.

Run by the bench with another Python; nothing of the project is imported. Reads what to do as JSON
from the first argument, and prints what it took as JSON.
"""

import json
import os
import sys
import time

# Larger buffers, no compression, several workers, CSV for COPY: what dlt's own pages on
# performance say. The rows of a page stay whole, so that no child tables are made.
FAST = {
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "RUNTIME__LOG_LEVEL": "ERROR",
    "SOURCES__DATA_WRITER__BUFFER_MAX_ITEMS": "50000",
    "SOURCES__DATA_WRITER__FILE_MAX_ITEMS": "250000",
    "NORMALIZE__DATA_WRITER__BUFFER_MAX_ITEMS": "50000",
    "NORMALIZE__DATA_WRITER__FILE_MAX_ITEMS": "250000",
    "NORMALIZE__DATA_WRITER__DISABLE_COMPRESSION": "true",
    "DATA_WRITER__DISABLE_COMPRESSION": "true",
    "NORMALIZE__WORKERS": "2",
    "NORMALIZE__START_METHOD": "spawn",
    "LOAD__WORKERS": "4",
}


def main() -> None:
    """Load every query into a table of its own."""
    wanted = json.loads(sys.argv[1])
    os.environ.update({"DLT_DATA_DIR": wanted["folder"], **FAST})  # noqa: TID251 - dlt's settings

    import dlt  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 - settings first
    from dlt.sources.rest_api import (  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415
        rest_api_source,
    )

    source = rest_api_source(
        {
            "client": {
                "base_url": wanted["url"],
                "headers": {"Authorization": f"Bearer {wanted['token']}"},
            },
            "resources": [
                {
                    "name": name.lower(),
                    "write_disposition": "append",
                    "primary_key": "Id",
                    "max_table_nesting": 0,
                    # Objects are read at the same time; a page at a time, as their links demand.
                    "parallelized": True,
                    "endpoint": {
                        "path": "services/data/v68.0/query",
                        "params": {"q": soql},
                        "data_selector": "records",
                        # One each: two resources that share a paginator follow each other's links.
                        "paginator": {"type": "json_link", "next_url_path": "nextRecordsUrl"},
                    },
                }
                for name, soql in wanted["queries"].items()
            ],
        }
    )
    pipeline = dlt.pipeline(
        pipeline_name=wanted["dataset"],
        pipelines_dir=wanted["folder"],
        destination=dlt.destinations.postgres(wanted["warehouse"]),
        dataset_name=wanted["dataset"],
    )
    started = time.monotonic()
    pipeline.run(source, loader_file_format="csv").raise_on_failed_jobs()
    seconds = time.monotonic() - started
    sys.stdout.write(f"\n{json.dumps({'seconds': seconds})}\n")


if __name__ == "__main__":
    main()
