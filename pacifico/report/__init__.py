"""Figures and tables that the report notebook shows."""
