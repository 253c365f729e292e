"""Faster drawing than by matplotlib alone."""
