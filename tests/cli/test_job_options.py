"""Options of a submission agree with what a request takes."""

from __future__ import annotations

from typing import get_args

import pytest

from pacifico.cli import job_options
from pacifico.jobs import request


def test_choices_are_those_of_a_request():
    assert get_args(request.Profile) == job_options.PROFILES
    assert get_args(request.Strategy) == job_options.STRATEGIES
    assert job_options.NAMED_DEMS == request.NAMED_DEMS


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("north=30", {"edges": ["north"], "setback_m": 30.0}),
        ("2, County road=50.5", {"edges": [2, "County road"], "setback_m": 50.5}),
    ],
)
def test_a_setback_of_edges(text, entry):
    assert job_options.edge_setback(text) == entry
