"""The context of edits belongs to one DEM and measures each work once."""

import numpy as np
import pytest

import pacifico
from pacifico.errors import InputError
from pacifico.layout.model.assets import pad_outline


def test_another_dem_is_refused(gas, make, dem, ground, plan_tools):
    with pytest.raises(InputError, match="the plan was made on another DEM"):
        pacifico.edit(gas, make.dem(ground, sha256="0" * 64))
    assert pad_outline(plan_tools.first(gas, "battery").item).covers(plan_tools.first(gas, "battery").footprint)


def test_works_measured_one_by_one_equal_the_whole(hybrid, dem):
    """One by one, each on its own window, and together on the whole grid with whole fields of error."""
    from pacifico.grid import Ground
    from pacifico.layout.earthwork.criteria import earthwork_criteria
    from pacifico.layout.earthwork.uncertainty import volumes_under_errors
    from pacifico.layout.metrics import REALIZATIONS, works_spread
    from pacifico.terrain.uncertainty import dem_error, error_field

    rules, error, ground = earthwork_criteria(hybrid.spec), dem_error(dem), Ground.of(dem)
    planes, roads = [p.plane for p in hybrid.pad_list], hybrid.road_list
    errors = [np.zeros(ground.grid.shape)] + [
        error_field(ground.grid, rmse_m=error.rmse_m, correlation_m=error.correlation_m, seed=n)
        for n in range(REALIZATIONS)
    ]
    lines, widths = [r.line for r in roads], [r.width_m for r in roads]
    whole = np.array(list(volumes_under_errors(ground, planes, lines, widths, errors=errors, criteria=rules)))
    np.testing.assert_allclose(works_spread(dem, planes, roads, rules), whole, rtol=1e-9, atol=1e-6)
    each = [works_spread(dem, [p], [], rules) for p in planes] + [works_spread(dem, [], [r], rules) for r in roads]
    np.testing.assert_allclose(np.hstack(each), whole, rtol=1e-9, atol=1e-6)
    assert works_spread(dem, [], [], rules).shape == (1 + REALIZATIONS, 0)
