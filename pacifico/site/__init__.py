"""Site boundaries and exclusions: read from files and services, checked, repaired and reprojected."""
