"""Exit statuses and output of `report`, `compare` and `reproduce`, without running a notebook."""

import io
import json
from types import SimpleNamespace

import pytest

from pacifico.cli import main
from pacifico.cli.report import ask_for_network
from pacifico.report import compare, make
from pacifico.run import reproduce


@pytest.mark.parametrize(("identical", "status"), [(True, 0), (False, 1)])
def test_compare_is_1_where_reports_differ(identical, status, monkeypatch, capsys):
    class Found(SimpleNamespace):
        def __str__(self):
            return "the text"

    monkeypatch.setattr(compare, "compare", lambda _a, _b: Found(identical=identical))
    assert main.main(["compare", "a", "b"]) == status
    assert capsys.readouterr().out == "the text\n"
    assert main.main(["compare", "a", "b", "--json"]) == status
    assert json.loads(capsys.readouterr().out) == {"identical": identical, "text": "the text"}


@pytest.mark.parametrize(("verdict", "status"), [("identical", 0), ("equivalent", 0), ("different", 1)])
def test_reproduce_is_1_where_the_result_differs(verdict, status, monkeypatch):
    monkeypatch.setattr(reproduce, "reproduce", lambda _, **__: SimpleNamespace(verdict=verdict))
    assert main.main(["reproduce", "report"]) == status


@pytest.mark.parametrize(("kind", "status"), [("request", 2), ("service", 3), ("memory", 3)])
def test_a_failed_run_names_its_cause_and_its_report(kind, status, monkeypatch, tmp_path, capsys):
    outcome = SimpleNamespace(status="failed", error_kind=kind, error_message="cell 3\nfailed")
    monkeypatch.setattr(make, "make_report", lambda *_, **__: outcome)
    assert main.main(["demo", "--out", str(tmp_path / "report")]) == status
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == f"pacifico: cell 3 failed; the report up to that cell is in {tmp_path / 'report'}\n"


@pytest.mark.parametrize(
    ("terminal", "answer", "allowed"), [(True, "y\n", True), (True, "\n", False), (False, "y\n", False)]
)
def test_the_network_is_asked_for_at_a_terminal_alone(monkeypatch, capsys, terminal, answer, allowed):
    class Input(io.StringIO):
        def isatty(self):
            return terminal

    monkeypatch.setattr("sys.stdin", Input(answer))
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert ask_for_network(["3dep", "https://host/a?sig=secret\x1b[2J"]) is allowed
    said = capsys.readouterr().err
    assert ("Allow it? [y/N]" in said) is terminal
    assert "secret" not in said
    assert "\x1b" not in said
