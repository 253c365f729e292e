"""Text that several commands print."""

import contextlib
import io
import json
import sys

from pacifico.cli import printing
from pacifico.layout.model.headline import Answer

METRICS = {
    "asset_count": 12, "buildable_area_ha": 20.04, "site_area_ha": 36.0, "road_length_m": 1990.0, "max_road_grade_pct": 9.94,
}  # fmt: skip


def test_text_is_put_on_one_line():
    assert printing.one_line("a\n  b\tc") == "a b c"


def test_the_headline_has_all_answers_and_the_plant_in_ascii():
    answers = [Answer("earthwork", "Earthwork", "1,699 m³ (1,500–1,900)"), Answer("risks", "Largest risks", "none")]
    assert printing.headline(answers, METRICS).splitlines() == [
        "Earthwork: 1,699 m3 (1,500-1,900)",
        "Largest risks: none",
        "Plant: 12 assets on 20.0 of 36.0 ha buildable; 1.99 km of road up to 9.9 %",
    ]


def test_json_keeps_letters_outside_ascii(capsys):
    printing.print_json({"name": "Höfe"})
    out = capsys.readouterr().out
    assert "Höfe" in out
    assert json.loads(out) == {"name": "Höfe"}


def test_notes_go_to_standard_error(capsys):
    printing.print_notes(["one", "two"])
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "note: one\nnote: two\n")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_stages_are_shown_on_a_terminal_only(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with printing.StageLine() as line:
        assert line.on_stage is None
    assert sys.stderr.getvalue() == ""
    monkeypatch.setattr(sys, "stderr", Terminal())
    with printing.StageLine() as line:
        line.on_stage("placing_assets", 55, "placing assets")
        line.on_stage("completed", 100, "done")
    assert sys.stderr.getvalue() == "\r\033[K 55 % placing assets (0 s)\r\033[K100 % done (0 s)\r\033[K"


def test_the_first_compilation_is_shown_as_a_bar(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with printing.StageLine() as line:
        line.on_compile(0.25)
    assert f" 25 % compiling, first run only [{'#' * 5}{'.' * 15}]" in sys.stderr.getvalue()


def test_json_is_never_disturbed(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with printing.StageLine(quiet=True) as line:
        assert line.on_stage is None
    assert sys.stderr.getvalue() == ""


def test_the_line_is_cleared_before_an_error(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with contextlib.suppress(KeyboardInterrupt), printing.StageLine() as line:
        line.on_stage("search", 10, "placing assets")
        raise KeyboardInterrupt
    assert sys.stderr.getvalue().endswith("\r\033[K")


def test_bytes_go_to_standard_output(capfdbinary):
    printing.print_bytes("Höfe".encode())
    assert capfdbinary.readouterr().out == "Höfe".encode()
