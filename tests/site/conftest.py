"""Small files of our own making, and the field's where it is present."""

import os
from pathlib import Path

import pytest

from pacifico.site.boundary import read_site

BOX = "10,45 10.02,45 10.02,45.01 10,45.01 10,45"


def polygon(outer=BOX, *inner):
    holes = "".join(
        f"<innerBoundaryIs><LinearRing><coordinates>{ring}</coordinates></LinearRing></innerBoundaryIs>"
        for ring in inner
    )
    return (
        f"<Polygon><outerBoundaryIs><LinearRing><coordinates>{outer}</coordinates></LinearRing></outerBoundaryIs>"
        f"{holes}</Polygon>"
    )


def placemark(geometry, name="", data=None):
    extended = "".join(f'<Data name="{k}"><value>{v}</value></Data>' for k, v in (data or {}).items())
    return f"<Placemark><name>{name}</name><ExtendedData>{extended}</ExtendedData>{geometry}</Placemark>"


def document(*body, name="plan"):
    inside = "".join(body)
    return (
        '<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2">'
        f"<Document><name>{name}</name>{inside}</Document></kml>"
    )


class Kml:
    """Builders of KML, as one fixture."""

    box = BOX
    polygon = staticmethod(polygon)
    placemark = staticmethod(placemark)
    document = staticmethod(document)


@pytest.fixture
def kml():
    return Kml


@pytest.fixture
def read(tmp_path):
    """Write bytes or text under a name, then read it as a site."""

    def reading(content, filename="site.kml", **options):
        path = tmp_path / filename
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_site(path, **options)

    return reading


@pytest.fixture
def field():
    """Folder of real files; the test is skipped where it is absent."""
    root = Path(os.environ.get("PACIFICO_FIELD_DATA") or Path(__file__).parents[3] / "shared")
    if not (root / "data").is_dir():
        pytest.skip(f"no field data in {root}")
    return root / "data"
