"""Site boundaries: read, repaired, reprojected."""
