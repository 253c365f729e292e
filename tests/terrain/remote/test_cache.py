"""Cache of windows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import shapely
from numpy.testing import assert_array_equal
from pyproj import CRS

from pacifico.crs import transformer, utm
from pacifico.site.model import Site
from pacifico.terrain.dem import open_dem
from pacifico.terrain.remote.cache import FolderCache

LONLAT = CRS.from_epsg(4326)


def site_at(lon, lat, half=700):
    crs = utm(lon, lat)
    x, y = transformer(LONLAT, crs).transform(lon, lat)
    return Site("site", crs, shapely.box(x - half, y - half, x + half, y + half))


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b[:-1] + bytes([b[-1] ^ 1])])
def test_a_damaged_cache_file_is_never_read(server, settings, tmp_path, damage):
    server.put_glo30(tmp_path, -96, 44)
    site = site_at(-95.5, 44.5)
    first = open_dem(site, "glo30", settings=settings)
    files = list((tmp_path / "cache").iterdir())
    assert len(files) == 1
    files[0].write_bytes(damage(files[0].read_bytes()))
    server.requests.clear()
    assert_array_equal(open_dem(site, "glo30", settings=settings), first)
    assert any(command == "GET" for command, _ in server.requests)


def test_many_readers_and_writers_of_one_cache(tmp_path):
    cache = FolderCache(tmp_path / "deep" / "cache")
    values = [bytes([n]) * 200_000 for n in range(8)]

    def work(n):
        cache.put("key", values[n % 8])
        return cache.get("key")

    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(work, range(200)))
    assert all(value in values for value in seen)
    assert [path.suffix for path in cache.folder.iterdir()] == [".npz"]
