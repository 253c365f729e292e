"""Year of each array as a GeoDataFrame."""

from types import SimpleNamespace

from pacifico.analysis.energy import ArrayYield
from pacifico.analysis.shading.table import shade_frame
from pacifico.layout.generate import generate_layout


def test_the_frame_has_a_row_for_each_array(make):
    plan = generate_layout(make.site(), make.dem(make.ground(lambda x, y: 100 + 0 * x)), target_capacity_kw=2000)
    arrays = [a for a in plan.asset_list if a.item.kind == "solar_array"]
    year = SimpleNamespace(arrays=tuple(ArrayYield(a.asset_id, 0.01, 0.98) for a in arrays))
    table = shade_frame(plan, year)
    assert table["array"].tolist() == [a.asset_id for a in arrays]
    assert table.crs == plan.crs
    assert table.geometry.iloc[0].equals(arrays[0].footprint)
    assert set(table["row_shade_loss_share"]) == {0.01}
