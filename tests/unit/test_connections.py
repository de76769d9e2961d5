"""What connections.yaml may say, and what is said about its mistakes."""

from pathlib import Path

import pytest

from flows.core.errors import ConnectionsError
from flows.core.settings import settings
from flows.sources.connections import load_connections


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "connections.yaml"


def problems(file: Path, text: str) -> list[str]:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConnectionsError) as raised:
        load_connections(file)
    return str(raised.value).splitlines()


def test_paths_count_from_the_connections_file(file: Path) -> None:
    file.write_text(
        "connections:\n"
        "  crm: {system: files, path: extracts/crm}\n"
        "  erp: {system: files, path: ../erp, mapping: m.yml, kind: erp}\n",
        encoding="utf-8",
    )
    found = load_connections(file)

    assert list(found) == ["crm", "erp"]
    assert found["crm"].options == {"path": str(file.parent / "extracts" / "crm")}
    assert found["erp"].options["path"] == str(file.parent.parent / "erp")
    assert found["erp"].options["mapping"] == str(file.parent / "m.yml")
    assert found["crm"].kind is None
    assert found["erp"].kind == "erp"


def test_variables_come_from_the_environment_and_never_show(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_FOLDER", "hunter2")
    settings.cache_clear()
    file.write_text("connections: {crm: {system: files, path: '${SECRET_FOLDER}/x'}}")

    config = load_connections(file)["crm"]
    settings.cache_clear()

    assert config.options["path"].endswith("hunter2/x")
    assert "hunter2" not in repr(config)


def test_an_unset_variable_is_named_with_its_line(file: Path) -> None:
    text = "connections:\n  crm:\n    system: files\n    path: ${NOBODY_SET_THIS}\n"
    expected = (
        f"{file}, line 4: 'path' of connection 'crm' needs the environment variable "
        "NOBODY_SET_THIS, which is not set; set it."
    )
    assert problems(file, text) == [expected]


def test_a_secret_value_does_not_show_in_errors(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "hunter2")
    settings.cache_clear()
    found = problems(file, "connections: {crm: {system: files, kind: '${SECRET}', paht: x}}")
    settings.cache_clear()

    assert len(found) == 3
    assert "hunter2" not in "".join(found)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("connections:\n  CRM: {system: files, path: x}\n", 2, "lower-case"),
        ("connections:\n  crm:\n    system: filse\n", 3, "use one of business_central, files"),
        ("connections:\n  crm: {path: x}\n", 2, "has no 'system'"),
        ("connections:\n  crm: {system: files}\n", 2, "has no 'path'"),
        (
            "connections:\n  crm:\n    system: files\n    path: x\n    mappnig: y\n",
            5,
            "did you mean 'mapping'",
        ),
        ("connections:\n  crm: {system: files, path: x, kind: shop}\n", 2, "crm or erp"),
        ("connections:\n  crm:\n    system: files\n    path:\n", 4, "has no value"),
        ("connections:\n  crm: files\n", 2, "needs keys"),
        ("connection:\n  crm: {}\n", 1, "did you mean 'connections'"),
        ("connections:\n", 1, "there is no connection"),
        ("connections: [\n", 2, "not YAML"),
        (
            "connections:\n  a: {system: files, path: x}\n  a: {system: files, path: y}\n",
            3,
            "second time",
        ),
    ],
)
def test_a_mistake_is_named_with_its_line(file: Path, text: str, line: int, words: str) -> None:
    assert any(f"line {line}: " in found and words in found for found in problems(file, text))


def test_a_missing_file_says_what_to_copy(file: Path) -> None:
    with pytest.raises(ConnectionsError, match=r"connections\.example\.yaml"):
        load_connections(file)


def test_the_example_can_be_copied_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    example = settings().project_root / "connections.example.yaml"
    monkeypatch.setenv("ERP_EXTRACTS", "extracts/erp")
    settings.cache_clear()
    found = load_connections(example)
    settings.cache_clear()

    assert list(found) == ["crm", "erp"]
