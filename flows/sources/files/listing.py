"""Which file of a folder stands for which object of a mapping, and what in it stands for none."""

from pathlib import Path

from flows.core.warehouse import connect
from flows.sources.files.format import DataFile, FileFormat
from flows.sources.files.mapping import FileMapping
from flows.sources.files.mapping_check import check_mapping


def mapped_files(folder: Path, mapping_file: Path) -> list[DataFile]:
    """Return the files of a mapping, checked first, those that others borrow values from first.

    Raises MappingError when the mapping does not fit the files or its SQL does not compile.
    """
    with connect() as connection:
        mapping = check_mapping(mapping_file, folder, connection)
    borrowed = {name for file in mapping.files for name in mapping.looked_up_by(file)}
    names = sorted(mapping.files, key=lambda name: (name not in borrowed, name))
    return [_data_file(folder, mapping, name) for name in names]


def _data_file(folder: Path, mapping: FileMapping, name: str) -> DataFile:
    lenders = mapping.looked_up_by(name)
    return DataFile(
        name=name,
        paths=(folder / mapping.files[name].path,),
        format=mapping.files[name].format,
        entities=mapping.entities_of(name),
        is_canonical=False,
        depends_on=tuple(folder / mapping.files[lender].path for lender in lenders),
    )


def unmapped_files(folder: Path, mapped: list[DataFile]) -> list[str]:
    """Return the names of data files in the folder that the mapping says nothing about."""
    known = {path.resolve() for file in mapped for path in file.paths}
    found = (path for path in sorted(folder.iterdir()) if path.is_file())
    return [one.name for one in found if FileFormat.of(one.name) and one.resolve() not in known]


def nothing_to_land(connection: str, folder: Path) -> str:
    """Say why a folder offers nothing, and what to do about it."""
    start = f"{folder} of connection {connection} holds no file to land"
    if folders := sorted(path.name for path in folder.iterdir() if path.is_dir()):
        return (
            f"{start}, but the folders {', '.join(folders[:5])}. "
            "Make one connection for each of them, or correct its 'path'."
        )
    return (
        f"{start}. Deliver files named by entity (orders.csv, accounts.jsonl), "
        "describe other files in a mapping file, or correct its 'path'."
    )
