"""How a file is written, and which file holds which object."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["csv", "jsonl", "parquet"]

SUFFIXES: dict[str, tuple[Kind, bool]] = {
    ".csv": ("csv", False),
    ".csv.gz": ("csv", True),
    ".jsonl": ("jsonl", False),
    ".jsonl.gz": ("jsonl", True),
    ".parquet": ("parquet", False),
}


@dataclass(frozen=True)
class FileFormat:
    """How the bytes of a file are to be read."""

    kind: Kind
    is_gzip: bool = False
    encoding: str = "utf-8"
    delimiter: str = ","
    header: tuple[str, ...] | None = None  # only for a file without a header line

    @classmethod
    def of(
        cls,
        name: str,
        *,
        encoding: str = "utf-8",
        delimiter: str = ",",
        header: tuple[str, ...] | None = None,
    ) -> "FileFormat | None":
        """Tell the format by the file's name; None for a name no reader knows."""
        lower = name.lower()
        for suffix in sorted(SUFFIXES, key=len, reverse=True):
            if lower.endswith(suffix):
                kind, is_gzip = SUFFIXES[suffix]
                return cls(kind, is_gzip, encoding, delimiter, header)
        return None


@dataclass(frozen=True)
class DataFile:
    """One object of a connection: its files (more than one is a fault), their format and use."""

    name: str
    paths: tuple[Path, ...]
    format: FileFormat
    entities: tuple[str, ...]
    is_canonical: bool = True
    # Files whose values its rows borrow: when one of them changes, this one is landed again.
    depends_on: tuple[Path, ...] = ()


def stem(name: str) -> str:
    """Return a file's name without the suffixes of its format, in lower case."""
    lower = name.lower()
    suffix = max((s for s in SUFFIXES if lower.endswith(s)), key=len, default="")
    return lower.removesuffix(suffix)
