"""Design options are the keywords of `generate_layout`, everywhere."""

import inspect
from dataclasses import fields

import pytest

import pacifico
from pacifico.layout.criteria.design import Design, DesignOptions, split_design


def test_every_option_has_a_default_and_is_explained_by_generate_layout():
    assert DesignOptions.__optional_keys__ == {f.name for f in fields(Design)}
    (options,) = (p for p in inspect.signature(pacifico.generate_layout).parameters.values() if p.kind is p.VAR_KEYWORD)
    assert "DesignOptions" in str(options.annotation)
    explained = inspect.getdoc(pacifico.generate_layout)
    assert [f.name for f in fields(Design) if f"\n{f.name} : " not in explained] == []


def test_other_keywords_are_left():
    design, others = split_design({"profile": "bess", "setback_m": 20.0, "energy": True})
    assert design == Design(profile="bess", setback_m=20.0)
    assert others == {"energy": True}


@pytest.mark.parametrize("function", [pacifico.explore, pacifico.generate_variants, pacifico.generate_layout])
def test_an_unknown_keyword_is_an_error(function):
    with pytest.raises(TypeError, match="profil"):
        function(None, None, profil="bess")


def test_variants_take_no_single_strategy():
    with pytest.raises(TypeError, match="name those to compare with 'strategies'"):
        pacifico.generate_variants(None, None, strategy="density")
