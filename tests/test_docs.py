"""The pages in docs/ agree with the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pacifico.jobs.settings import ENVIRONMENT

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
SEARCHED = ("pacifico", "worker", "tests", "infra", "notebooks", ".github", ".ci", "Makefile", "conftest.py")
TEXT_FILES = {".py", ".tf", ".hcl", ".md", ".yml", ".yaml", ".ipynb", ".txt", ""}
GEOTIFF_TAGS = {"PACIFICO_CLIP"}
"""Names in files, not in the environment."""


def rows(page: str) -> list[list[str]]:
    """Cells of all table rows of a page, without heads and rules."""
    lines = [line for line in (DOCS / page).read_text().splitlines() if line.startswith("| ")]
    found = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return [cells for cells in found if cells[0] not in {"Term", "Variable"}]


def variables_in_code() -> set[str]:
    """Names of environment variables that the source files contain."""
    found: set[str] = set()
    for top in SEARCHED:
        path = ROOT / top
        for file in [path] if path.is_file() else path.rglob("*"):
            left = {"__pycache__", ".terraform", ".ipynb_checkpoints"} & set(file.parts)
            if file.is_file() and file.suffix in TEXT_FILES and not left and file != Path(__file__):
                found |= set(re.findall(r"\bPACIFICO_[A-Z0-9_]*[A-Z0-9]\b", file.read_text(errors="ignore")))
    return found - GEOTIFF_TAGS


def test_every_variable_is_in_the_table_of_settings():
    listed = [cells[0].strip("`") for cells in rows("settings.md")]
    assert len(listed) == len(set(listed))
    found = variables_in_code()
    assert not found - set(listed), f"add {sorted(found - set(listed))} to docs/settings.md"
    assert not set(listed) - found, f"remove {sorted(set(listed) - found)} from docs/settings.md: no code reads them"


@pytest.mark.parametrize("name", sorted(ENVIRONMENT))
def test_table_of_settings_has_the_default_of_the_code(name):
    """Values have code marks in the table, descriptions have none."""
    (default,) = (cells[2] for cells in rows("settings.md") if cells[0] == f"`{name}`")
    value = ENVIRONMENT[name][1]
    if " " in value:
        assert default == value
    else:
        assert default == (f"`{value}`" if value else "none")


def test_every_setting_has_a_meaning_and_a_user():
    assert all(len(cells) == 4 and all(cells) for cells in rows("settings.md"))


def test_terms_are_unique():
    terms = [cells[0] for cells in rows("nomenclature.md")]
    assert len(terms) > 100
    assert len(terms) == len(set(terms))


def test_modules_of_terms_exist():
    missing = {}
    for term, meaning, _unit, module in rows("nomenclature.md"):
        assert meaning, term
        if not (ROOT / "pacifico" / module.strip("`")).is_file():
            missing[term] = module
    assert not missing


PAGES = sorted(page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md") if "```python" in page.read_text())


@pytest.mark.parametrize("page", PAGES)
def test_python_of_a_page_runs(page, tmp_path, monkeypatch):
    """All blocks of a page, one after the other, as a reader would paste them."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(), re.DOTALL):
        exec(compile(block, page, "exec"), names)  # noqa: S102 (our own page)


def test_files_that_the_pages_name_exist():
    for page in DOCS.rglob("*.md"):
        for name in re.findall(r"`((?:pacifico|tests|infra|notebooks)/[\w/.-]*)`", page.read_text()):
            assert (ROOT / name).exists(), f"{page.name} names {name}, which does not exist"
