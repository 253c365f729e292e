"""Layers of web services as features: ArcGIS REST and OGC API Features."""
