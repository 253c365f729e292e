"""Rasters on web servers and in S3, read by ranges."""

from pacifico.terrain.remote.settings import SourceSettings as SourceSettings
