"""`pacifico --show-versions`."""

from importlib.metadata import version

import pytest

import pacifico
from pacifico.cli import main
from pacifico.cli.versions import versions


def test_versions_name_the_package_python_and_what_is_missing(monkeypatch):
    found = dict(versions())
    assert found["pacifico"] == pacifico.__version__
    assert found["numpy"] == version("numpy")
    monkeypatch.setattr("pacifico.cli.versions.PACKAGES", ("no-such-package",))
    assert dict(versions())["no-such-package"] == "not installed"


def test_the_option_prints_them_and_ends_well(capsys):
    with pytest.raises(SystemExit) as caught:
        main.main(["--show-versions"])
    assert caught.value.code == 0
    assert capsys.readouterr().out.startswith("pacifico ")
