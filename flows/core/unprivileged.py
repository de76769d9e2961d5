"""Run the Postgres programs as a user Postgres accepts: never as root."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from flows.core.errors import SettingsError

NOBODY = 65534
# The capability lets the server reach a project below a folder such as /root, which is closed to
# every other user.
CAPABILITY = ("--inh-caps", "+dac_override", "--ambient-caps", "+dac_override")
# PG* and locale variables of the caller must not change how the server behaves.
ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"}


@dataclass(frozen=True)
class ServerUser:
    """The user the server runs as, and the words to put before a command to become that user."""

    uid: int | None
    prefix: tuple[str, ...] = ()

    def own(self, path: Path) -> None:
        """Hand a folder with everything in it to the server's user."""
        if self.uid is None:
            return
        for entry in (path, *path.rglob("*")):
            os.chown(entry, self.uid, self.uid, follow_symlinks=False)

    def run(self, command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
        """Run a program to its end as the server's user."""
        return subprocess.run(
            [*self.prefix, *map(str, command)],
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
        )


@cache
def server_user(program: Path, uid: int = NOBODY) -> ServerUser:
    """Return the user to run the server as; root becomes the user given.

    Raises SettingsError when root cannot give the program to another user.
    """
    if os.geteuid() != 0:
        return ServerUser(uid=None)
    setpriv = shutil.which("setpriv") or "setpriv"
    identity = (setpriv, "--reuid", str(uid), "--regid", str(uid), "--clear-groups")
    for prefix in ((*identity, *CAPABILITY), identity):
        user = ServerUser(uid=uid, prefix=prefix)
        if _can_run(user, program):
            return user
    raise SettingsError(
        f"Postgres refuses to run as root, and user {uid} cannot run {program}. "
        "Run Concord as a plain user, move the project and CONCORD_HOME to folders every user can "
        "reach, or set CONCORD_WAREHOUSE_URL to a Postgres of your own (setpriv is in util-linux)."
    )


def _can_run(user: ServerUser, program: Path) -> bool:
    try:
        return user.run([program, "--version"]).returncode == 0
    except OSError:
        return False
