"""Making the embedded server's data directory."""

import secrets
import shutil
from pathlib import Path

from flows.core.errors import SettingsError
from flows.core.unprivileged import ServerUser

USER = "concord"


def make_cluster(folder: Path, initdb: Path, user: ServerUser) -> None:
    """Make data and password beside their place and rename them: killed half way, nothing is left.

    Raises SettingsError when Postgres cannot make its files there.
    """
    for leftover in folder.parent.glob(f"{folder.name}.new-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    draft = folder.with_name(f"{folder.name}.new-{secrets.token_hex(4)}")
    draft.mkdir(mode=0o711)
    data, password = draft / "data", draft / "password"
    data.mkdir(mode=0o700)
    password.touch(mode=0o600)
    password.write_text(secrets.token_hex(24), encoding="ascii")
    _initialise(data, password, initdb, user)
    with (data / "postgresql.conf").open("a", encoding="utf-8") as handle:
        handle.write("\ninclude 'concord.conf'\n")
    draft.rename(folder)


def _initialise(data: Path, password: Path, initdb: Path, user: ServerUser) -> None:
    """Run initdb; it reads the password from a copy of the file that the server's user may read."""
    copy = data.parent / "password-for-initdb"
    shutil.copy(password, copy)
    user.own(data)
    user.own(copy)
    locale = ("-E", "UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    access = ("-U", USER, "-A", "scram-sha-256", "--pwfile", copy)
    made = user.run([initdb, "-D", data, *locale, *access])
    copy.unlink()
    if made.returncode:
        reason = " ".join((made.stderr or made.stdout).split())
        raise SettingsError(
            f"The embedded Postgres could not be made in {data.parent.parent}: {reason} "
            "Set CONCORD_HOME to a folder the server's user can reach and write."
        )
