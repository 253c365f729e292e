"""Boundaries and exclusions of jobs, read and checked before they are submitted."""

from __future__ import annotations

from pathlib import Path


def boundary_as_geojson(path: Path, layer: str | None) -> bytes:
    """Boundary file as GeoJSON, checked before it is submitted."""
    from pacifico.site.boundary import read_site
    from pacifico.site.written import site_geojson

    return site_geojson(read_site(path, layer=layer))


def exclusions_as_geojson(
    boundary: Path, layer: str | None, sources: list[str], buffer_m: float | None
) -> tuple[bytes | None, tuple[str, ...]]:
    """All exclusions as one GeoJSON file, fetched and checked here, and warnings.

    Parameters
    ----------
    boundary : Path
        The site's boundary file.
    layer : str or None
        Its layer.
    sources : list of str
        Files and addresses.
    buffer_m : float or None
        Buffer of exclusions without their own [m].
    """
    import tempfile

    from pacifico.site.boundary import read_site
    from pacifico.site.combine import combine_exclusions
    from pacifico.site.exclusions import load_exclusions

    site = read_site(boundary, layer=layer)
    with tempfile.TemporaryDirectory(prefix="pacifico-exclusions-") as folder:
        combined = combine_exclusions(sources, site, Path(folder), buffer_m=buffer_m)
        if combined.path is None:
            return None, combined.warnings
        load_exclusions(combined.path, site)
        return combined.path.read_bytes(), combined.warnings
