"""Which file of a folder stands for which object."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from flows.core import canonical
from flows.core.errors import ConnectionsError
from flows.core.warehouse import connect
from flows.sources.connections import ConnectionConfig
from flows.sources.files.format import DataFile, FileFormat, stem
from flows.sources.files.mapping import FileMapping, nearest
from flows.sources.files.mapping_check import check_mapping


@dataclass(frozen=True)
class Listing:
    """What a folder offers, and what in it stands for nothing."""

    files: tuple[DataFile, ...]
    notes: tuple[str, ...] = ()


def list_files(config: ConnectionConfig) -> Listing:
    """Return the files of a connection, a mapping checked first where there is one.

    Raises ConnectionsError when there is no such folder, MappingError when the mapping does
    not fit the files.
    """
    folder = _folder(config)
    if mapping_file := config.options.get("mapping"):
        with connect() as connection:
            mapping = check_mapping(Path(mapping_file), folder, connection)
        return _mapped(folder, mapping)
    return _canonical(folder, config)


def _folder(config: ConnectionConfig) -> Path:
    folder = Path(config.options["path"])
    if not folder.is_dir():
        what = "is a file, not a folder" if folder.exists() else "does not exist"
        raise ConnectionsError(
            f"The folder of connection {config.name!r}, {folder}, {what}; correct its 'path'."
        )
    return folder


def _canonical(folder: Path, config: ConnectionConfig) -> Listing:
    known = {entity.name for entity in canonical.entities()}
    found: dict[str, DataFile] = {}
    notes = []
    for path in _plain_files(folder):
        name, form = stem(path.name), FileFormat.of(path.name)
        if form is None or name not in known:
            notes.append(_unknown(path, known))
        elif name in found:
            found[name] = replace(found[name], paths=(*found[name].paths, path))
        else:
            found[name] = DataFile(name, (path,), form, (name,))
    if not found:
        raise ConnectionsError(_nothing_found(folder, config, notes))
    return Listing(tuple(found[name] for name in sorted(found)), tuple(notes))


def _mapped(folder: Path, mapping: FileMapping) -> Listing:
    """Return the mapped files, those that others look values up in first."""
    borrowed = {name for file in mapping.files for name in mapping.looked_up_by(file)}
    ordered = sorted(mapping.files.values(), key=lambda file: file.name not in borrowed)
    files = tuple(
        DataFile(
            name=file.name,
            paths=(folder / file.path,),
            format=file.format,
            entities=mapping.entities_of(file.name),
            is_canonical=False,
            depends_on=tuple(
                folder / mapping.files[name].path for name in mapping.looked_up_by(file.name)
            ),
        )
        for file in ordered
        if file.format
    )
    mapped = {folder / file.path for file in mapping.files.values()}
    unmapped = [path for path in _plain_files(folder) if path not in mapped]
    notes = [
        f"{path.name} is not in the mapping and was not read; add it under 'files' to keep it."
        for path in unmapped
        if FileFormat.of(path.name)
    ]
    return Listing(files, tuple(notes))


def _plain_files(folder: Path) -> list[Path]:
    return sorted(
        path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")
    )


def _unknown(path: Path, known: Iterable[str]) -> str:
    if FileFormat.of(path.name) is None:
        return f"{path.name} was not read: its ending is none that can be read."
    return (
        f"{path.name} was not read: {stem(path.name)!r} is no canonical entity; "
        f"{nearest(stem(path.name), known)}"
    )


def _nothing_found(folder: Path, config: ConnectionConfig, notes: list[str]) -> str:
    folders = sorted(path.name for path in folder.iterdir() if path.is_dir())
    start = f"The folder of connection {config.name!r}, {folder}, holds no file of an entity"
    if folders:
        return (
            f"{start}, but the folders {', '.join(folders[:5])}; "
            "make one connection for each of them."
        )
    if notes:
        return f"{start}. {notes[0]} Rename the files, or describe them in a mapping file."
    return f"{start}: it is empty. Put the extract there, or correct 'path'."
