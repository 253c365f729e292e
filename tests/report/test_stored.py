"""A stored layout is read from layout.geojson alone."""

import pytest

from pacifico.errors import InputError
from pacifico.report.stored import StoredLayout


@pytest.mark.parametrize("content", [{}, {"type": "FeatureCollection", "features": []}, []])
def test_other_geojson_is_refused(content):
    with pytest.raises(InputError, match="no member 'pacifico'"):
        StoredLayout.of(content)
