"""Jupyter Server extension: REST routes and review pages."""
