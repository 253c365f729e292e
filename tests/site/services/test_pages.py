"""Pages put together: each feature once."""

import json

import numpy as np
import pytest

from pacifico.errors import OutsideServiceError
from pacifico.site import features
from pacifico.site.features import Feature
from pacifico.site.services import pages
from pacifico.site.services.fetch import Answer
from pacifico.site.services.pages import Collection, PageCount, named, split_address, without_filters


def member(x, **properties):
    return {"type": "Feature", "geometry": {"type": "Point", "coordinates": [x, 42]}, "properties": properties}


def page(*members):
    return Answer({"type": "FeatureCollection", "features": list(members)}, {}, "http://h/x")


def test_features_are_distinguished_by_their_key():
    found = Collection("http://h/x", "OID")
    assert found.add(page(member(1, OID=1), member(2, OID=2))) == PageCount(2, 2)
    assert found.add(page(member(3, OID=2), member(4, OID=3))) == PageCount(2, 1)
    assert [f.points[0][0, 0] for f in found.features] == [1, 2, 4]


def test_without_a_key_they_are_distinguished_by_their_content():
    found = Collection("http://h/x")
    assert found.add(page(member(1, name="a"), member(1, name="b"))) == PageCount(2, 2)
    assert found.add(page(member(1, name="a"), {**member(1, name="c"), "id": 7})) == PageCount(2, 1)
    assert (len(found), found.repeats_without_id) == (3, 1)


def test_equal_features_on_one_page_are_duplicates_of_the_layer():
    found = Collection("http://h/x")
    assert found.add(page(member(1), member(1))) == PageCount(2, 2)
    assert found.add(page(member(1), member(1))) == PageCount(2, 0)


def test_features_without_geometry_count_and_warn():
    found = Collection("http://h/x", "OID")
    assert found.add(page({**member(1, OID=1), "geometry": None})) == PageCount(1, 1)
    assert (len(found), found.features, list(found.warnings)) == (1, [], ["1 feature without geometry skipped"])


def test_too_many_features_are_refused(monkeypatch):
    monkeypatch.setattr(pages, "MAX_FEATURES", 1)
    with pytest.raises(OutsideServiceError, match="more than 1 features near the site"):
        Collection("http://h/x").add(page(member(1), member(2)))


@pytest.mark.parametrize(
    ("properties", "name"),
    [
        ({"title": " Fen "}, "Fen"),
        ({"label_": "x"}, "x"),
        ({"label_": 3.5}, "3.5"),
        ({"label_": np.nan}, "Layer"),
        ({}, "Layer"),
    ],
)
def test_names(properties, name):
    assert named(Feature(properties=properties), "Layer", "label_").name == name


def test_parameters_of_the_user_are_passed_on_but_not_ours():
    address, extra = split_address("https://h/FeatureServer/0/query?where=A&token=t&bbox=1&f=html", r"/query/?$")
    assert (address, extra) == ("https://h/FeatureServer/0", {"where": "A", "token": "t"})
    assert without_filters(extra) == {"token": "t"}
    assert json.dumps(features.MAX_FEATURES) == "50000"
