"""Draw the README's picture from a report of `pacifico demo`; `make picture` runs this."""

from __future__ import annotations

import sys
from pathlib import Path

import pacifico
from pacifico.layout.files.stored import StoredLayout
from pacifico.report.figures import layout_figure

report, picture = map(Path, sys.argv[1:])
(boundary,) = (report / "inputs").glob("*.kml")
layout = StoredLayout.read(report / "layout.geojson")
figure = layout_figure(layout, pacifico.open_dem(pacifico.read_site(boundary), "sample"))
figure.savefig(picture, dpi=110, bbox_inches="tight", metadata={"Software": None})
