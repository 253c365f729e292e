"""Reasons why cells can't be built on."""

from __future__ import annotations

import numpy as np
import pytest

from pacifico.errors import InputError
from pacifico.terrain.reasons import reasons


def test_reasons_by_hand():
    slope = np.array([[1.0, 5.0, 12.0], [np.nan, 5.0, 20.0]])
    outside = np.array([[False, False, False], [False, False, True]])
    creek = np.array([[False, True, False], [False, False, True]])
    why = reasons(
        {"outside the boundary": outside, "exclusion: creek": creek}, slope, {"solar": 10.0, "battery": 4.0, "x": 4.0}
    )
    assert why.codes.tolist() == [[0, 2, 4], [3, 5, 1]]
    assert why.legend == {
        0: "buildable",
        1: "outside the boundary",
        2: "exclusion: creek",
        3: "no elevation, or beside it",
        4: "over 10°: solar, battery, x",
        5: "over 4°: battery, x",
    }
    assert why.area_ha(10_000.0)["over 4°: battery, x"] == 1.0
    with pytest.raises(InputError, match="must match"):
        reasons({"a": np.zeros((9, 9), dtype=bool)}, slope, {})
