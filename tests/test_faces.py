"""Public faces of the rooms: every name in `__all__` exists, and a face loads nothing before it is used."""

import importlib
import pkgutil
import subprocess
import sys

import pytest

import pacifico

ROOMS = sorted(m.name for m in pkgutil.walk_packages(pacifico.__path__, "pacifico.") if m.ispkg)


@pytest.mark.parametrize("room", ROOMS)
def test_face_names_exist(room):
    face = importlib.import_module(room)
    assert (face.__doc__ or "").strip()
    assert face.__all__
    for name in face.__all__:
        assert getattr(face, name) is not None


def test_faces_load_nothing_before_use():
    code = (
        f"import importlib, sys\nfor room in {ROOMS!r}: importlib.import_module(room)\n"
        "print(sorted({'numpy', 'shapely', 'rasterio', 'matplotlib', 'ipyleaflet'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
