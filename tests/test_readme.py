"""Commands, code and links in README and CONTRIBUTING work."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = ["README.md", "CONTRIBUTING.md"]
OWN_LINK = re.compile(
    r"https://(github\.com/pacifico-layouts/pacifico/blob|raw\.githubusercontent\.com/pacifico-layouts/pacifico)/main/"
)
"""Start of an absolute link to a file of the project."""


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / page).read_text(), flags=re.MULTILINE | re.DOTALL)


def shell_lines() -> list[list[str]]:
    text = "\n".join(block for page in PAGES for block in blocks(page, "sh"))
    inline = [
        m for page in PAGES for m in re.findall(r"`((?:pacifico|make|python -m) [^`]+)`", (ROOT / page).read_text())
    ]
    return [words for line in [*text.splitlines(), *inline] if (words := shlex.split(line, comments=True))]


def help_of(*command: str) -> str:
    call = [sys.executable, "-c", "from pacifico.cli.main import main; raise SystemExit(main())", *command, "--help"]
    return subprocess.run(call, capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.mark.timeout(1800)  # on a new machine the block compiles its loops first, which may take minutes
def test_python_block_runs_anywhere(tmp_path):
    (code,) = blocks("README.md", "python")
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=1700
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 4


def test_make_targets_exist():
    makefile = (ROOT / "Makefile").read_text()
    for words in shell_lines():
        if words[0] == "make":
            target = next(w for w in words[1:] if "=" not in w)
            assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), f"make {target}"


def test_commands_and_their_options_exist():
    commands = [words[1:] for words in shell_lines() if words[0] == "pacifico"]
    assert len(commands) >= 6
    for command, *rest in commands:
        text = help_of(command)
        for option in [w for w in rest if w.startswith("--")]:
            assert re.search(rf"{option}\b", text), f"pacifico {command} has no {option}"


def test_modules_to_run_exist():
    modules = [words[2] for words in shell_lines() if words[:2] == ["python", "-m"]]
    assert "worker" in modules
    for module in modules:
        assert find_spec(f"{module}.__main__") is not None


@pytest.mark.parametrize("page", PAGES)
def test_links_and_paths_exist(page):
    text = (ROOT / page).read_text()
    targets = [target.partition("#")[0] for target in re.findall(r"\]\(([^)]+)\)", text)]
    linked = [OWN_LINK.sub("", target) for target in targets if "://" not in target or OWN_LINK.match(target)]
    named = re.findall(r"`((?:pacifico|notebooks|worker|infra|tests|\.ci)(?:/[\w./-]*)?)`", text)
    missing = [name for name in {*linked, *named} if not (ROOT / name).exists()]
    assert not missing


def test_links_of_the_readme_work_outside_the_repository():
    targets = re.findall(r"\]\(([^)]+)\)", (ROOT / "README.md").read_text())
    assert len(targets) > 4
    assert [target for target in targets if not target.startswith(("https://", "#"))] == []
