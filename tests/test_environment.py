"""The three lists of packages agree: pyproject.toml, environment.yml and constraints.txt."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
# Packages with another name on conda-forge, and extras that are separate packages there.
CONDA_NAMES = {
    "matplotlib": ["matplotlib-base"],
    "jupyter-client": ["jupyter_client"],
    "jupyter-server": ["jupyter_server"],
    "playwright": ["playwright-python"],
    "pystac-core": ["pystac"],
    "boto3-stubs": ["boto3-stubs", "mypy-boto3-s3", "mypy_boto3_sqs"],
}
NOT_ON_CONDA = {"atheris", "axe-playwright-python"}
PYTHONS = ["3.11", "3.12", "3.13"]


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def requirements() -> list[Requirement]:
    p = project()
    return [Requirement(line) for lines in [p["dependencies"], *p["optional-dependencies"].values()] for line in lines]


def pins() -> list[Requirement]:
    return [Requirement(line) for line in (ROOT / "constraints.txt").read_text().splitlines() if line]


def conda() -> list:
    return yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]


def test_conda_lists_the_same_packages_and_limits():
    ours = {f"python{project()['requires-python']}".replace(" ", ""), "pip"}
    for r in requirements():
        if r.name in NOT_ON_CONDA:
            continue
        first, *more = CONDA_NAMES.get(r.name, [r.name])
        ours |= {f"{first}{r.specifier}", *more}
    theirs = [re.sub(r"\s", "", line) for line in conda() if isinstance(line, str)]
    assert len(theirs) == len(set(theirs))
    # the parts of 'python>=3.11,<3.14' may come in any order
    normal = {re.sub(r"^python(?=[<>]).*", "python", s) for s in (*ours, "python")}
    assert {re.sub(r"^python(?=[<>]).*", "python", s) for s in theirs} == normal
    written = next(s for s in theirs if s.startswith("python>"))
    assert Requirement(written).specifier == Requirement(f"python{project()['requires-python']}").specifier


def test_conda_installs_only_the_package_itself_with_pip():
    assert [d for d in conda() if isinstance(d, dict)] == [{"pip": ["--editable ."]}]


def test_constraints_are_pins_without_addresses():
    text = (ROOT / "constraints.txt").read_text()
    assert "://" not in text
    assert not [line for line in text.splitlines() if line.startswith("-")]
    for pin in pins():
        assert pin.url is None
        assert [s.operator for s in pin.specifier] == ["=="], str(pin)


@pytest.mark.parametrize("python", PYTHONS)
def test_every_requirement_is_pinned_once_within_its_limits(python):
    environment = {**default_environment(), "python_version": python, "python_full_version": f"{python}.99"}
    pinned: dict[str, str] = {}
    for pin in pins():
        if pin.marker is None or pin.marker.evaluate(environment):
            name = canonicalize_name(pin.name)
            assert name not in pinned, f"{name} pinned twice for Python {python}"
            pinned[name] = next(iter(pin.specifier)).version
    for requirement in requirements():
        name = canonicalize_name(requirement.name)
        assert name in pinned, f"{name}: run 'make constraints'"
        assert requirement.specifier.contains(pinned[name]), f"{requirement} but pinned at {pinned[name]}"


def test_tested_pythons_are_those_of_the_classifiers():
    supported = [c.rsplit(" ", 1)[1] for c in project()["classifiers"] if re.search(r"Python :: 3\.\d+$", c)]
    assert supported == PYTHONS
