"""Elevation of a site: read and check DEMs, derive slope and contours."""
