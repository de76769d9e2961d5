"""What dbt parsed is kept between processes, and never outlives what it was parsed from."""

import os
import ssl
from pathlib import Path

import pytest
from prefect.client import orchestration

from flows.core import dbt_project
from flows.core.clients import share_certificates
from flows.core.dbt_project import KEPT, parsed_project
from flows.core.kept import kept


class Parser:
    """Counts how often it is asked, and says so."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> dict[str, int]:
        self.calls += 1
        return {"parsed": self.calls}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "models").mkdir(parents=True)
    (folder / "models" / "one.sql").write_text("select 1")
    return folder


def _in_a_new_process(project: Path, parse: Parser) -> object:
    dbt_project._projects.clear()
    return parsed_project(project, [project.parent], parse)


def test_what_one_process_parsed_the_next_one_reads(project: Path) -> None:
    parse = Parser()
    first = _in_a_new_process(project, parse)
    assert _in_a_new_process(project, parse) == first
    assert parse.calls == 1


@pytest.mark.parametrize("change", ["edited", "touched", "added", "removed"])
def test_a_project_that_changed_is_parsed_again(project: Path, change: str) -> None:
    parse, model = Parser(), project / "models" / "one.sql"
    (project / "models" / "two.yml").write_text("models: []")
    _in_a_new_process(project, parse)
    if change == "edited":
        model.write_text("select 1, 2")
    elif change == "touched":
        os.utime(model, ns=(1, 1))
    elif change == "added":
        (project / "models" / "three.sql").write_text("select 3")
    else:
        (project / "models" / "two.yml").unlink()
    assert _in_a_new_process(project, parse) == {"parsed": 2}


def test_what_dbt_compiles_into_the_project_changes_nothing(project: Path) -> None:
    parse = Parser()
    _in_a_new_process(project, parse)
    (project / "target").mkdir()
    (project / "target" / "one.sql").write_text("select 1")
    assert _in_a_new_process(project, parse) == {"parsed": 1}


@pytest.mark.parametrize("content", [b"", b"\x80\x04nonsense"])
def test_a_copy_that_cannot_be_read_is_parsed_again(project: Path, content: bytes) -> None:
    parse, kept = Parser(), project.parent / KEPT
    _in_a_new_process(project, parse)
    stamp = kept.read_bytes().partition(b"\n")[0]
    kept.write_bytes(stamp + b"\n" + content)
    assert _in_a_new_process(project, parse) == {"parsed": 2}


def test_a_project_that_cannot_be_written_to_is_kept_in_the_next_folder(tmp_path: Path) -> None:
    unwritable, home = tmp_path / "a file, no folder", tmp_path / "home"
    unwritable.write_text("")
    made = [kept("name", "stamp", object, [unwritable / "target", home]) for _ in range(2)]
    assert type(made[1]) is object
    assert [path.name for path in home.iterdir()] == ["name"]


def test_clients_of_prefect_share_one_set_of_certificates() -> None:
    share_certificates()
    theirs = vars(orchestration)["ssl"]
    first = theirs.create_default_context(cafile=None)
    assert isinstance(first, theirs.SSLContext)
    assert first is theirs.create_default_context(cafile=None)
    assert first.verify_mode is ssl.CERT_REQUIRED
