"""Settings from the environment."""

from __future__ import annotations

from pacifico.terrain.remote.cache import FolderCache
from pacifico.terrain.remote.settings import SourceSettings


def test_settings_come_from_an_environment_that_is_handed_in(tmp_path):
    given = SourceSettings.from_environment(
        {"PACIFICO_GLO30_URL": "http://mirror/", "PACIFICO_DEM_CACHE": str(tmp_path)}
    )
    assert given.urls["glo30"] == "http://mirror"
    assert given.cache == FolderCache(tmp_path)
    assert SourceSettings.from_environment({"PACIFICO_DEM_CACHE": ""}).cache is None
    assert SourceSettings.from_environment({}).urls["3dep"].startswith("https://prd-tnm")


def test_a_user_without_a_home_has_no_cache(monkeypatch):
    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", lambda _: (_ for _ in ()).throw(KeyError("uid")))
    assert SourceSettings().cache is None
