"""Rasters at s3:// addresses, from moto's server over real HTTP."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import urllib.request
import uuid

import boto3
import numpy as np
import pytest
import rasterio
from affine import Affine
from botocore.config import Config
from moto.server import ThreadedMotoServer

from pacifico.cli import main
from pacifico.errors import DEMError, OutsideServiceError
from pacifico.grid import Grid
from pacifico.terrain.dem import open_dem
from pacifico.terrain.remote.s3 import endpoint_from, gdal_options, refusal
from pacifico.terrain.remote.settings import SourceSettings

KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
CELLS = 3000


@pytest.fixture(scope="module")
def moto():
    """Its requests are logged by werkzeug, one line each."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=True)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def aws(moto, monkeypatch, tmp_path):
    """Environment with keys and the server's address, and none of this machine's own."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    environment = {
        **KEYS,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "CPL_AWS_AUTODETECT_EC2": "NO",
        "AWS_CONFIG_FILE": str(tmp_path / "no-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "no-credentials"),
        "AWS_ENDPOINT_URL": moto,
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return moto


@pytest.fixture(scope="module")
def cog(tmp_path_factory):
    """36 MB of ground around the tests' site; a plane."""
    path = tmp_path_factory.mktemp("cog") / "ground.tif"
    x = 446_000 - 15_000 + 10 * (np.arange(CELLS) + 0.5)
    y = 4_650_000 + 15_000 - 10 * (np.arange(CELLS) + 0.5)
    z = (300 + 0.03 * (x[None, :] - 446_000) - 0.04 * (y[:, None] - 4_650_000)).astype("float32")
    with rasterio.open(path, "w", driver="COG", height=CELLS, width=CELLS, count=1, dtype="float32", crs="EPSG:32615",
                       transform=Affine(10, 0, 446_000 - 15_000, 0, -10, 4_650_000 + 15_000), compress="none") as out:  # fmt: skip
        out.write(z, 1)
    return path


@pytest.fixture
def bucket(aws, cog):
    client = boto3.client("s3", config=Config(retries={"total_max_attempts": 1}))
    name = f"ground-{uuid.uuid4().hex[:8]}"
    client.create_bucket(Bucket=name)
    client.upload_file(str(cog), name, "a folder/ground.tif")
    return name


@pytest.fixture
def settings(aws):
    given = SourceSettings.from_environment(os.environ)
    return SourceSettings(s3_endpoint=given.s3_endpoint, timeout_s=5, retries=1, backoff_s=0.01, cache=None)


def test_a_cog_is_read_by_ranges(site, bucket, settings, cog, caplog):
    caplog.set_level(logging.INFO, logger="werkzeug")
    dem = open_dem(site, f"s3://{bucket}/a folder/ground.tif", settings=settings)
    assert dem.attrs["source"] == "ground.tif"
    np.testing.assert_array_equal(dem.values, open_dem(site, cog).values)
    assert Grid.of(dem) == Grid.of(open_dem(site, cog))
    gets = [record.getMessage() for record in caplog.records if f"GET /{bucket}/" in record.getMessage()]
    assert gets
    assert all(" 206 " in line for line in gets), gets


def test_only_a_part_of_it_is_transferred(bucket, cog):
    """By GDAL's own count, which it gives when its process ends."""
    code = (
        "import os, sys, shapely; from pyproj import CRS; from pacifico.site.model import Site;"
        "from pacifico.terrain.dem import open_dem; from pacifico.terrain.remote.settings import SourceSettings;"
        "site = Site('square', CRS.from_epsg(32615), shapely.box(445500, 4649500, 446500, 4650500));"
        "open_dem(site, sys.argv[1], settings=SourceSettings.from_environment(os.environ))"
    )
    counting = {"CPL_VSIL_NETWORK_STATS_ENABLED": "YES", "CPL_VSIL_SHOW_NETWORK_STATS": "YES"}
    done = subprocess.run(
        [sys.executable, "-c", code, f"s3://{bucket}/a folder/ground.tif"],
        env={**os.environ, **counting},
        check=True,
        capture_output=True,
        text=True,
    )
    said = json.loads(done.stdout[done.stdout.index("{") :])
    received = said["methods"]["GET"]["downloaded_bytes"]
    assert 0 < received < cog.stat().st_size / 8


def test_a_wrong_key_and_a_wrong_bucket(site, bucket, settings):
    with pytest.raises(OutsideServiceError, match=r"^b\.tif in s3://\S+: there is no such object; check the key$"):
        open_dem(site, f"s3://{bucket}/a/b.tif", settings=settings)
    with pytest.raises(OutsideServiceError, match="there is no such bucket"):
        open_dem(site, "s3://nobody-has-this/b.tif", settings=settings)


def test_no_credentials(site, bucket, settings, monkeypatch):
    for name in KEYS:
        monkeypatch.delenv(name)
    with pytest.raises(OutsideServiceError, match="no AWS credentials were found; set AWS_ACCESS_KEY_ID") as caught:
        open_dem(site, f"s3://{bucket}/a folder/ground.tif", settings=settings)
    assert "\n" not in str(caught.value)
    monkeypatch.setenv("AWS_NO_SIGN_REQUEST", "YES")  # a public bucket
    assert open_dem(site, f"s3://{bucket}/a folder/ground.tif", settings=settings).shape


@pytest.fixture
def checked_keys(bucket, moto):
    """From here on the server checks who asks; the keys of these tests are nobody's."""

    def free_requests(count):
        request = urllib.request.Request(
            f"{moto}/moto-api/reset-auth",
            data=str(count).encode(),
            method="POST",
            headers={"Content-Type": "text/plain"},
        )
        with urllib.request.urlopen(request) as answer:
            assert json.load(answer)["status"] == "ok"

    free_requests(0)
    yield
    free_requests("inf")


def test_forbidden(site, bucket, settings, checked_keys):
    with pytest.raises(
        OutsideServiceError, match=r"^x\.tif in s3://\S+: access is refused; check the AWS cred"
    ) as caught:
        open_dem(site, f"s3://{bucket}/x.tif", settings=settings)
    assert caught.value.exit_code == 3


def test_a_server_that_is_gone(site, aws):
    gone = SourceSettings(s3_endpoint="http://127.0.0.1:9", timeout_s=2, retries=1, backoff_s=0.01, cache=None)
    with pytest.raises(OutsideServiceError, match="no answer after 2 tries"):
        open_dem(site, "s3://bucket/b.tif", settings=gone)


def test_the_command_line(bucket, tmp_path, capsys):
    ring = [[-93.66, 41.995], [-93.65, 41.995], [-93.65, 42.002], [-93.66, 42.002], [-93.66, 41.995]]
    boundary = tmp_path / "site.geojson"
    boundary.write_text(json.dumps({"type": "Polygon", "coordinates": [ring]}))
    place = f"s3://{bucket}/a folder/ground.tif"
    assert main.main(["terrain", str(boundary), "--dem", place, "--out", str(tmp_path / "out")]) == 0
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["dem"]["source"] == "ground.tif"
    capsys.readouterr()
    assert main.main(["terrain", str(boundary), "--dem", place + "f", "--out", str(tmp_path / "none")]) == 3
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "there is no such object" in said
    assert not (tmp_path / "none" / "summary.json").exists()


def test_where_the_server_is():
    assert endpoint_from({}) is None
    assert endpoint_from({"AWS_ENDPOINT_URL": "http://a", "AWS_ENDPOINT_URL_S3": "http://b"}) == "http://b"
    assert gdal_options("s3://b/k.tif", None) == {"CPL_VSIL_CURL_NON_CACHED": "/vsis3/b"}
    options = gdal_options("s3://b/k.tif", "https://minio.example:9000/")
    assert options["AWS_S3_ENDPOINT"] == "minio.example:9000"
    assert options["AWS_HTTPS"] == "YES"
    assert options["AWS_VIRTUAL_HOSTING"] == "FALSE"


def test_faults_that_may_pass_are_no_refusals():
    assert refusal("CURL error: Failed to connect") is None
    assert refusal("HTTP response code: 503") is None
    assert "refused" in refusal("HTTP response code: 403")


@pytest.mark.parametrize("key", ["a?b.tif", "a#b.tif", "a%23b.tif", "a b+c&d.tif", "v?x=1#y.tif"])
def test_every_character_of_a_key_counts(site, bucket, settings, cog, key):
    """The object read is the one named, and the attribute names it."""
    client = boto3.client("s3", config=Config(retries={"total_max_attempts": 1}))
    client.upload_file(str(cog), bucket, f"folder/{key}")
    dem = open_dem(site, f"s3://{bucket}/folder/{key}", settings=settings)
    assert dem.attrs["source"] == key
    with pytest.raises(OutsideServiceError, match="no such object"):
        open_dem(site, f"s3://{bucket}/folder/{key}x", settings=settings)


@pytest.mark.parametrize(
    ("url", "match"),
    [
        ("s3://bucket/dem.tif?versionId=3sL4kqtJlcpXroDTDmJ", "takes no query"),
        ("s3://bucket/dem.tif?X-Amz-Signature=hunter2", "takes no query"),
        ("s3://AKIA:hunter2@bucket/dem.tif", "holds no credentials"),
        ("s3://bucket/", "names no object"),
        ("s3://bucket", "names no object"),
    ],
)
def test_addresses_that_name_no_plain_object_are_refused(site, settings, url, match):
    with pytest.raises(DEMError, match=match) as caught:
        open_dem(site, url, settings=settings)
    assert "hunter2" not in str(caught.value)
