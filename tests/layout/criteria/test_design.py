"""Design options are the keywords of `generate_layout`, everywhere."""

import inspect
from dataclasses import fields

import pytest

import pacifico
from pacifico.layout.criteria.design import Design, DesignOptions, split_design

LAYOUT = {
    name: parameter.default
    for name, parameter in inspect.signature(pacifico.generate_layout).parameters.items()
    if parameter.kind is inspect.Parameter.KEYWORD_ONLY and name != "exclusions"
}


def test_options_and_defaults_are_those_of_generate_layout():
    assert DesignOptions.__optional_keys__ == set(LAYOUT)
    assert {f.name: f.default for f in fields(Design)} == LAYOUT


def test_other_keywords_are_left():
    design, others = split_design({"profile": "bess", "setback_m": 20.0, "energy": True})
    assert design == Design(profile="bess", setback_m=20.0)
    assert others == {"energy": True}


@pytest.mark.parametrize("function", [pacifico.explore, pacifico.generate_variants])
def test_an_unknown_keyword_is_an_error(function):
    with pytest.raises(TypeError, match="profil"):
        function(None, None, profil="bess")


def test_variants_take_no_single_strategy():
    with pytest.raises(TypeError, match="name those to compare with 'strategies'"):
        pacifico.generate_variants(None, None, strategy="density")
