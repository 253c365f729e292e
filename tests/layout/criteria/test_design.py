"""Design options are the keywords of `generate_layout`, everywhere."""

from dataclasses import fields

import pytest

import pacifico
from pacifico.layout.criteria.design import Design, DesignOptions, split_design


def test_every_option_has_its_default():
    assert DesignOptions.__optional_keys__ == {f.name for f in fields(Design)}
    assert (Design().profile, Design().strategy, Design().target_capacity_kw) == ("solar_farm", "balanced", None)


def test_every_option_is_explained_in_generate_layout():
    text = pacifico.generate_layout.__doc__
    for name in DesignOptions.__optional_keys__:
        assert f"    {name} : " in text


def test_other_keywords_are_left():
    design, others = split_design({"profile": "bess", "setback_m": 20.0, "energy": True})
    assert design == Design(profile="bess", setback_m=20.0)
    assert others == {"energy": True}


@pytest.mark.parametrize("function", [pacifico.explore, pacifico.generate_layout, pacifico.generate_variants])
def test_an_unknown_keyword_is_an_error(function):
    with pytest.raises(TypeError, match="profil"):
        function(None, None, profil="bess")


def test_variants_take_no_single_strategy():
    with pytest.raises(TypeError, match="name those to compare with 'strategies'"):
        pacifico.generate_variants(None, None, strategy="density")
