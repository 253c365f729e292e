"""Tables of rows and piles, and piles.csv."""

import csv
import io
import math

import numpy as np
import pytest

from pacifico.errors import InputError
from pacifico.layout.add_racking import add_racking
from pacifico.layout.generate import generate_layout
from pacifico.layout.racking.tables import PILE_COLUMNS, piles_csv


@pytest.fixture(scope="module")
def dem(make):
    return make.dem(make.ground(lambda x, y: 100 + 0.02 * x + 1.2 * np.sin(x / 31.0) * np.cos(y / 17.0)))


@pytest.fixture(scope="module")
def bare(make, dem):
    return generate_layout(make.site(), dem, target_capacity_kw=2000)


@pytest.fixture(scope="module")
def plan(bare, dem):
    return add_racking(bare, dem)


def test_rows_are_known_without_ground_and_have_heights_with_it(bare, plan):
    before, after = bare.rows, plan.rows
    assert list(before.columns) == ["array", "row", "piles", "length_m", "start_m", "end_m", "geometry"]
    assert before[["array", "row", "piles"]].equals(after[["array", "row", "piles"]])
    assert before["start_m"].isna().all()
    assert after.geometry.has_z.all()
    assert after["piles"].sum() == len(plan.piles) == plan.metrics["pile_count"]
    assert after.crs == plan.crs


def test_piles_without_a_design_are_refused(bare):
    with pytest.raises(InputError, match=r"design them with pacifico\.add_racking"):
        _ = bare.piles


def test_piles_csv_holds_every_pile_and_adds_up(plan, tmp_path):
    lines = list(csv.DictReader(io.StringIO(piles_csv(plan))))
    assert tuple(lines[0]) == PILE_COLUMNS
    assert len(lines) == plan.metrics["pile_count"]
    for r in lines[:50]:
        v = {k: float(r[k]) for k in PILE_COLUMNS[3:]}
        assert v["top_m"] - v["graded_ground_m"] == pytest.approx(v["reveal_m"], abs=2e-4)
        assert v["reveal_m"] + v["embedment_m"] == pytest.approx(v["length_m"], abs=2e-4)
        assert v["ordered_m"] == pytest.approx(0.5 * math.ceil(v["length_m"] / 0.5 - 1e-3))
    assert plan.write_piles(tmp_path / "piles.csv").read_bytes() == piles_csv(plan).encode()
