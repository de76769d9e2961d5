"""Conventions that hold for the whole project, as tests."""

import ast
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from flows.core import errors

ROOT = Path(__file__).resolve().parents[2]
MODELS = sorted((ROOT / "dbt_project" / "models").rglob("*.sql"))
MODULES = sorted((ROOT / "flows").rglob("*.py"))
FLOW_MODULES = sorted(path for path in (ROOT / "flows").glob("*.py") if path.stem != "__init__")


def tracked_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"],  # noqa: S607 - whichever git is there
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def entry(model: Path) -> dict[str, object]:
    document = yaml.safe_load(model.with_suffix(".yml").read_text(encoding="utf-8"))
    return next(found for found in document["models"] if found["name"] == model.stem)


@pytest.mark.parametrize("model", MODELS, ids=lambda path: path.stem)
def test_every_model_has_its_yml_beside_it_with_a_description_of_every_column(model: Path) -> None:
    described = entry(model)
    assert str(described.get("description", "")).strip()
    columns = described.get("columns")
    assert columns
    undescribed = [c["name"] for c in columns if not str(c.get("description", "")).strip()]
    assert undescribed == []


@pytest.mark.parametrize(
    "model", [m for m in MODELS if m.parent.name == "marts"], ids=lambda path: path.stem
)
def test_every_mart_has_an_enforced_contract(model: Path) -> None:
    config = entry(model).get("config") or {}
    assert config.get("contract", {}).get("enforced") or _folder_enforces_contracts()


def _folder_enforces_contracts() -> bool:
    project = yaml.safe_load((ROOT / "dbt_project" / "dbt_project.yml").read_text("utf-8"))
    marts = project["models"]["concord"].get("marts", {})
    return bool(marts.get("+contract", {}).get("enforced"))


@pytest.mark.parametrize("module", FLOW_MODULES, ids=lambda path: path.stem)
def test_every_module_at_the_top_holds_a_flow_of_its_own_name(module: Path) -> None:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    flows = [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        and any("flow" in ast.dump(decorator) for decorator in node.decorator_list)
    ]
    assert module.stem in flows


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_or_function_is_too_long_to_read(module: Path) -> None:
    text = module.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    too_long = [
        node.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno > 50
    ]
    assert too_long == []


REGISTRIES = "|".join(("pyp" + "i", "npm" + "js", "deb" + "ian"))
FORBIDDEN = re.compile(
    rf"https?://[\w.-]*({REGISTRIES})[\w.-]*/|(?<![\w.])/(ro" r"ot|ho" r"me/\w+)/"
)
TEXT = {".py", ".md", ".yml", ".yaml", ".toml", ".lock", ".sql", ".json", ".csv", ""}


def test_nothing_names_a_registry_host_or_a_path_of_one_machine() -> None:
    found = [
        str(path.relative_to(ROOT))
        for path in tracked_files()
        if path.suffix in TEXT
        and FORBIDDEN.search(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert found == []


def test_no_top_level_module_of_ours_is_taken_for_a_dbt_plugin() -> None:
    assert not list(ROOT.glob("dbt_*/__init__.py"))
    assert not list(ROOT.glob("dbt_*.py"))


def test_every_error_stands_in_the_tree_of_errors_below_its_parent() -> None:
    drawn: dict[str, str] = {}
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        if found := re.match(r"([│├└─ ]*)(\w+Error)\b", line):
            depth = len(found[1]) // 4
            above[depth:] = [found[2]]
            drawn[found[2]] = above[depth - 1] if depth else "Exception"
    defined = {
        name: one.__base__.__name__
        for name, one in vars(errors).items()
        if isinstance(one, type) and issubclass(one, Exception)
    }
    assert drawn == defined


LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)")


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))], ids=lambda path: path.name
)
def test_every_link_in_the_documents_leads_to_a_file(page: Path) -> None:
    links = LINK.findall(page.read_text(encoding="utf-8"))
    broken = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert broken == []
