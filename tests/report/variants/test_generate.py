"""Variants: figures by hand, who wins and who is dominated, processes that die, the folder and the command."""

import csv
import json
import os
import re
import signal
import subprocess
import sys

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from pacifico.errors import InputError, NoBuildableGroundError, OutsideServiceError
from pacifico.report.variants import generate_variants, measure, process
from pacifico.site.model import Site
from pacifico.terrain.dem import level_ground


def row(placed=1000.0, road=500.0, earth=100.0, density=300.0):
    return {"placed_kw": placed, "road_length_m": road, "earthwork_m3": earth, "kw_per_ha": density}


def winners(rows):
    return {b.measure: b.strategy for b in measure.best_of(rows)}


def test_figures_of_a_layout_made_by_hand(layout):
    """Two assets 300 m apart: their surroundings are two rectangles with rounded corners."""
    found = measure.row_of(layout)
    corners = 3.14159265 * 25**2
    array, substation = 80 * 60 + 2 * 25 * (80 + 60) + corners, 36 * 36 + 4 * 25 * 36 + corners
    assert found["surroundings_ha"] == pytest.approx((array + substation) / 1e4, rel=2e-3)  # arcs of 8 segments
    assert found["kw_per_ha"] == pytest.approx(500 / found["surroundings_ha"], rel=1e-3)
    assert (found["placed_kw"], found["earthwork_m3"], found["unplaced_count"]) == (500.0, 220.0, 1)
    assert (found["earthwork_p10_m3"], found["earthwork_p90_m3"]) == (200.0, 260.0)


def test_the_best_of_each_measure_wins_by_what_it_says():
    rows = {"balanced": row(), "clustered": row(road=400.0), "density": row(density=330.0, earth=120.0)}
    found = {b.measure: b for b in measure.best_of(rows)}
    assert found["road_length_m"].strategy == "clustered"
    assert found["road_length_m"].margin_pct == 20.0
    assert found["kw_per_ha"].strategy == "density"
    assert found["kw_per_ha"].value == 330.0
    assert found["earthwork_m3"].strategy is None  # balanced and clustered: a tie is no win
    assert found["earthwork_m3"].note == "a tie of balanced and clustered"


def test_less_placed_is_not_compared():
    """1 % less is equal, more is not: a layout with little on it wins nothing."""
    rows = {
        "balanced": row(),
        "low_earthwork": row(placed=980.0, earth=1.0, road=1.0),
        "density": row(placed=990.0, road=450.0),
    }
    assert winners(rows)["road_length_m"] == "density"
    assert winners(rows)["earthwork_m3"] is None
    alone = {"balanced": row(), "density": row(placed=900.0, road=1.0)}
    assert winners(alone) == dict.fromkeys(("kw_per_ha", "road_length_m", "earthwork_m3"))
    assert "no other variant places within 1% of balanced" in measure.best_of(alone)[0].note


def test_cost_and_cable_count_where_they_are_told():
    rows = {"balanced": row() | {"cable_length_m": 900.0}, "density": row() | {"cable_length_m": 800.0}}
    assert winners(rows)["cable_length_m"] == "density"
    assert "cost_usd" not in winners(rows)


def test_cost_is_that_of_the_bill(variants):
    from pacifico.analysis.costs import bill

    for name, plan in variants.plans.items():
        assert variants.rows[name]["cost_usd"] == round(bill(plan).total)
        assert (
            variants.rows[name]["cost_low_usd"] < variants.rows[name]["cost_usd"] < variants.rows[name]["cost_high_usd"]
        )
    assert "cost_usd" in winners(variants.rows)


def test_dominated_is_worse_or_equal_in_all():
    rows = {
        "a": row(),
        "b": row(road=400.0),
        "c": row(density=310.0, road=600.0),
        "d": row(placed=500.0, road=1.0, earth=1.0),
    }
    assert measure.dominated_by(rows) == {"a": ("b",), "b": (), "c": (), "d": ()}
    assert measure.dominated_by({"a": row(), "b": row()}) == {"a": (), "b": ()}


@given(st.lists(st.tuples(*[st.integers(1, 6)] * 4), min_size=1, max_size=6))
def test_some_variant_is_always_undominated_and_none_dominates_itself(figures):
    rows = {str(k): row(990.0 + p, r, e, d) for k, (p, r, e, d) in enumerate(figures)}
    by = measure.dominated_by(rows)
    assert any(not others for others in by.values())
    for name, others in by.items():
        assert name not in others
        for other in others:
            assert rows[other]["road_length_m"] <= rows[name]["road_length_m"]
            assert rows[other]["earthwork_m3"] <= rows[name]["earthwork_m3"]
            assert rows[other]["kw_per_ha"] >= rows[name]["kw_per_ha"]


@pytest.fixture(scope="module")
def field():
    from pacifico.crs import utm

    site = Site("square <b>field</b>", utm(-93.0, 42.0), shapely.box(500_000, 4_600_000, 500_420, 4_600_420))
    return site, level_ground(site, resolution_m=10.0)


@pytest.fixture(scope="module")
def variants(field):
    return generate_variants(*field, strategies=("density", "clustered"), target_capacity_kw=1500)


def test_each_is_the_plan_that_the_engine_makes_alone(field, variants):
    from pacifico.layout.generate import generate_layout

    assert list(variants.plans) == ["density", "clustered"]
    alone = generate_layout(*field, strategy="clustered", target_capacity_kw=1500)
    assert json.dumps(variants.plans["clustered"].to_geojson()) == json.dumps(alone.to_geojson())
    assert variants.failures == ()
    assert variants.table.loc["clustered", "road_length_m"] == alone.metrics["road_length_m"]
    assert list(variants.table.index) == ["density", "clustered"]


def test_a_process_that_dies_is_told_and_the_others_stand(field, monkeypatch):
    start = process._start

    def one_dies(folder, strategy):
        if strategy != "density":
            return start(folder, strategy)
        with (folder / "density.err").open("wb") as err:
            code = "import sys, os; print('out of memory, say', file=sys.stderr, flush=True); os.kill(os.getpid(), 9)"
            return subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stderr=err)

    monkeypatch.setattr(process, "_start", one_dies)
    found = generate_variants(*field, strategies=("density", "balanced"), target_capacity_kw=1500, processes=1)
    assert list(found.plans) == ["balanced"]
    (lost,) = found.failures
    assert lost.lost
    assert "signal 9: out of memory, say" in lost.message
    assert found.short
    with pytest.raises(OutsideServiceError, match="no variant was made: density: its process ended with signal 9"):
        generate_variants(*field, strategies=("density",))


def test_a_child_ends_with_its_parent(field, tmp_path):
    """A child whose parent is gone closes nothing and waits for nobody."""
    reader, writer = os.pipe()
    code = (
        "import time, threading\nfrom pacifico.report.variants import child\n"
        "threading.Thread(target=child._end_with_parent, daemon=True).start()\ntime.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdin=reader)
    os.close(reader)
    os.close(writer)
    assert child.wait(timeout=60) == 1


def test_bad_input_is_said_as_the_engine_says_it(field):
    with pytest.raises(InputError, match="strategy 'fast' is unknown"):
        generate_variants(*field, strategies=("fast",))
    with pytest.raises(InputError, match=r"road\.max_grade_pct = 99"):
        generate_variants(*field, strategies=("density",), max_road_grade_pct=99)
    with pytest.raises(NoBuildableGroundError):
        generate_variants(*field, strategies=("density",), setback_m=400)


def test_the_folder_holds_all_and_says_the_same_twice(variants, tmp_path):
    out = tmp_path / "deep" / "out"
    page = variants.write(out)
    first = {p.relative_to(out).as_posix(): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}
    assert set(first) == {
        "clustered/layout.geojson", "comparison.csv", "comparison.json", "density/layout.geojson", "index.html",
    }  # fmt: skip
    variants.write(out)
    assert {p.relative_to(out).as_posix(): p.read_bytes() for p in out.rglob("*") if p.is_file()} == first
    assert [p.name for p in out.parent.iterdir()] == ["out"]
    told = json.loads(first["comparison.json"])
    rows = list(csv.DictReader(first["comparison.csv"].decode().splitlines()))
    assert [r["strategy"] for r in rows] == ["density", "clustered"]
    assert float(rows[0]["road_length_m"]) == told["variants"]["density"]["road_length_m"]
    text = page.read_text(encoding="utf-8")
    assert "square &lt;b&gt;field" in text
    assert not re.findall(r"(?:src|href)=[\"'](?!data:|density/|clustered/)", text)
    assert "default-src 'none'" in text


def test_a_folder_of_others_is_left_alone(variants, tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(InputError, match="is not empty and holds no comparison"):
        variants.write(tmp_path)
    variants.write(tmp_path / "ours")
    (tmp_path / "ours" / "letter.txt").write_text("dear")
    with pytest.raises(InputError, match="is not empty"):
        variants.write(tmp_path / "ours")
    with pytest.raises(InputError, match="is not a folder"):
        variants.write(tmp_path / "letter.txt")
    assert (tmp_path / "letter.txt").read_text() == "dear"


def test_figures_draw_what_there_is(variants):
    assert len(variants.front_figure().axes) == 2
    assert len(variants.maps_figure().axes) == 2


@pytest.fixture
def boundary(field, tmp_path):
    from pacifico.site.written import site_geojson

    path = tmp_path / "site.geojson"
    path.write_bytes(site_geojson(field[0]))
    return path


def command(capsys, *words):
    from pacifico.cli.main import main

    try:
        status = main(["variants", *map(str, words)])
    except SystemExit as error:
        status = error.code
    said = capsys.readouterr()
    return status, said.out, said.err


def test_the_command_writes_and_says(boundary, tmp_path, capsys):
    out = tmp_path / "out"
    status, said, err = command(
        capsys, boundary, "--no-terrain", "--strategies", "density,clustered", "--capacity-kw", 1500, "--out", out
    )
    assert status == 0, err
    assert said.splitlines()[0].split()[:2] == ["placed", "[MW]"]
    assert f"written: {out / 'index.html'}" in said
    status, said, err = command(
        capsys, boundary, "--no-terrain", "--strategies", "density", "--capacity-kw", 90_000, "--out", out, "--json"
    )
    assert status == 1
    assert list(json.loads(said)["variants"]) == ["density"]
    assert not (out / "clustered").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--strategy", "density"], "leave 'density' out for all of them"),
        (["--strategies", "density,quick"], "'quick' is unknown"),
        (["--processes", "0"], "give 1 to 64"),
        (["--setback-m", "900"], "no buildable ground"),
    ],
)
def test_wrong_use_is_one_line_and_writes_nothing(boundary, tmp_path, capsys, words, said):
    status, out, err = command(
        capsys, boundary, "--no-terrain", *(["--strategies", "density"] if "--setback-m" in words else []), *words,
        "--out", tmp_path / "out",
    )  # fmt: skip
    assert status == 2
    assert out == ""
    assert len(err.strip().splitlines()) == 1
    assert said in err
    assert not (tmp_path / "out").exists()


def test_a_target_that_can_not_be_written_is_refused_first(boundary, capsys):
    status, _, err = command(capsys, boundary, "--no-terrain", "--out", "/proc/variants")
    assert status == 2
    assert "nothing can be written in /proc" in err


@pytest.mark.slow
def test_reports_of_each_stand_in_the_folder(boundary, tmp_path, capsys):
    out = tmp_path / "out"
    words = [boundary, "--no-terrain", "--strategies", "density,clustered", "--capacity-kw", 1500, "--out", out]
    assert command(capsys, *words)[0] == 0
    plain = {s: (out / s / "layout.geojson").read_bytes() for s in ("density", "clustered")}
    assert command(capsys, *words, "--reports")[0] == 0
    for strategy, layout in plain.items():
        assert (out / strategy / "layout.geojson").read_bytes() == layout
        assert (out / strategy / "manifest.json").is_file()
    assert 'href="density/report.html"' in (out / "index.html").read_text(encoding="utf-8")


def test_an_interrupt_leaves_no_process(field, monkeypatch):
    started = []
    start = process._start

    def watched(folder, strategy):
        started.append(start(folder, strategy))
        return started[-1]

    monkeypatch.setattr(process, "_start", watched)

    def stop(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(process.time, "sleep", stop)
    with pytest.raises(KeyboardInterrupt):
        generate_variants(*field, strategies=("density", "balanced"), processes=2)
    assert [p.returncode for p in started] == [-signal.SIGKILL] * 2
