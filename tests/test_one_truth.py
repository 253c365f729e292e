"""One truth: every view shows the same headline, that of the layout, and it is that of the bill."""

import json
import re

import nbformat
import pytest
from matplotlib.text import Text

from pacifico.cli import printing
from pacifico.explorer import panel
from pacifico.explorer.cards import Card, layout_card
from pacifico.explorer.progress import ANSWERS, result_row
from pacifico.layout.files.stored import StoredLayout
from pacifico.layout.generate import generate_layout
from pacifico.report import tables
from pacifico.report.sheet import draw_sheet
from pacifico.run import html

REQUESTS = [{"profile": "bess", "target_capacity_kw": 10_000}, {"target_capacity_kw": 90_000}]


@pytest.fixture(scope="module", params=REQUESTS, ids=["met", "short"])
def plan(request, make):
    return generate_layout(make.site(400, 400), make.dem(make.ground(make.rolling, 400, 400)), **request.param)


@pytest.fixture(scope="module")
def layout(plan):
    return json.loads(json.dumps(plan.to_geojson()))


def plain(text):
    """Letters and digits alone: views wrap lines, escape and replace letters in their own ways."""
    return re.sub(r"[^A-Za-z0-9]", "", re.sub(r"&#?\w+;", "", text).replace("³", "3"))


def sheet_text(layout):
    figure = draw_sheet(StoredLayout.of(layout), None, name="x")
    return "".join(t.get_text() for t in figure.findobj(Text))


def texts(layout):
    """Answers by name, as metrics.json holds them."""
    return {a["name"]: a["text"] for a in layout["pacifico"]["headline"]}


VIEWS = {
    "terminal": lambda plan, layout: printing.headline(plan.headline, plan.metrics),
    "report": lambda plan, layout: html.render(nbformat.v4.new_notebook(), layout, title="x"),
    "result table": lambda plan, layout: str(tables.answers(StoredLayout.of(layout))),
    "explorer": lambda plan, layout: panel.summary(layout["pacifico"]),
    "gallery card": lambda plan, layout: layout_card(Card("x", "completed", "2026-01-01T00:00"), layout).html(),
    "job table": lambda plan, layout: "".join(
        (*ANSWERS.values(), *result_row("x", {"status": "completed"}, texts(layout)))
    ),
    "plan in a notebook": lambda plan, layout: plan._repr_html_(),
    "site plan": lambda plan, layout: sheet_text(layout),
}


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_shows_every_answer(plan, layout, view):
    shown = plain(VIEWS[view](plan, layout))
    for answer in plan.headline:
        assert plain(answer.label) in shown
        assert plain(answer.text.replace("'", "")) in shown, answer


def test_the_totals_of_the_tables_are_those_of_the_headline(plan, layout):
    earthwork = next(a for a in plan.headline if a.name == "earthwork")
    rows = {row[0]: row[1] for row in tables.headline(StoredLayout.of(layout)).rows}
    for way in ("Cut", "Fill"):
        assert rows[f"{way}, with side slopes"].replace("\u202f", ",") in earthwork.text
    low, high = rows["Cut and fill together, P10 to P90"].replace("\u202f", ",").split(" to ")
    assert f"({low}–{high})" in earthwork.text


def test_the_headline_is_that_of_the_bill(plan):
    found = {answer.name: answer for answer in plan.headline}
    bill = plan.bill_of_quantities()
    earth = [line for line in bill.lines if line.item in ("cut", "fill")]
    assert found["cost"].value == pytest.approx(bill.total, abs=500.0)
    assert found["earthwork"].value == pytest.approx(sum(line.quantity for line in earth), abs=0.2)
    low, high = found["cost"].p10_p90
    assert (low, high) == pytest.approx(bill.correlated, abs=1000.0)
    watts = 1000 * found["capacity"].value
    assert f"{bill.total / watts:,.2f} USD/W" in found["cost"].text


def test_a_target_that_is_missed_is_red_in_every_picture(plan, layout):
    missed = next(answer for answer in plan.headline if answer.name == "capacity").alarm
    assert missed == (plan.target_capacity_kw == 90_000)
    report = html.render(nbformat.v4.new_notebook(), layout, title="x")
    assert ('<div class="alarm">' in report) == missed
    for view in ("explorer", "gallery card", "plan in a notebook"):
        assert ("#b3201f" in VIEWS[view](plan, layout)) == missed
