"""Pages from templates."""

from __future__ import annotations

from types import SimpleNamespace

from pacifico.server.pages.rendering import figures, moment, render, words


def test_figures_are_those_that_there_are():
    assert figures({"total_capacity_kw": 1500.0, "asset_count": 3, "road_length_m": None}) == [
        ("Capacity, AC", "1.50 MW"), ("Assets", "3")
    ]  # fmt: skip


def test_everything_is_escaped():
    problem = SimpleNamespace(title="<b>", detail="<script>alert(1)</script>", status=404, code="not_found")
    text = render("problem.html", base="/x", owner="<i>", xsrf="t", problem=problem)
    assert "<script>alert" not in text
    assert "&lt;i&gt;" in text


def test_words():
    assert (words("fetching_dem"), moment("2026-11-30T09:17:24.980Z"), moment(None)) == (
        "fetching dem",
        "2026-11-30 09:17",
        "",
    )
