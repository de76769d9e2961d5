"""The gate in a process of its own.

Great Expectations takes seconds to load, and so does dbt; in one process they load one after the
other, in two they load side by side.
"""

import atexit
import base64
import ctypes
import json
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from flows.core.errors import GateUnavailableError
from flows.core.settings import settings
from flows.core.warehouse import warehouse_url
from flows.gates.verdict import Verdict

ANSWER = "answer:"
DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)


_begun: list[tuple[dict[str, str], subprocess.Popen[str]]] = []


def begin_to_load() -> None:
    """Start the process of the next Courtroom while the caller waits for something else."""
    process = _started()
    atexit.register(process.kill)  # a run with nothing new asks it nothing
    _begun.append((_same_settings(), process))


class Courtroom:
    """A gate that has begun to load when the block begins, and is gone when it ends."""

    def __enter__(self) -> Self:
        """Start the process; it loads Great Expectations while the caller goes on."""
        self._process = _begun_here() or _started()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process, whatever it is doing."""
        _end(self._process)

    def judge(self, promotion: str, *, run_id: int, slot: str | None = None) -> Verdict:
        """Judge a promotion as `flows.gates.judge` does, errors included."""
        verdict = self._ask("judge", promotion=promotion, run_id=run_id, slot=slot)
        assert isinstance(verdict, Verdict)  # noqa: S101 - what judge returns
        return verdict

    def draw_data_docs(self) -> None:
        """Write Data Docs over the latest results as `flows.gates.docs.build` does."""
        self._ask("draw_data_docs")

    def _ask(self, call: str, **arguments: Any) -> object:  # noqa: ANN401 - JSON's own types
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise GateUnavailableError("The gate's process has no pipes.")
        with suppress(BrokenPipeError):
            stdin.write(json.dumps([call, arguments]) + "\n")
            stdin.flush()
        for line in stdout:  # libraries may print; only a marked line answers
            if line.startswith(ANSWER):
                # Written by our own child over a pipe that nothing else holds.
                answer: object = pickle.loads(base64.b64decode(line.removeprefix(ANSWER)))  # noqa: S301
                if isinstance(answer, BaseException):
                    raise answer
                return answer
        raise GateUnavailableError(
            f"The gate's process ended with status {self._process.wait()} before its verdict. "
            "Nothing was promoted; run again."
        )


def _begun_here() -> subprocess.Popen[str] | None:
    """Return a process that has begun to load for this warehouse; end those for others."""
    while _begun:
        its_settings, process = _begun.pop()
        if its_settings == _same_settings():
            return process
        _end(process)
    return None


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def _started() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "flows.gates"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=settings().project_root,
        env={**settings().environment, **_same_settings()},
    )


def _same_settings() -> dict[str, str]:
    return {
        "CONCORD_WAREHOUSE_URL": warehouse_url(),
        "CONCORD_HOME": str(settings().home),
        "PYTHONPATH": str(settings().project_root),
    }


def serve() -> None:
    """Answer questions until the caller is gone."""
    with suppress(OSError, AttributeError):  # elsewhere than on Linux the closed pipe ends it
        ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL)
    from flows.gates import docs  # noqa: PLC0415 - the parent needs none of it
    from flows.gates.context import preload  # noqa: PLC0415
    from flows.gates.judging import judge  # noqa: PLC0415

    calls: dict[str, Callable[..., object]] = {"judge": judge, "draw_data_docs": docs.build}
    preload()
    for line in sys.stdin:
        call, arguments = json.loads(line)
        try:
            answer: object = calls[call](**arguments)
        except Exception as error:  # noqa: BLE001 - raised again where it was asked for
            answer = error
        encoded = base64.b64encode(pickle.dumps(answer)).decode()
        print(f"{ANSWER}{encoded}", flush=True)  # noqa: T201 - the pipe to the caller
