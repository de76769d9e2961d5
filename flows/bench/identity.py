"""Identity measured: how right it is on known sets, how fast and how big on many companies."""

import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from flows import gates, identity, staging
from flows.bench.report import Figure
from flows.bench.scenario import bench_database, connections_file, scratch, use_connections
from flows.build import build_incoming, build_staging
from flows.core.runs import Run, recorded_run
from flows.identity.evaluation import evaluate
from flows.landing import land_connection
from flows.sandbox.match_volume import write_companies, write_new_companies
from flows.sources.connections import load_connections

Say = Callable[[str], None]
LEAST_F1 = {
    "febrl4": 0.997,
    "febrl3": 0.992,
    "historical_50k": 0.75,
    "fake_1000": 0.86,
    "restaurants": 0.96,
    "senzing": 0.75,
}
COLD_SECONDS, NEW_SECONDS, MEGABYTES = 60.0, 5.0, 4096.0


@dataclass
class Timed:
    """What the identity stage took, step by step, in seconds."""

    steps: dict[str, float] = field(default_factory=dict)

    @property
    def total(self) -> float:
        """The whole stage."""
        return sum(self.steps.values())

    @property
    def text(self) -> str:
        """Every step with its seconds."""
        return ", ".join(f"{step} {seconds:.1f}" for step, seconds in self.steps.items())

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time one step."""
        started = time.monotonic()
        yield
        self.steps[name] = self.steps.get(name, 0.0) + time.monotonic() - started


def measure_identity(data: Path | None, records: int, say: Say) -> list[Figure]:
    """Measure every set found in the folder, then that many accounts against customers.

    A set is a folder with a connections.yaml and a truth.csv.
    """
    found = sorted(path.parent for path in data.glob("*/truth.csv")) if data else []
    known = [figure for folder in found for figure in _known_set(folder, say)]
    return known + _many_companies(records, say)


def _known_set(folder: Path, say: Say) -> list[Figure]:
    say(f"Matching {folder.name} …")
    with bench_database():
        use_connections(folder / "connections.yaml")
        stage()
        result = evaluate(folder / "truth.csv")
    least = LEAST_F1.get(folder.name)
    exact = None if folder.name == "senzing" else 0.99
    return [
        Figure(f"{folder.name}: F1", result.f1, "", least, is_floor=True),
        Figure(f"{folder.name}: precision", result.precision, "", exact, is_floor=True),
    ]


def _many_companies(records: int, say: Say) -> list[Figure]:
    with TemporaryDirectory(dir=scratch()) as written, bench_database():
        folder = Path(written)
        say(f"Matching {records:,} accounts against {records:,} customers …")
        truth = write_companies(folder, records=records)
        connections_file(folder)
        cold = stage()
        result = evaluate(truth)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        say("1 % new …")
        write_new_companies(folder, records=records, more=records // 100)
        new = stage()
    return [
        Figure("identity, cold", cold.total, "s", COLD_SECONDS, detail=cold.text),
        Figure("memory of the process", memory, "MB", MEGABYTES),
        Figure("identity, 1 % new", new.total, "s", NEW_SECONDS, detail=new.text),
        Figure("made-up companies: F1", result.f1, "", 0.97, is_floor=True),
        Figure("made-up companies: precision", result.precision, "", 0.995, is_floor=True),
    ]


def stage() -> Timed:
    """Land and stage what the connections hold, and settle who is who; time the last."""
    timed = Timed()
    with recorded_run("integrate") as run:
        for config in load_connections().values():
            land_connection(config, run_id=run.run_id)
        _promote(run)
        with timed.step("standard values"):
            identity.standardise(run.run_id)
        with timed.step("models"):
            identity.compute_records(run.run_id)
        for domain in identity.MATCHED_DOMAINS:
            with timed.step(f"match {domain}"):
                identity.match(domain, run.run_id)
        with timed.step("assign"):
            identity.assign(run.run_id)
    return timed


def _promote(run: Run) -> None:
    plan = staging.plan_of_work(full=False)
    build_incoming.fn(plan)
    with gates.Courtroom() as gate:
        gate.judge("raw", run_id=run.run_id)
    build_staging.fn(plan)
