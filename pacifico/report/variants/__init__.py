"""Every strategy on one site, compared: data in, data out; a folder or a page where it is wanted."""

from __future__ import annotations

from pacifico.report.variants.generate import Variants, generate_variants
from pacifico.report.variants.measure import MEASURES, Best, Measure

__all__ = ["MEASURES", "Best", "Measure", "Variants", "generate_variants"]
