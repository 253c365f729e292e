"""Data that ships: the demo site."""
