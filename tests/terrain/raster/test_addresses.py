"""Names of rasters for people."""

from __future__ import annotations

import pytest

from pacifico.terrain.raster.addresses import display_name, host_of, is_remote, redacted


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("/a/b/dem.tif", "dem.tif"),
        ("C:\\maps\\dem.tif", "dem.tif"),
        ("odd#name?.tif", "odd#name?.tif"),
        ("NETCDF:/a/b.nc:z", "b.nc:z"),
        ("https://me:pw@example.org/a/dem.tif?X-Amz-Signature=ab#x", "dem.tif"),
        ("/vsicurl/https://example.org/a/dem.tif?token=x", "dem.tif"),
        ("s3://bucket/a/dem.tif?b#c", "dem.tif?b#c"),
        ("/vsis3/bucket/a/dem#1.tif", "dem#1.tif"),
        ("s3://bucket/dem.tif?X-Amz-Signature=ab", "dem.tif?X-Amz-Signature=..."),
        ("", "raster"),
    ],
)
def test_names_show_no_folders_and_no_secrets(source, name):
    assert display_name(source) == name


@pytest.mark.parametrize(
    "secret",
    [
        "https://me:hunter2@example.org/dem.tif",
        "https://hunter2@example.org/dem.tif",
        "s3://AKIA:hunter2@bucket/dem.tif",
        "https://e.org/d.tif?X-Amz-Signature=hunter2&X-Amz-Date=1",
        "https://e.org/d.tif?a=1&sig=hunter2",
        "https://e.org/d.tif?access_token=hunter2",
        "https://e.org/d.tif?apikey=hunter2",
        "https://e.org/d.tif?AWSAccessKeyId=x&Signature=hunter2&Expires=1",
        "https://storage.example/d.tif?X-Goog-Signature=hunter2",
    ],
)
def test_secrets_are_removed_from_any_text(secret):
    text = redacted(f"GET '{secret}' failed; see {secret}")
    assert "hunter2" not in text
    assert text.startswith("GET '")
    assert text.count("d") >= 2


def test_addresses_without_secrets_stay():
    for text in ("https://e.org/d.tif?tile=3&year=2020", "s3://bucket/a@b.tif", "no address, me@example.org"):
        assert redacted(text) == text


def test_where_an_address_leads():
    assert host_of("https://me:pw@example.org:8080/x") == "example.org"
    assert host_of("s3://bucket/key#1?x") == "bucket"
    assert is_remote("/vsis3/bucket/key")
    assert not is_remote("NETCDF:a.nc:z")


def test_a_name_that_the_locale_can_not_decode_is_read_as_utf_8():
    assert display_name("folder/gr\udcc3\udcb6\udcc3\udc9fe.tif") == "größe.tif"
