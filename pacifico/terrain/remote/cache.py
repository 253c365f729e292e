"""Cache for windows of remote rasters, safe for concurrent readers and writers."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from pyproj import CRS

from pacifico.terrain.raster.window import RasterWindow

VERSION = 1
"""Version of the stored form; windows of another version are read again."""


class Cache(Protocol):
    """Bytes by key.

    `get` returns None for an unknown key. `put` replaces a value completely or not at all.
    """

    def get(self, key: str) -> bytes | None:
        """Value of a key, or None."""

    def put(self, key: str, value: bytes) -> None:
        """Store a value."""


@dataclass(frozen=True)
class FolderCache:
    """Cache in a folder with one file per key.

    A file gets its name by an atomic rename once it is complete and on disk, so that readers and writers in any number of
    processes need no lock. Each value ends with its hash: a damaged file counts as missing.
    """

    folder: Path

    def get(self, key: str) -> bytes | None:
        """Value of a key, or None."""
        try:
            stored = (self.folder / f"{key}.npz").read_bytes()
        except FileNotFoundError:
            return None
        value, digest = stored[:-32], stored[-32:]
        return value if hashlib.sha256(value).digest() == digest else None

    def put(self, key: str, value: bytes) -> None:
        """Store a value, or leave it if the disk refuses."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=self.folder)
        except OSError:
            return
        part = Path(name)
        try:
            with os.fdopen(handle, "wb") as out:
                out.write(value)
                out.write(hashlib.sha256(value).digest())
                out.flush()
                os.fsync(out.fileno())
            part.replace(self.folder / f"{key}.npz")
        except OSError:
            part.unlink(missing_ok=True)


def pack(window: RasterWindow) -> bytes:
    """Window as bytes for the cache."""
    about = {
        "version": VERSION,
        "transform": window.transform,
        "crs": window.crs.to_wkt(),
        "band_unit": window.band_unit,
        "declared_nodata": window.declared_nodata,
        "raster_shape": window.raster_shape,
        "raster_transform": window.raster_transform,
        "warnings": window.warnings,
    }
    out = io.BytesIO()
    np.savez_compressed(out, values=window.values, about=np.frombuffer(json.dumps(about).encode(), dtype=np.uint8))
    return out.getvalue()


def unpack(stored: bytes) -> RasterWindow | None:
    """Window from bytes of the cache; None if they are outdated."""
    try:
        with np.load(io.BytesIO(stored)) as parts:
            values, about = parts["values"], json.loads(parts["about"].tobytes())
    except (ValueError, KeyError, zipfile.BadZipFile):
        return None
    if about.get("version") != VERSION:
        return None
    return RasterWindow(
        values,
        tuple(about["transform"]),
        CRS.from_wkt(about["crs"]),
        about["band_unit"],
        about["declared_nodata"],
        tuple(about["raster_shape"]),
        tuple(about["raster_transform"]),
        tuple(about["warnings"]),
    )
