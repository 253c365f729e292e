"""The store in S3: headers, signed addresses, rights and outages."""

from __future__ import annotations

import gc
import threading
import urllib.parse
import urllib.request
import warnings
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from pacifico.errors import OutsideServiceError
from pacifico.jobs.store.base import NoStoreError, NotFoundError, PermissionDeniedError, StoreError, TooLargeError
from pacifico.jobs.store.s3 import S3Store


def test_presigned_put_s3(aws, bucket):
    store = S3Store(f"s3://{bucket}")
    signed = store.presign_put("u/site.kml", expires_s=60, kind="uploads")
    request = urllib.request.Request(signed.url, data=b"<kml/>", method="PUT", headers=dict(signed.headers))
    with urllib.request.urlopen(request) as reply:
        assert reply.status == 200
    assert store.read("u/site.kml").data == b"<kml/>"


def test_the_size_of_an_upload_is_signed(aws, bucket):
    """A server that checks signatures refuses another length, as it refuses another key."""
    signed = S3Store(f"s3://{bucket}").presign_put("u/site.kml", expires_s=60, kind="uploads", size_bytes=6)
    assert signed.headers["Content-Length"] == "6"
    assert "content-length" in urllib.parse.unquote(signed.url.split("X-Amz-SignedHeaders=")[1].split("&")[0]).split(
        ";"
    )
    assert "X-Amz-Expires=60" in signed.url


def test_s3_headers(aws, bucket):
    import boto3

    store = S3Store(f"s3://{bucket}", sse="AES256")
    store.put("r/report.html", b"", kind="reports")
    s3 = boto3.client("s3")
    head = s3.head_object(Bucket=bucket, Key="r/report.html")
    assert head["ContentType"] == "text/html; charset=utf-8"
    assert head["ServerSideEncryption"] == "AES256"
    assert s3.get_object_tagging(Bucket=bucket, Key="r/report.html")["TagSet"] == [{"Key": "class", "Value": "reports"}]


def test_a_store_that_is_away_is_an_outside_failure(monkeypatch, aws, tmp_path):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    store = S3Store("s3://bucket")
    with pytest.raises(StoreError, match="check the network"):
        store.read("a")
    assert issubclass(StoreError, OutsideServiceError)


@pytest.mark.parametrize("answer", [403, 404, 200])
def test_the_time_is_told_by_a_reply_of_any_kind(monkeypatch, aws, answer):
    """A submitter may look at his own folder alone: that a request is refused tells the time, too."""
    asked = []

    class Refuses(BaseHTTPRequestHandler):
        def do_HEAD(self):
            asked.append(self.path)
            self.send_response_only(answer)
            self.send_header("Date", "Mon, 01 Jan 2035 00:00:00 GMT")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Refuses)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    store = S3Store("s3://bucket/p")
    assert abs(store.now() - datetime(2035, 1, 1, tzinfo=UTC).timestamp()) < 10
    store.now()
    assert len(asked) == 1  # once heard, the time goes on by itself
    server.shutdown()
    server.server_close()


class Answers:
    """An S3 server on loopback that answers every request with one status and code."""

    def __init__(self, status, code):
        body = f"<Error><Code>{code}</Code></Error>".encode()

        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.send_response(status)
                self.send_header("Content-Length", str(0 if self.command == "HEAD" else len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_GET = do_PUT = do_HEAD = do_DELETE = answer  # noqa: N815 (the base class's names)

            def log_message(self, *args):
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (403, "AccessDenied", PermissionDeniedError),
        (403, "SignatureDoesNotMatch", PermissionDeniedError),
        (400, "ExpiredToken", PermissionDeniedError),
        (404, "NoSuchKey", NotFoundError),
        (404, "NoSuchBucket", NoStoreError),
        (503, "SlowDown", StoreError),
        (500, "InternalError", StoreError),
    ],
)
def test_rights_absence_and_outage_are_three_things(aws, monkeypatch, status, code, error):
    server = Answers(status, code)
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    store = S3Store("s3://bucket")
    with pytest.raises((NotFoundError, StoreError)) as caught:
        store.read("a")
    server.close()
    assert type(caught.value) is error


@pytest.mark.parametrize(("status", "error"), [(403, PermissionDeniedError), (404, NotFoundError)])
def test_a_reply_without_a_body_tells_rights_from_absence_too(aws, monkeypatch, tmp_path, status, error):
    server = Answers(status, "")
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    with pytest.raises(error):
        S3Store("s3://bucket").get_file("a", tmp_path / "x")
    server.close()


def test_a_probe_passes_where_the_store_answers_and_fails_else(aws, bucket, monkeypatch):
    S3Store(f"s3://{bucket}").probe()
    with pytest.raises(NoStoreError, match="PACIFICO_STORE"):
        S3Store("s3://no-such-bucket-of-ours").probe()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(StoreError, match="check the network"):
        S3Store(f"s3://{bucket}").probe()


KEY = "arn:aws:kms:us-east-1:123456789012:key/1"


@pytest.mark.parametrize(
    ("sse", "key_id", "headers"),
    [
        ("bucket", None, {}),
        ("AES256", None, {"x-amz-server-side-encryption": "AES256"}),
        ("aws:kms", None, {"x-amz-server-side-encryption": "aws:kms"}),
        (
            "aws:kms",
            KEY,
            {"x-amz-server-side-encryption": "aws:kms", "x-amz-server-side-encryption-aws-kms-key-id": KEY},
        ),
    ],
)
def test_one_setting_chooses_the_encryption_of_writes_and_signed_uploads(aws, bucket, sse, key_id, headers):
    store = S3Store(f"s3://{bucket}", sse=sse, kms_key_id=key_id)
    signed = store.presign_put("u/site.kml", expires_s=60, kind="uploads")
    assert {k: v for k, v in signed.headers.items() if "encryption" in k} == headers
    request = urllib.request.Request(signed.url, data=b"<kml/>", method="PUT", headers=dict(signed.headers))
    with urllib.request.urlopen(request) as reply:
        assert reply.status == 200
    store.put("written", b"", kind="jobs")
    import boto3

    s3 = boto3.client("s3")
    modes = {s3.head_object(Bucket=bucket, Key=key).get("ServerSideEncryption") for key in ("u/site.kml", "written")}
    assert len(modes) == 1  # both ways ask for the same
    if sse != "bucket":
        assert modes == {sse}


def test_signed_addresses_carry_signature_version_4(aws, bucket):
    """A bucket with a KMS key takes no other."""
    store = S3Store(f"s3://{bucket}")
    for url in (store.presign_get("a", expires_s=60), store.presign_put("a", expires_s=60, kind="uploads").url):
        assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in url


@pytest.mark.parametrize("size", [200, 20 << 20])
def test_an_object_that_grows_while_it_is_read_stays_within_its_limit(aws, bucket, tmp_path, size):
    """An owner may write a larger one after its size was asked for, to fill the disk of a worker."""
    store = S3Store(f"s3://{bucket}")
    store.put("u/file", bytes(100), kind="uploads")
    other, swaps = S3Store(f"s3://{bucket}"), []

    def swap(**_):
        if not swaps:
            swaps.append(size)
            path = tmp_path / "large"
            path.write_bytes(bytes(size))
            other.put_file("u/file", path, kind="uploads")

    store._client.meta.events.register("after-call.s3.HeadObject", swap)
    with pytest.raises(TooLargeError, match=r"at most 0\.0 MB"):
        store.get_file("u/file", tmp_path / "copy", limit=150)
    assert swaps
    with warnings.catch_warnings():  # boto3 leaves the connection of a stopped transfer to the garbage collector
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
