"""Checks of a design before anything is stored."""

from __future__ import annotations

import pytest

from pacifico.errors import InputError
from pacifico.jobs.request import JobRequest
from pacifico.server.api.design_checks import check_design


def request_with(**parameters):
    return JobRequest(site_id="s", owner="ann", dem="sample", parameters=parameters)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"setback_m": -5}, "setback_m = -5; it must lie between"),
        ({"setback_m": 1e308}, "it must lie between"),
        ({"setback_m": 10**400}, "it must lie between"),
        ({"setback_m": True}, "must be a number"),
        ({"max_road_grade_pct": 99}, "it must lie between"),
        ({"entry": []}, r"entry is \[\]; give \[longitude, latitude\]"),
        ({"entry": [True, False]}, "entry is"),
        ({"entry": ["a", 1]}, "entry is"),
        ({"entry": [1e308, 1]}, "entry is"),
        ({"entry": [1, 2, 3]}, "entry is"),
        ({"poi": [0, 91]}, "poi is"),
        ({"dem_units": "yards"}, "must be 'm' or 'ft'"),
        ({"spec": {"solar": 5}}, "sections with rules"),
        ({"spec": {"solar": {"tracker_gcr": 99}}}, "tracker_gcr"),
        ({"spec": {"site": {"crs": "+proj=longlat +nadgrids=/etc/passwd"}}}, "unknown rule"),
    ],
)
def test_what_no_run_could_use_is_refused(parameters, message):
    with pytest.raises(InputError, match=message):
        check_design(request_with(**parameters))


def test_what_a_run_can_use_is_not():
    check_design(request_with())
    check_design(
        request_with(
            setback_m=30,
            max_road_grade_pct=8.5,
            entry=[-98.17, 33.2],
            poi=[-98, 33],
            dem_units="ft",
            spec={"solar": {"tracker_gcr": 0.4}},
        )
    )
