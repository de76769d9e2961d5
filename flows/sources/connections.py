"""What `connections.yaml` says: the systems to read, by name."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from flows.core.errors import ConnectionsError
from flows.core.settings import settings
from flows.sources.located_yaml import Located, UnreadableYamlError, read_yaml

NAME = re.compile(r"[a-z][a-z0-9_]*")
KINDS = ("crm", "erp")
TOP_KEYS = ("connections", "identity")
ENGINES = ("duckdb", "spark")
LONGEST_NAME = 50  # raw_<name> must be a Postgres identifier
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True)
class ConnectionConfig:
    """One configured system; options may hold secrets and never show in its repr."""

    name: str
    system: str
    options: Mapping[str, str] = field(repr=False, default_factory=dict)

    @property
    def kind(self) -> str | None:
        """'crm' or 'erp' where the file says so."""
        return self.options.get("kind")


@dataclass(frozen=True)
class _System:
    """The options a system takes."""

    required: frozenset[str]
    optional: frozenset[str]
    paths: frozenset[str] = frozenset()

    @property
    def known(self) -> frozenset[str]:
        return self.required | self.optional | {"system", "kind"}


SYSTEMS: Mapping[str, _System] = {
    "business_central": _System(
        required=frozenset(),
        optional=frozenset(
            (  # noqa: SIM905 - a list would be a line for each
                "api_url block client_id client_secret companies currency daily_calls environment "
                "login_url map_fields objects overlap_minutes page_size quota_reserve read_replica "
                "tenant without_fields without_objects"
            ).split()
        ),
    ),
    "files": _System(
        required=frozenset({"path"}),
        optional=frozenset({"mapping"}),
        paths=frozenset({"path", "mapping"}),
    ),
    "salesforce": _System(
        required=frozenset(),
        optional=frozenset(
            {
                "api_version",
                "audience",
                "block",
                "bulk_from",
                "client_id",
                "client_secret",
                "currency",
                "daily_calls",
                "instance_url",
                "map_fields",
                "objects",
                "overlap_minutes",
                "poll_milliseconds",
                "private_key",
                "private_key_file",
                "quota_reserve",
                "username",
                "without_fields",
                "without_objects",
            }
        ),
        paths=frozenset({"private_key_file"}),
    ),
}


def load_connections(path: Path | None = None) -> dict[str, ConnectionConfig]:
    """Read the connections file, every ${VARIABLE} replaced from the environment.

    Raises ConnectionsError that names the file, the lines and what to do.
    """
    file = path or settings().connections_file
    if not file.is_file():
        raise ConnectionsError(
            f"There is no connections file at {file}. Copy connections.example.yaml there, "
            "or name another file in CONCORD_CONNECTIONS."
        )
    reader = _Reader(file)
    found = reader.read()
    if reader.problems:
        raise ConnectionsError("\n".join(reader.problems))
    return found


def identity_engine(path: Path | None = None) -> str:
    """Return where records are matched: duckdb, or what `identity: {engine: ...}` says.

    Raises ConnectionsError for an engine that is not known.
    """
    file = path or settings().connections_file
    if not file.is_file():
        return ENGINES[0]
    reader = _Reader(file)
    engine = reader.read_engine()
    if reader.problems:
        raise ConnectionsError("\n".join(reader.problems))
    return engine


class _Reader:
    """Collects every problem of one file, so that they are shown at once."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.problems: list[str] = []

    def report(self, line: int, text: str) -> None:
        self.problems.append(f"{self.file}, line {line}: {text}")

    def read(self) -> dict[str, ConnectionConfig]:
        try:
            root = read_yaml(self.file, self.report)
        except UnreadableYamlError as error:
            self.report(error.line, f"this is not YAML ({error}); correct the line.")
            return {}
        for key, line, _ in root.entries():
            if key not in TOP_KEYS:
                self.report(line, f"{key!r} is not known here; {_nearest(key, TOP_KEYS)}")
        entries = (root.fields or {}).get("connections")
        if entries is None or not entries.fields:
            self.report(root.line, "there is no connection; list them under 'connections:'.")
            return {}
        read = [self._connection(*entry) for entry in entries.entries()]
        return {config.name: config for config in read if config}

    def read_engine(self) -> str:
        try:
            root = read_yaml(self.file, lambda _line, _text: None)
        except UnreadableYamlError:
            return ENGINES[0]  # whoever needs the connections says what is wrong
        identity = (root.fields or {}).get("identity")
        named = (identity.fields or {}).get("engine") if identity else None
        if named is None or named.text in ENGINES:
            return named.text if named and named.text else ENGINES[0]
        self.report(named.line, f"engine {named.described} is not known; use {_list(ENGINES)}.")
        return ENGINES[0]

    def _connection(self, name: str, line: int, node: Located) -> ConnectionConfig | None:
        if not NAME.fullmatch(name) or len(name) > LONGEST_NAME:
            self.report(
                line,
                f"connection name {name!r} cannot be used; use up to {LONGEST_NAME} lower-case "
                "letters, digits and underscores, a letter first.",
            )
        if node.fields is None:
            self.report(line, f"connection {name!r} needs keys such as 'system:' and 'path:'.")
            return None
        system = self._system(name, line, node)
        if system is None:
            return None
        self._check_keys(name, line, node, SYSTEMS[system])
        values = {
            key: self._value(name, key, value, SYSTEMS[system])
            for key, _, value in node.entries()
            if key != "system"
        }
        return ConnectionConfig(name, system, {k: v for k, v in values.items() if v is not None})

    def _system(self, name: str, line: int, node: Located) -> str | None:
        given = (node.fields or {}).get("system")
        if given is None or given.text is None:
            self.report(line, f"connection {name!r} has no 'system'; add one of {_list(SYSTEMS)}.")
            return None
        if given.text not in SYSTEMS:
            self.report(
                given.line,
                f"connection {name!r} has the unknown system {given.text!r}; "
                f"use one of {_list(SYSTEMS)}.",
            )
            return None
        return given.text

    def _check_keys(self, name: str, line: int, node: Located, system: _System) -> None:
        for key, key_line, _ in node.entries():
            if key not in system.known:
                self.report(
                    key_line,
                    f"connection {name!r} has the unknown key {key!r}; "
                    f"{_nearest(key, system.known)}",
                )
        for key in sorted(system.required - set(node.fields or {})):
            self.report(line, f"connection {name!r} has no {key!r}; add it.")

    def _value(self, name: str, key: str, node: Located, system: _System) -> str | None:
        if node.text is None or not node.text.strip():
            self.report(node.line, f"{key!r} of connection {name!r} has no value; give one.")
            return None
        if (value := self._expanded(name, key, node)) is None:
            return None
        if key == "kind" and value not in KINDS:
            self.report(node.line, f"'kind' of connection {name!r} must be crm or erp.")
        if key in system.paths:
            return str((self.file.parent / Path(value).expanduser()).resolve())
        return value

    def _expanded(self, name: str, key: str, node: Located) -> str | None:
        text, environment = node.text or "", settings().environment
        missing = [v for v in _VARIABLE.findall(text) if not environment.get(v)]
        for variable in missing:
            self.report(
                node.line,
                f"{key!r} of connection {name!r} needs the environment variable {variable}, "
                "which is not set; set it.",
            )
        if missing:
            return None
        return _VARIABLE.sub(lambda match: environment[match[1]], text)


def _nearest(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, list(known), n=1)
    return f"did you mean {close[0]!r}?" if close else f"known are {_list(known)}."


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
