"""One table of hostile names, over every output that shows one."""

from __future__ import annotations

import csv
import html
import io
import json
import os
import re
import unicodedata
import xml.etree.ElementTree as ET
import zipfile

import nbformat
import pytest

from pacifico import escaping
from pacifico.cli.job_output import print_json, print_json_line, print_line, status_line
from pacifico.cli.jobs import main as jobs_main
from pacifico.cli.printing import one_line, print_notes, say
from pacifico.errors import InputError
from pacifico.explorer import panel
from pacifico.explorer.cards import Card
from pacifico.export.dxf import write_dxf
from pacifico.export.kmz import write_kmz
from pacifico.export.tables import table
from pacifico.layout.files.stored import StoredLayout
from pacifico.report.paper import drawable
from pacifico.report.tables import Table
from pacifico.report.thumbnail import thumbnail
from pacifico.run import html as page
from pacifico.run.engine import Recording, mark_failed

#: What strangers have called their sites, or made errors say.
HOSTILE = {
    "markup": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "attribute": '" onmouseover="alert(1)" x=\'',
    "end of script": "</script><!--<script>",
    "carriage return": "innocent\r\r<b onclick=alert(1)>bold</b>",
    "lines": "one\n\n<b>two</b>\x0b<i>three</i>\x0c\x85<u>four</u>\u2028<s>five</s>",
    "clear screen": "a\x1b[2J\x1b[1;31mred",
    "title of the terminal": "a\x1b]0;owned\x07b",
    "link of the terminal": "\x1b]8;;http://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "c1": "a\x9b2Jb\x9d0;owned\x9c\x90q\x9c",
    "backspaces": "rm -rf /\x08\x08\x08\x7f safe",
    "direction": "\u202egpj.exe\u2066\u200f\u061c",
    "hidden": "pay\u200bpal\ufeff\U000e0041\u00ad",
    "formula": "=cmd|'/C calc'!A0",
    "plus": "+1+1",
    "minus": "-2+3",
    "at": "@SUM(1+1)*cmd|' /C calc'!A0",
    "tab formula": "\t=1+1",
    "return formula": "\r=1+1",
    "full width": "＝1+1",
    "zero": "a\x00b",
    "surrogate": "a\ud800b",
    "mathematics": r"$\frac{1}{0}$ %%c ^J {x} {{y}} %s",
    "entity": "&lt;b&gt; &#13; &amp;",
}


@pytest.fixture
def named_layout(layout):
    """Maker of a layout in which all texts that may be free are a name."""

    def make(name):
        content = json.loads(json.dumps(layout))
        for feature in content["features"]:
            own = feature["properties"]
            own.update(
                {key: name for key in ("name", "asset_id", "road_id", "block_id") if isinstance(own.get(key), str)}
            )
            if own["kind"] == "boundary":
                own["name"] = name
        return content

    return make


names = pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)


def controls(text, keep="\n"):
    """Characters of a text that a terminal or a reader would obey."""
    return [c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") and c not in keep]


def has_no_markup(text):
    """Whether text holds no tag and no unescaped quote."""
    return not re.search(r"[<>\"']", text)


@names
def test_in_a_terminal(name, capsys):
    body = {
        "layout_id": "i",
        "status": "failed",
        "stalled": False,
        "error_message": name,
        "stage": name,
        "progress_pct": 1,
    }
    say(name)
    print_line(name)
    print_line(status_line(body))
    print_notes([name])
    print_json(body)
    print_json_line(body)
    shown = capsys.readouterr()
    assert controls(shown.out + shown.err) == []
    assert "\n" not in one_line(name)


@names
def test_json_in_a_terminal_is_the_same_json(name):
    for ascii_only in (False, True):
        text = escaping.for_json({"name": name}, ascii_only=ascii_only)
        assert json.loads(text) == {"name": name}
        assert controls(text, keep="") == []


@names
def test_an_error_on_the_command_line(name, capsys, monkeypatch):
    def refuse(*_, **__):
        raise InputError(name)

    monkeypatch.setattr("pacifico.jobs.client.JobClient.__init__", refuse)
    assert jobs_main(["jobs", "list"]) == 2
    assert jobs_main(["jobs", "list", "--json"]) == 2
    shown = capsys.readouterr()
    assert controls(shown.out + shown.err) == []
    assert shown.err.count("\n") == shown.out.count("\n") == 1


@names
def test_in_markup(name):
    shown = escaping.for_markup(name)
    assert has_no_markup(shown)
    assert controls(shown, keep="\n\t") == []
    element = ET.fromstring(f'<a b="{shown}">{shown}</a>')
    assert element.text == escaping.visible(name, keep="\t\n")


@names
def test_in_tables_cards_and_panels(name):
    pieces = [
        Table((name,), ((name,),))._repr_html_(),
        Table((), (), empty=name)._repr_html_(),
        Card("i", "failed", "2026", title=name, design=name, figures=((name, name),), note=name).html(),
        panel.problem(name),
    ]
    for piece in pieces:
        assert not re.search(r"<(script|img|b onclick|i>|u>|s>)", piece)
        assert 'onmouseover="' not in piece
        assert controls(piece, keep="\n\t") == []


@names
def test_on_the_page_of_a_report(name, named_layout):
    v4 = nbformat.v4
    outputs = [
        v4.new_output("stream", name="stdout", text=name),
        v4.new_output("display_data", {"text/plain": name}),
        v4.new_output("display_data", {"image/png": "AAAA", "text/plain": name}),
        v4.new_output("error", ename="E", evalue=name, traceback=[name]),
    ]
    text = page.render(v4.new_notebook(cells=[v4.new_code_cell("", outputs=outputs)]), named_layout(name), title=name)
    shown = re.sub(r"<(script|style)[^>]*>.*?</\1>", "", text, flags=re.DOTALL)
    assert not re.search(r"<(script|img src=x|b onclick|b>two|i>three|u>four|s>five)", shown)
    assert 'onmouseover="' not in shown
    assert controls(shown, keep="\n\t") == []
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)[1]
    assert "<" not in data
    first = json.loads(data)["layout"]["features"][0]["properties"]["name"]
    assert first == escaping.visible(name)


@names
def test_in_the_note_of_a_failed_run(name, tmp_path):
    v4 = nbformat.v4
    path = tmp_path / "report.ipynb"
    nbformat.write(v4.new_notebook(cells=[v4.new_code_cell("")]), path)
    mark_failed(path, Recording(None, "t", print), error_name=name, error_message=name, remedy="Nothing.")
    text = page.render(nbformat.read(path, as_version=4), None, title="t")
    assert not re.search(r"<(script>a|img src=x|b onclick|b>|i>three|u>four|s>five)", text)
    assert controls(text, keep="\n\t") == []


@names
def test_in_a_table_of_numbers(name, named_layout):
    rows = list(csv.reader(io.StringIO(table(StoredLayout.of(named_layout(name)), "asset"))))
    cells = [cell for row in rows for cell in row]
    for cell in [*cells, escaping.for_csv(name), escaping.for_csv([name, name])]:
        assert controls(cell, keep="") == []
        assert re.fullmatch(r"-?[\d.]+(e-?\d+)?", cell) or not cell.startswith(("=", "+", "-", "@", "＝", "\t", "\r"))
    assert {len(row) for row in rows} == {len(rows[0])}


def test_numbers_and_gaps_are_no_formulas():
    assert [escaping.for_csv(v) for v in (None, -1.5, True, ["a", 1])] == ["", "-1.5", "true", "a, 1"]


@names
def test_in_pictures(name, named_layout):
    picture = thumbnail(named_layout(name))
    assert ET.fromstring(picture)[0].text == (escaping.visible(name, keep="\t\n") or None)
    assert controls(picture, keep="\n\t") == []


@names
def test_on_the_drawn_sheet(name):
    shown = drawable(name)
    assert controls(shown, keep="") == []
    assert len(shown) <= 200


@names
def test_in_files_for_other_programs(name, named_layout, tmp_path):
    layout = named_layout(name)
    with zipfile.ZipFile(write_kmz(layout, tmp_path / "a.kmz")) as archive:
        text = archive.read("doc.kml").decode()
    ET.fromstring(text)
    assert "<script" not in text
    assert controls(text) == []
    drawn = write_dxf(layout, tmp_path / "a.dxf").read_text(encoding="utf-8", errors="surrogatepass")
    assert controls(drawn, keep="\n\r") == []


def test_letters_that_join_and_ordinary_text_stay():
    for text in ("é 東京 ²", "می\u200cخواهم", "👩\u200d🌾", "a-b_c (d) [e] {f} 100 %"):
        assert escaping.visible(text) == text
        assert escaping.for_terminal(text) == text
    assert html.unescape(escaping.for_markup("a < b & 'c'")) == "a < b & 'c'"


def test_colours_of_a_cells_output_stay():
    shown = escaping.for_html_output("\x1b[1;31mred\x1b[0m \x1b[2J", lambda text: text)
    assert shown == "\x1b[1;31mred\x1b[0m \\x1b[2J"


def test_data_in_a_script_can_not_end_it():
    for name in HOSTILE.values():
        text = escaping.for_script({"name": name})
        assert not re.search("[<>&\u2028\u2029]", text)
        assert json.loads(text) == {"name": name}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\r\nb\tc", "a b c"),
        ("\x00\x1ba\x7f", "a"),
        ("a\u202eb\u200b", "ab"),
        ("a\ud800b", "a b"),
        ("  a  b ", "a b"),
        ("é 東京 ²", "é 東京 ²"),
        ("x" * 201, "x" * 199 + "…"),
        ("x" * 200, "x" * 200),
        (None, "None"),
    ],
)
def test_text_is_one_line_without_control_characters(text, line):
    assert escaping.single_line(text) == line


def test_gdal_gets_the_bytes_of_a_name_as_utf_8():
    assert escaping.for_gdal("größe.tif") == "größe.tif"
    assert escaping.for_gdal(b"gr\xf6sse.tif".decode("utf-8", "surrogateescape")) == "gr\ufffdsse.tif"


# exact results


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ~ text", "plain ~ text"),
        ("", ""),
        ("Straße 東京", "Straße 東京"),
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("a\nb\tc", "a\\nb\\tc"),
        ("\u202ea\u2028\ud800", "\\u202ea\\u2028\\ud800"),
        ("می\u200cخواهم", "می\u200cخواهم"),  # Persian needs its joiners
        ("👩\u200d🚀", "👩\u200d🚀"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_hidden_characters_are_shown_as_escapes_and_all_others_stay(text, shown):
    assert escaping.visible(text) == shown


def test_characters_to_keep_are_kept():
    assert escaping.visible("a\nb\x1b", keep="\n") == "a\nb\\x1b"
    assert escaping.visible(7) == "7"


def test_text_for_a_terminal_is_on_one_line_unless_lines_are_asked_for():
    assert escaping.for_terminal(" a\r\n b\tc\x07 ") == "a b c\\x07"
    assert escaping.for_terminal("a\r\n b\rc", lines=True) == "a\n b\\rc"


def test_markup_is_escaped_within_quotes_too():
    assert escaping.for_markup("<a b='c' d=\"e\">&\n\x1b") == "&lt;a b=&#x27;c&#x27; d=&quot;e&quot;&gt;&amp;\n\\x1b"


def test_colours_of_a_cells_output_stay_and_other_controls_do_not():
    seen = escaping.for_html_output("a\x1b[31mb\x1b[0m\x1b[2J\r\nc\x08", lambda text: text)
    assert seen == "a\x1b[31mb\x1b[0m\\x1b[2J\nc\\x08"


def test_a_block_of_markdown_is_indented_line_by_line():
    assert escaping.for_markdown_block("a\r\n# b\x1b\n") == "    a\n    # b\\x1b\n    "


def test_json_in_a_script_cannot_end_it():
    text = escaping.for_script({"a": "</script>&\u2028é", "b": [1, 2]})
    assert text == '{"a":"\\u003c/script\\u003e\\u0026\\u2028é","b":[1,2]}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        escaping.for_script(float("nan"))


def test_json_for_a_terminal_escapes_hidden_characters_as_json():
    assert escaping.for_json({"a": "b"}) == '{"a": "b"}'
    text = escaping.for_json({"a": "é\u202e\U000e0041\x1b"}, indent=1)
    assert text == '{\n "a": "é\\u202e\\udb40\\udc41\\u001b"\n}'
    assert json.loads(text) == {"a": "é\u202e\U000e0041\x1b"}
    assert escaping.for_json("é", ascii_only=True) == '"\\u00e9"'
    assert escaping.for_json("é") == '"é"'


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        (True, "true"),
        (False, "false"),
        (3, "3"),
        (-2.5, "-2.5"),
        (["a", 2], "a, 2"),
        (["=a"], "'=a"),
        ("a b\nc", "a b c"),
        ("-1", "'-1"),
        ("x" * 4000, "x" * 4000),
        ("x" * 4001, "x" * 3999 + "…"),
    ],
)
def test_cells_of_a_table(value, cell):
    assert escaping.for_csv(value) == cell


@pytest.mark.parametrize(
    ("text", "options", "line"),
    [
        ("x" * 200, {}, "x" * 200),
        ("x" * 201, {}, "x" * 199 + "…"),
        ("abc def", {"most": 7}, "abc def"),
        ("abc def", {"most": 6}, "abc d…"),
        ("abc def", {"most": 5}, "abc…"),
        (" a\x00b\u200b\u202ec \n d", {}, "a bc d"),
    ],
)
def test_text_on_one_line_is_cut_with_an_ellipsis(text, options, line):
    assert escaping.single_line(text, **options) == line


def test_a_file_name_that_is_no_utf8_is_given_to_gdal_with_a_mark():
    assert escaping.for_gdal(os.fsdecode(b"a\xff.tif")) == "a\ufffd.tif"
    assert escaping.for_gdal("ü.tif") == "ü.tif"


def test_a_path_of_a_utf_8_file_names_the_same_bytes():
    assert os.fsencode(escaping.as_path("größe.kml")) == "größe.kml".encode()
    assert escaping.decoded(escaping.as_path("größe.kml")) == "größe.kml"


def test_bytes_that_the_locale_can_not_decode_are_read_as_utf_8():
    assert escaping.decoded("plain größe") == "plain größe"
    assert escaping.decoded("gr\udcc3\udcb6\udcc3\udc9fe") == "größe"
    assert escaping.decoded("caf\udce9") == "caf\ufffd"
    assert escaping.decoded("\ud800x\udfff") == "\ufffdx\ufffd"
