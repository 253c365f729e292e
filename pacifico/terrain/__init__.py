"""Elevation models and what is derived from them."""
