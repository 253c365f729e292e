"""The script names the classes that the page uses; a browser test drops a file."""

from __future__ import annotations

from pacifico.explorer.start.drop import ELEVATION, SCRIPT, SITE, STYLES, ZONE


def test_script_and_styles_name_the_classes_of_the_page():
    assert all(name in SCRIPT for name in (ZONE, SITE, ELEVATION))
    assert ZONE in STYLES
    assert SCRIPT.count("{") == SCRIPT.count("}")
