"""Lay out one site by every strategy, and compare the layouts."""

from __future__ import annotations

from pacifico.report.variants.generate import generate_variants
from pacifico.report.variants.measure import MEASURES, Best, Measure
from pacifico.report.variants.result import Variants

__all__ = ["MEASURES", "Best", "Measure", "Variants", "generate_variants"]
