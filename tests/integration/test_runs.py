"""One run at a time, and every run in the ledger with how it ended."""

import os
import signal
import subprocess
import sys
import time

import pytest

from flows.core.errors import GateRefusedError, RunInProgressError
from flows.core.runs import recorded_run
from flows.core.warehouse import connect

HOLD = (
    "import time\nfrom flows.core.runs import recorded_run\n"
    "with recorded_run('integrate'):\n    print('held', flush=True)\n    time.sleep(60)"
)


def ledger() -> list[tuple[str, str, str | None]]:
    with connect() as connection:
        return connection.execute(
            "select flow, status, reason from ops.runs order by run_id"
        ).fetchall()


def hold_elsewhere() -> subprocess.Popen[str]:
    running = subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    assert running.stdout.readline() == "held\n"
    return running


def end(running: subprocess.Popen[str]) -> None:
    os.kill(running.pid, signal.SIGKILL)
    running.communicate()


def test_a_run_that_ends_well_is_done_and_keeps_its_timings(warehouse: str) -> None:
    with recorded_run("integrate") as run, run.timed("landing"):
        pass
    assert ledger() == [("integrate", "done", None)]
    with connect() as connection:
        row = connection.execute("select timings ? 'landing' from ops.runs").fetchone()
    assert row == (True,)


def test_a_run_inside_a_run_is_the_same_run(warehouse: str) -> None:
    with recorded_run("integrate") as outer, recorded_run("land") as inner:
        assert inner is outer
    assert len(ledger()) == 1


def test_a_refusal_and_a_failure_are_told_apart(warehouse: str) -> None:
    with pytest.raises(GateRefusedError), recorded_run("build"):
        raise GateRefusedError("too many rows fail")
    with pytest.raises(ZeroDivisionError), recorded_run("build"):
        _ = 1 / 0
    assert ledger() == [
        ("build", "refused", "too many rows fail"),
        ("build", "failed", "division by zero"),
    ]


def test_a_second_run_waits_and_then_refuses_with_the_name_of_the_first(warehouse: str) -> None:
    running = hold_elsewhere()
    told: list[str] = []
    try:
        with (
            pytest.raises(RunInProgressError, match=r"run 1 \(integrate, since"),
            recorded_run("land", on_wait=told.append, wait_seconds=1.5),
        ):
            pass
    finally:
        end(running)
    assert told
    assert "run 1 (integrate" in told[0]
    assert len(ledger()) == 1


def test_a_killed_run_frees_the_lock_and_is_closed_by_the_next(warehouse: str) -> None:
    end(hold_elsewhere())
    time.sleep(0.2)
    with recorded_run("integrate", wait_seconds=10):
        pass
    (killed, following) = ledger()
    assert killed[1] == "failed"
    assert "ended without closing" in str(killed[2])
    assert following[1] == "done"
