"""Rasters as GDAL reads them: addresses, windows, decimation, mosaics and resampling."""
