"""What a notebook is given: boundary and DEM as the request names them, and nothing else."""

from __future__ import annotations

import hashlib
import json

import boto3
import numpy as np
import pytest
import rasterio
from affine import Affine

from pacifico.errors import InputError
from pacifico.jobs import keys
from pacifico.jobs.request import JobRequest
from pacifico.jobs.runner import staging
from pacifico.jobs.runner.staging import MetricsError, check_dem, metrics_of, stage
from pacifico.jobs.settings import Settings, from_environment
from pacifico.jobs.stop_signals import StoppedError, StopSignals
from pacifico.jobs.store.base import NotFoundError, StoreError, TooLargeError
from pacifico.jobs.upload_records import MAX_RECORD_BYTES

BOUNDARY = b'{"type": "Polygon", "coordinates": []}'


def ask(**fields):
    return JobRequest(**{"site_id": "home", "owner": "ann", "dem": "sample", **fields})


def allow(**variables):
    return from_environment({"PACIFICO_STORE": "unused", "PACIFICO_OWNER": "ann", **variables})


@pytest.fixture
def tif(tmp_path):
    path = tmp_path / "ground.tif"
    with rasterio.open(path, "w", driver="GTiff", height=40, width=40, count=1, dtype="float32", crs="EPSG:32615",
                       transform=Affine(10, 0, 446_000, 0, -10, 4_650_000)) as out:  # fmt: skip
        out.write(np.arange(1600, dtype="float32").reshape(1, 40, 40))
    return path.read_bytes()


@pytest.fixture
def homed(local_store):
    put_site(local_store)
    return local_store


def put_site(store, content=BOUNDARY, claimed=None, **fields):
    """A site as its owner may write it: any field, whatever it says."""
    prefix = keys.site("ann", "home")
    sha256 = hashlib.sha256(claimed or content).hexdigest()
    name = f"boundary-{sha256[:16]}.geojson"
    record = {"schema_version": 1, "site_id": "home", "name": "home.geojson", "suffix": ".geojson", "file": name,
              "sha256": sha256, "bytes": len(content), **fields}  # fmt: skip
    store.put(f"{prefix}/{name}", content, kind="uploads")
    store.put(f"{prefix}/site.json", json.dumps(record).encode(), kind="uploads")


def put_upload(store, content, *, owner="ann", suffix=".tif", named=None, **fields):
    sha256 = named or hashlib.sha256(content).hexdigest()
    prefix = keys.upload(owner, sha256)
    store.put(f"{prefix}/file", content, kind="uploads")
    record = {"name": f"ground{suffix}", "suffix": suffix, **fields}
    store.put(f"{prefix}/upload.json", json.dumps(record).encode(), kind="uploads")
    return f"upload:{sha256}"


def test_a_named_source_is_left_to_the_notebook(homed, tmp_path):
    inputs, parameters = stage(ask(dem_resolution_m=5.0, parameters={"setback_m": 20}), homed, allow(), tmp_path / "in")
    assert inputs == {"boundary": tmp_path / "in" / "boundary.geojson"}
    assert inputs["boundary"].read_bytes() == BOUNDARY
    assert (parameters["dem"], parameters["resolution_m"], parameters["setback_m"]) == ("sample", 5.0, 20)


def test_a_site_that_was_changed_or_is_anothers(homed, tmp_path):
    with pytest.raises(NotFoundError, match="not among those of 'bob'"):
        stage(ask(owner="bob"), homed, allow(), tmp_path / "in")
    put_site(homed, b"changed", claimed=BOUNDARY)
    with pytest.raises(InputError, match="has the hash"):
        stage(ask(), homed, allow(), tmp_path / "in2")


def test_an_upload_is_the_owners_own(store, tif, tmp_path):
    put_site(store)
    name = put_upload(store, tif)
    inputs, parameters = stage(ask(dem=name), store, allow(), tmp_path / "in")
    assert inputs["dem"].read_bytes() == tif
    assert "dem" not in parameters
    anothers = put_upload(store, tif + b"x", owner="bob")
    with pytest.raises(NotFoundError, match="not among the uploads of 'ann'"):
        stage(ask(dem=anothers), store, allow(), tmp_path / "in2")
    false = put_upload(store, tif, named="0" * 64)
    with pytest.raises(InputError, match="has the hash"):
        stage(ask(dem=false), store, allow(), tmp_path / "in3")


@pytest.mark.parametrize(
    ("content", "suffix"),
    [
        (b'<VRTDataset rasterXSize="1" rasterYSize="1"/>', ".tif"),
        (b'<VRTDataset rasterXSize="1" rasterYSize="1"/>', ".vrt"),
        (b"ncols 4\nnrows 4\n", ".asc"),
        (b"", ".tif"),
        (b"\x89PNG\r\n\x1a\n", ".tif"),
        (b"<GDAL_WMS/>", ".tif"),
    ],
)
def test_only_geotiffs_come_in(homed, tmp_path, content, suffix):
    name = put_upload(homed, content, suffix=suffix)
    with pytest.raises(InputError, match="is no GeoTIFF; convert it"):
        stage(ask(dem=name), homed, allow(), tmp_path / "in")


def test_a_dem_over_the_limit_stays_out(homed, tif, tmp_path, bucket):
    small = allow(PACIFICO_DEM_MAX_MB="1", PACIFICO_DEM_BUCKETS=bucket)
    with pytest.raises(InputError, match=r"at most 1\.0 MB are taken"):
        stage(ask(dem=put_upload(homed, tif + bytes(2 << 20))), homed, small, tmp_path / "in")
    boto3.client("s3").put_object(Bucket=bucket, Key="big.tif", Body=tif + bytes(2 << 20))
    with pytest.raises(InputError, match=r"at most 1\.0 MB are taken"):
        stage(ask(dem=f"s3://{bucket}/big.tif"), homed, small, tmp_path / "in2")


def test_a_dem_from_an_allowed_bucket(homed, tif, tmp_path, bucket):
    boto3.client("s3").put_object(Bucket=bucket, Key="a/ground.tif", Body=tif)
    settings = allow(PACIFICO_DEM_BUCKETS=f"other, {bucket}")
    inputs, parameters = stage(ask(dem=f"s3://{bucket}/a/ground.tif"), homed, settings, tmp_path / "in")
    assert inputs["dem"].read_bytes() == tif
    assert "dem" not in parameters
    with pytest.raises(NotFoundError, match="is not in the store"):
        stage(ask(dem=f"s3://{bucket}/a/none.tif"), homed, settings, tmp_path / "in2")


def test_no_other_bucket_is_asked(homed, tif, tmp_path, bucket):
    boto3.client("s3").put_object(Bucket=bucket, Key="ground.tif", Body=tif)
    for settings in (allow(), allow(PACIFICO_DEM_BUCKETS="other"), allow(PACIFICO_DEM_HOSTS=bucket)):
        with pytest.raises(InputError, match="PACIFICO_DEM_BUCKETS"):
            stage(ask(dem=f"s3://{bucket}/ground.tif"), homed, settings, tmp_path / settings.owner / str(id(settings)))


def test_a_bucket_that_does_not_answer_is_an_outside_fault(homed, tmp_path, bucket, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(StoreError, match="check the network"):
        stage(ask(dem=f"s3://{bucket}/x.tif"), homed, allow(PACIFICO_DEM_BUCKETS=bucket), tmp_path / "in")


def test_a_dem_from_an_allowed_host(homed, tif, tmp_path, monkeypatch):
    """What the transfer itself takes and refuses, test_download tells."""
    asked = []

    def fetch(url, path, *, limit, hosts, signals):
        asked.append((url, limit, hosts))
        path.write_bytes(tif if url.endswith("tif") else b"<VRTDataset/>")

    monkeypatch.setattr(staging, "download", fetch)
    settings = allow(PACIFICO_DEM_HOSTS="Dem.Example, b.example", PACIFICO_DEM_MAX_MB="3")
    inputs, _ = stage(ask(dem="https://DEM.example/a.tif"), homed, settings, tmp_path / "in")
    assert inputs["dem"].read_bytes() == tif
    assert asked == [("https://DEM.example/a.tif", 3 << 20, frozenset({"dem.example", "b.example"}))]
    with pytest.raises(InputError, match="is no GeoTIFF"):
        stage(ask(dem="https://dem.example/a.vrt"), homed, settings, tmp_path / "in2")
    with pytest.raises(InputError, match="PACIFICO_DEM_HOSTS"):
        stage(ask(dem="https://c.example/a.tif"), homed, settings, tmp_path / "in3")
    assert len(asked) == 2


@pytest.mark.parametrize(
    "dem",
    ["http://dem.example/a.tif", "file:///etc/passwd", "/etc/passwd", "../x.tif", "/vsicurl/http://a/b.tif", "gs://b/k.tif",
     "https://user@dem.example/a.tif", "upload:xyz", "ftp://dem.example/a.tif", "\\\\server\\share"],
)  # fmt: skip
def test_a_request_can_name_no_other_place(dem):
    with pytest.raises(ValueError, match=r"neither one of|signature, key or password"):
        ask(dem=dem)


@pytest.mark.parametrize("dem", ["https://127.0.0.1/a.tif", "https://[::1]/a.tif", "https://169.254.169.254/a.tif", "https://localhost/a.tif",
                                 "https://dem.example.evil.example/a.tif", "https://dem.example:8443.evil.example/a.tif", "https://dem.example:8443/a.tif", "https://[::1/a.tif"])  # fmt: skip
def test_hosts_that_are_not_named_are_refused(dem):
    with pytest.raises(InputError, match=r"places allowed|is no address"):
        check_dem(dem, allow(PACIFICO_DEM_HOSTS="dem.example"))


@pytest.mark.parametrize("value", [3, None, "x", "upload:zz", "https://dem.example/x.geojson", "/etc/passwd"])
def test_files_of_parameters_are_uploads_too(homed, tmp_path, value):
    with pytest.raises(InputError, match="takes an upload of its owner's"):
        stage(ask(parameters={"exclusions": value}), homed, allow(), tmp_path / "in")


# --- what an owner can write is read as any stranger's


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("suffix", "/../../../tmp/numba/index.nbi"),
        ("suffix", ".nbi"),
        ("suffix", 3),
        ("file", "../../../bob/sites/home/boundary.kml" + "x" * 64),
        ("sha256", "../../x"),
        ("sha256", "A" * 64),
        ("bytes", -1),
        ("bytes", "12"),
        ("site_id", "other"),
        ("name", "x" * 300),
        ("schema_version", "1"),
        ("schema_version", 0),
        ("more", True),
    ],
)
def test_a_planted_site_record_is_refused(homed, tmp_path, field, value):
    put_site(homed, **{field: value})
    with pytest.raises(InputError, match=r"site\.json"):
        stage(ask(), homed, allow(), tmp_path / "in" / "staged")
    assert [p for p in tmp_path.rglob("*") if "store" not in p.parts and p.is_file()] == []


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b"{", b"[" * 100_000, b'{"a": NaN}', bytes(1 << 20)])
@pytest.mark.parametrize("which", ["site", "upload"])
def test_records_that_make_no_sense_are_refused(homed, tif, tmp_path, which, content):
    name = put_upload(homed, tif)
    key = f"{keys.site('ann', 'home')}/site.json"
    if which == "upload":
        key = f"{keys.upload('ann', name.removeprefix('upload:'))}/upload.json"
    homed.put(key, content, kind="uploads")
    with pytest.raises(InputError):
        stage(ask(dem=name), homed, allow(), tmp_path / "in")


@pytest.mark.parametrize("which", ["site", "upload"])
def test_a_whole_record_has_a_size_at_most(homed, tif, tmp_path, which):
    """We write some hundred bytes: whoever writes more wants memory, not a site."""
    name = put_upload(homed, tif)
    key = f"{keys.site('ann', 'home')}/site.json"
    if which == "upload":
        key = f"{keys.upload('ann', name.removeprefix('upload:'))}/upload.json"
    whole = homed.read(key).data
    homed.put(key, whole + b" " * (MAX_RECORD_BYTES - len(whole)), kind="uploads")
    stage(ask(dem=name), homed, allow(), tmp_path / "in")
    homed.put(key, whole + b" " * (MAX_RECORD_BYTES + 1 - len(whole)), kind="uploads")
    with pytest.raises(TooLargeError):
        stage(ask(dem=name), homed, allow(), tmp_path / "in2")


def test_the_boundary_is_read_from_the_key_of_its_hash_whatever_the_record_says(homed, tmp_path):
    put_site(homed, file="../../secret")
    inputs, _ = stage(ask(), homed, allow(), tmp_path / "in")
    assert inputs["boundary"].read_bytes() == BOUNDARY


@pytest.mark.parametrize("suffix", ["/../../../x.py", ".py", ".pth", ".so", ".nbi", "../x", "\0", "." * 200])
def test_no_path_or_code_suffix_is_taken_from_an_upload(homed, tif, tmp_path, suffix):
    name = put_upload(homed, b"LOCATION", suffix=suffix)
    dem = put_upload(homed, tif, suffix=suffix)
    inputs, _ = stage(ask(dem=dem, parameters={"weather": name}), homed, allow(), tmp_path / "in")
    assert inputs["weather"] == tmp_path / "in" / "weather"
    assert inputs["dem"] == tmp_path / "in" / "dem.tif"


# --- metrics of a report


@pytest.mark.parametrize(
    "text",
    ['{"asset_count": NaN}', '{"asset_count": true}', '{"asset_count": "3"}', "[]", "", "{", '{"asset_count": 1e999}'],
)
def test_metrics_that_are_no_finite_numbers_are_told(tmp_path, text):
    (tmp_path / "metrics.json").write_text(text)
    with pytest.raises(MetricsError, match=r"metrics\.json"):
        metrics_of(tmp_path)


def test_metrics_of_a_report(tmp_path):
    assert metrics_of(tmp_path) == {}
    (tmp_path / "metrics.json").write_text('{"asset_count": 3, "road_length_m": null, "other": "x"}')
    assert metrics_of(tmp_path) == {"asset_count": 3}


# --- stop


def test_a_stop_ends_staging(homed, tif, tmp_path):
    signals = StopSignals()
    signals.interrupt.set()
    with pytest.raises(StoppedError):
        stage(ask(), homed, allow(), tmp_path / "in", signals)


# --- secrets


@pytest.mark.parametrize(
    "dem",
    [
        "https://h.example/a.tif?X-Amz-Signature=abc&v=1",
        "https://ann:pw@h.example/a.tif",
        "https://h.example/a.tif?api_key=abc",
        "https://h.example/a.tif?sv=2022&sig=abc",
    ],
)
def test_a_request_that_would_keep_a_secret_is_refused(dem):
    for fields in ({"dem": dem}, {"parameters": {"spec": {"note": [dem]}}}):
        with pytest.raises(ValueError, match="signature, key or password"):
            ask(**fields)
    ask(dem="https://h.example/a.tif?bbox=1,2&width=3")


@pytest.mark.parametrize(
    "dem",
    [
        "s3://store-of-jobs/owners/bob/uploads/x/file",
        "s3://store-of-jobs/a.tif",
        "https://store-of-jobs.s3.amazonaws.com/owners/bob/a.tif",
        "https://store-of-jobs.s3.eu-west-1.amazonaws.com/a.tif",
        "https://s3.eu-west-1.amazonaws.com/store-of-jobs/a.tif",
        "https://s3.eu-west-1.amazonaws.com/%73tore-of-jobs/a.tif",
    ],
)
def test_the_store_of_jobs_is_no_place_for_dems_whatever_the_settings_say(dem):
    hosts = {"store-of-jobs.s3.amazonaws.com", "store-of-jobs.s3.eu-west-1.amazonaws.com", "s3.eu-west-1.amazonaws.com"}
    settings = Settings(
        store="s3://store-of-jobs/prefix",
        owner="ann",
        dem_buckets=frozenset({"store-of-jobs"}),
        dem_hosts=frozenset(hosts),
    )
    with pytest.raises(InputError, match="in the store of jobs"):
        check_dem(dem, settings)
    check_dem("https://s3.eu-west-1.amazonaws.com/dems/store-of-jobs/a.tif", settings)


@pytest.mark.parametrize("key", ["ground#1.tif", "a/ground?b.tif", "ground%231.tif", "a+b%20c.tif", "é.tif"])
def test_every_character_of_a_key_counts(bucket, homed, tif, tmp_path, key):
    """Objects whose names differ after a '#' or '?' are different ground."""
    s3 = boto3.client("s3")
    s3.put_object(Bucket=bucket, Key=key, Body=tif)
    for other in (key.partition("#")[0], key.partition("?")[0], key.replace("%23", "#").replace("%20", " ")):
        if other != key:
            s3.put_object(Bucket=bucket, Key=other, Body=b"II*\x00another ground")
    inputs, _ = stage(ask(dem=f"s3://{bucket}/{key}"), homed, allow(PACIFICO_DEM_BUCKETS=bucket), tmp_path / "in")
    assert inputs["dem"].read_bytes() == tif


@pytest.mark.parametrize("query", ["versionId=abc", "VersionID=abc"])
def test_a_version_can_not_be_asked_for(query):
    with pytest.raises(InputError, match=r"query|signature"):
        check_dem(ask(dem=f"s3://dems/ground.tif?{query}").dem, allow(PACIFICO_DEM_BUCKETS="dems"))


def test_a_fragment_of_an_address_is_refused():
    with pytest.raises(InputError, match="%23"):
        check_dem("https://dems.example/a.tif#b", allow(PACIFICO_DEM_HOSTS="dems.example"))
