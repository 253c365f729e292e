"""Units of a plant: power blocks, turbines, generators and batteries whose capacity counts."""

from shapely import box

from pacifico.layout.economics.units import plant_units
from pacifico.layout.model.assets import Asset, Item


def asset(name, kind, block="", **ratings):
    item = Item(kind, (0.0, 0.0, 10.0, 10.0), 5.0, **ratings)
    return Asset(name, item, box(0, 0, 10, 10), 0.0, 0.0, 0.0, 1.0, block, "R001")


def test_a_power_block_is_one_unit_and_shared_assets_are_in_none():
    assets = [
        asset("substation-0001", "substation"),
        asset("inverter_skid-0001", "inverter_skid", "B001"),
        asset("solar_array-0001", "solar_array", "B001", capacity_kw=300.0),
        asset("solar_array-0002", "solar_array", "B002", capacity_kw=200.0),
        asset("wind_turbine-0001", "wind_turbine", capacity_kw=5000.0),
    ]
    found = plant_units(assets, "wind_hybrid")
    assert [(u.name, u.assets, u.kw) for u in found] == [
        ("B001", (1, 2), 300.0),
        ("B002", (3,), 200.0),
        ("wind_turbine-0001", (4,), 5000.0),
    ]


def test_batteries_count_only_where_storage_is_the_target():
    assets = [asset("battery-0001", "battery", storage_kw=5000.0), asset("gas_turbine-0001", "gas_turbine")]
    assert [u.kw for u in plant_units(assets, "bess")] == [5000.0]
    assert plant_units(assets, "gas_bess") == ()
