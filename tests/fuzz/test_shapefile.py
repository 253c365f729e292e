"""Replays the seeds, the corpus and the former crashes of the fuzz harness of zipped shapefiles."""

from __future__ import annotations

import pytest
from fuzz.scaffold import check_within_limits, inputs, load

HARNESS = load("shapefile")


@pytest.mark.parametrize("data", HARNESS.seeds().values(), ids=HARNESS.seeds().keys())
def test_a_valid_input_is_accepted(data):
    assert check_within_limits(HARNESS, data)


@pytest.mark.parametrize("path", inputs("shapefile"), ids=lambda p: f"{p.parent.parent.name}-{p.name}")
def test_a_kept_input_is_accepted_or_refused_in_one_line(path):
    check_within_limits(HARNESS, path.read_bytes())
