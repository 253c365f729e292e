"""Records of levers: texts, keys and order."""

from pacifico.layout.model.land_use import Reason
from pacifico.layout.model.levers import Lever, Levers

STEEP = Lever("solar_array.slope_limit_deg", "slope limit 12°", Reason.TOO_STEEP, 4100.0, 5.2e6)
POND = Lever("exclusion:pond", "without pond", Reason.EXCLUSION, 0.0, -4e5)
NONE = Lever("road.max_grade_pct", "road grade 12 %", Reason.NO_ROAD_WORTH_IT, 0.0, 0.0)
LEVERS = Levers("hill", (STEEP, POND, NONE))


def test_texts_say_gain_and_cost():
    assert STEEP.text == "slope limit 12°: +4.1 MW, +5.20 million USD"
    assert POND.text == "without pond: -0.40 million USD"
    assert NONE.text == "road grade 12 %: no gain"


def test_the_lever_of_a_part_is_found_by_its_key():
    assert LEVERS.best_for("too_steep") is STEEP
    assert LEVERS.best_for("exclusion:pond") is POND
    assert LEVERS.best_for("setback") is None


def test_they_show_themselves():
    assert repr(LEVERS) == "<Levers of 'hill': 3, best slope limit 12°: +4.1 MW, +5.20 million USD>"
    assert LEVERS._repr_html_().count("<tr>") == 3
    assert "no limit" in Levers("hill", ())._repr_html_()
    assert list(LEVERS.to_frame()["land"]) == ["too_steep", "exclusion:pond", "no_road_worth_it"]
    assert LEVERS.to_json()[0]["gain_kw"] == 4100.0
