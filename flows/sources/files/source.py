"""The `files` source: a folder of extracts, canonical or described by a mapping file."""

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from flows.core import canonical
from flows.core.errors import SourceFileError
from flows.sources.connections import ConnectionConfig
from flows.sources.contract import Chunk, Cursor, SourceObject
from flows.sources.files.csv_records import CsvRecords
from flows.sources.files.format import DataFile, FileFormat, stem
from flows.sources.files.json_lines import EMPTY, JsonLines
from flows.sources.files.listing import mapped_files, nothing_to_land, unmapped_files
from flows.sources.files.parquet import Parquet
from flows.sources.files.stream import HashedFile, unpacked

Records = JsonLines | CsvRecords | Parquet


class FilesSource:
    """Every file of a folder that can hold rows, one object each, ordered by name."""

    def __init__(self, config: ConnectionConfig) -> None:
        self._folder = Path(config.options["path"])
        if not self._folder.is_dir():
            raise SourceFileError(
                f"Connection {config.name} reads {self._folder}, which is no folder. "
                "Correct its 'path', or deliver the files there."
            )
        mapping = config.options.get("mapping")
        found = mapped_files(self._folder, Path(mapping)) if mapping else self._canonical()
        self._files = {file.name: file for file in found}
        self.unmapped = unmapped_files(self._folder, found) if mapping else []
        if not self._files:
            raise SourceFileError(nothing_to_land(config.name, self._folder))

    def objects(self) -> Sequence[SourceObject]:
        """Return the files by name of their object, those others borrow from first."""
        return [
            SourceObject(file.name, self._origin(file), file.entities, file.is_canonical)
            for file in self._files.values()
        ]

    def cursor(self, name: str) -> Cursor:
        """Return what the file system knows of the object's files, and how they are read."""
        file = self._files[name]
        form = {key: list(v) if isinstance(v, tuple) else v for key, v in vars(file.format).items()}
        paths = (*file.paths, *file.depends_on)
        return {"files": [_stat(path) for path in paths], "format": form}

    @contextmanager
    def read(self, name: str) -> Iterator["FileReading"]:
        """Open the object's file; raises SourceFileError when there is not exactly one to read."""
        file = self._files[name]
        self._refuse(file)
        path = file.paths[0]
        try:
            hashed = HashedFile(path)
        except OSError as error:
            raise SourceFileError(
                f"The file cannot be opened ({error.strerror}). Correct its permissions."
            ) from error
        with hashed:
            yield FileReading(path, file.format, hashed, file.depends_on)

    def _origin(self, file: DataFile) -> str:
        return ", ".join(os.path.relpath(path, self._folder) for path in file.paths)

    def _refuse(self, file: DataFile) -> None:
        if len(file.paths) > 1:
            raise SourceFileError(
                f"Both {' and '.join(path.name for path in file.paths)} are there for "
                f"{file.name}. Nothing of them was landed; keep one."
            )
        if not file.entities and file.is_canonical:
            raise SourceFileError(
                f"{file.name} is no canonical entity. Name the file after one, describe it in a "
                "mapping file, or take it out of the folder."
            )

    def _canonical(self) -> list[DataFile]:
        names = {entity.name for entity in canonical.entities()}
        paths: dict[str, list[Path]] = defaultdict(list)
        for path in sorted(self._folder.iterdir()):
            if path.is_file() and not path.name.startswith(".") and FileFormat.of(path.name):
                paths[stem(path.name)].append(path)
        return [
            DataFile(name, tuple(found), form, (name,) if name in names else ())
            for name, found in sorted(paths.items())
            if (form := FileFormat.of(found[0].name))
        ]


class FileReading:
    """One pass over one file."""

    def __init__(
        self, path: Path, form: FileFormat, file: HashedFile, depends_on: Sequence[Path] = ()
    ) -> None:
        self._path = path
        self._depends_on = depends_on
        self._file = file
        self._before = _stat(path)
        self._records = _records(path, form, file)
        self.content_hash: str | None = None

    @property
    def columns(self) -> tuple[str, ...] | None:
        """The header's columns, None for a file whose rows each name their own."""
        return self._records.columns

    @property
    def record_count(self) -> int:
        """How many records the file holds, counted on its bytes."""
        return self._records.record_count

    @property
    def bytes_done(self) -> int:
        """How much of the file is read."""
        return self._file.position

    @property
    def bytes_total(self) -> int:
        """How large the file is."""
        return self._file.size

    def chunks(self) -> Iterator[Chunk]:
        """Yield all records; raises SourceFileError for a fault of the whole file."""
        if self._file.size == 0:
            raise SourceFileError(EMPTY)
        yield from self._records.chunks()
        self.content_hash = _with_borrowed(self._file.content_hash(), self._depends_on)
        if _stat(self._path) != self._before:
            raise SourceFileError(
                "The file changed while it was read. Nothing of it was landed; "
                "run again once it is complete."
            )


def _records(path: Path, form: FileFormat, file: HashedFile) -> Records:
    if form.kind == "parquet":
        return Parquet(path)
    stream = unpacked(file, is_gzip=form.is_gzip, encoding=form.encoding)
    return CsvRecords(stream, form) if form.kind == "csv" else JsonLines(stream)


def _with_borrowed(content_hash: str, depends_on: Sequence[Path]) -> str:
    """Return a hash that also changes when a file changes whose values the rows borrow."""
    if not depends_on:
        return content_hash
    combined = hashlib.sha256(content_hash.encode())
    for path in depends_on:
        with path.open("rb") as lender:
            combined.update(hashlib.file_digest(lender, "sha256").digest())
    return combined.hexdigest()


def _stat(path: Path) -> dict[str, object]:
    found = path.stat()
    return {
        "path": path.name,
        "size": found.st_size,
        "mtime_ns": found.st_mtime_ns,
        "ctime_ns": found.st_ctime_ns,
        "inode": found.st_ino,
    }
