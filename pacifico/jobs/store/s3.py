"""The store in S3: conditional writes, encryption headers, lifecycle tags.

`pacifico.jobs.store.permissions` lists the IAM actions that it calls.
"""

from __future__ import annotations

import contextlib
import re
import threading
import time
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import boto3.exceptions
import botocore.session
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.utils import parse_timestamp

from pacifico.errors import InputError
from pacifico.jobs.store.base import (
    MAX_OBJECT_BYTES,
    PROBE_KEY,
    Blob,
    Entry,
    ExistsError,
    NoStoreError,
    NotFoundError,
    PermissionDeniedError,
    SignedUpload,
    Stat,
    StoreError,
    SwapRefusedError,
    check_size,
    content_type,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pacifico.jobs.settings import Encryption
    from pacifico.jobs.stop_signals import StopSignals
    from pacifico.jobs.store.base import StorageClass

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_REFUSED = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}
_MISSING = {"NoSuchKey", "404", "NotFound"}
_DENIED = {
    "AccessDenied", "403", "Forbidden", "AllAccessDisabled", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken",
    "InvalidToken", "KMS.AccessDeniedException", "AccountProblem",
}  # fmt: skip

#: Limits of one request. A lease outlasts several of these, so one slow reply loses no job. Keys of AWS KMS take signature
#: version 4 alone, so presigned addresses carry it too.
CONFIG = Config(
    connect_timeout=5,
    read_timeout=10,
    retries={"mode": "standard", "total_max_attempts": 3},
    max_pool_connections=32,
    signature_version="s3v4",
    s3={"addressing_style": "auto"},
)
_SMALL_BYTES = 1 << 20
"""Files up to this size are sent with one plain request: boto3 starts threads for each file that it transfers."""
_TRANSFER = TransferConfig(multipart_threshold=16 << 20, multipart_chunksize=16 << 20, max_concurrency=4)


class S3Store:
    """A bucket, or a prefix of one, as a store."""

    def __init__(
        self,
        url: str,
        *,
        sse: Encryption = "bucket",
        kms_key_id: str | None = None,
        session: boto3.Session | None = None,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme != "s3" or not _BUCKET.fullmatch(parts.netloc) or parts.query or parts.fragment:
            raise InputError(f"store {url!r} is no s3://bucket[/prefix]; set PACIFICO_STORE")
        self._bucket = parts.netloc
        prefix = parts.path.strip("/")
        self._prefix = prefix + "/" if prefix else ""
        session = session or boto3.Session(botocore_session=_session())
        self._client = session.client("s3", config=CONFIG)
        self._encryption = encryption_headers(sse, kms_key_id)
        self._clock = _Clock()
        self._client.meta.events.register("after-call.s3", self._read_clock)

    @property
    def url(self) -> str:
        """`s3://bucket[/prefix]`."""
        return f"s3://{self._bucket}/{self._prefix}".rstrip("/")

    def now(self) -> float:
        """Seconds since 1970 by S3's clock, from the dates of its replies."""
        seconds = self._clock.now()
        if seconds is None:
            # Any reply carries the date, also 'not found' and 'access denied'.
            with contextlib.suppress(NotFoundError, PermissionDeniedError), self._translated("clock"):
                self._client.head_object(Bucket=self._bucket, Key=self._prefix + "clock")
            seconds = self._clock.now()
        if seconds is None:
            raise StoreError(f"store {self.url}: replies carry no Date; use an S3 store that sends one")
        return seconds

    def probe(self) -> None:
        """Return when the bucket answers and may be read; else raise StoreError."""
        with contextlib.suppress(NotFoundError):
            self.read(PROBE_KEY)

    def read(self, key: str, *, limit: int = MAX_OBJECT_BYTES) -> Blob:
        """Read an object; NotFoundError where there is none, TooLargeError over `limit` bytes."""
        with self._translated(key):
            reply = self._client.get_object(Bucket=self._bucket, Key=self._key(key))
            with contextlib.closing(reply["Body"]) as body:
                check_size(key, reply["ContentLength"], limit)
                data = body.read()
        date = _date(reply)
        if date is None:
            raise StoreError(f"store {self.url}: a reply carries no Date; use an S3 store that sends one")
        return Blob(data, reply["ETag"], max(0.0, date - reply["LastModified"].timestamp()))

    def create(self, key: str, data: bytes, *, kind: StorageClass) -> str:
        """Write where nothing is; else ExistsError."""
        try:
            with self._translated(key):
                return self._put(key, data, kind, IfNoneMatch="*")
        except SwapRefusedError:
            raise ExistsError(f"{key} is written already") from None

    def swap(self, key: str, data: bytes, version: str, *, kind: StorageClass) -> str:
        """Replace that version alone; else SwapRefusedError."""
        try:
            with self._translated(key):
                return self._put(key, data, kind, IfMatch=version)
        except NotFoundError as error:
            raise SwapRefusedError(f"{key} is not in the store") from error

    def put(self, key: str, data: bytes, *, kind: StorageClass) -> None:
        """Write unconditionally."""
        with self._translated(key):
            self._put(key, data, kind)

    def put_file(self, key: str, path: Path, *, kind: StorageClass, sha256: str = "") -> None:
        """Write a file of any size, in parts where it is large.

        Parameters
        ----------
        key : str
            Object.
        path : Path
            File to copy.
        kind : StorageClass
            Storage class.
        sha256 : str
            Hash of the file, for `stat`.
        """
        about: dict[str, Any] = {"Metadata": {"sha256": sha256}} if sha256 else {}
        if path.stat().st_size <= _SMALL_BYTES:
            with self._translated(key):
                self._put(key, path.read_bytes(), kind, **about)
            return
        extra = {**self._encryption, "ContentType": content_type(key), "Tagging": f"class={kind}", **about}
        with self._translated(key):
            self._client.upload_file(str(path), self._bucket, self._key(key), ExtraArgs=extra, Config=_TRANSFER)

    def get_file(self, key: str, path: Path, *, limit: int | None = None, signals: StopSignals | None = None) -> None:
        """Copy an object to a file; TooLargeError over `limit` bytes."""
        with self._translated(key):
            head = self._client.head_object(Bucket=self._bucket, Key=self._key(key))
            check_size(key, head["ContentLength"], limit)
            path.parent.mkdir(parents=True, exist_ok=True)
            progress = _Transfer(key, limit, signals)
            self._client.download_file(self._bucket, self._key(key), str(path), Config=_TRANSFER, Callback=progress.add)

    def stat(self, key: str) -> Stat:
        """Size and age of an object; NotFoundError where there is none."""
        with self._translated(key):
            head = self._client.head_object(Bucket=self._bucket, Key=self._key(key))
        age_s = max(0.0, self.now() - head["LastModified"].timestamp())
        return Stat(head["ContentLength"], age_s, head.get("Metadata", {}).get("sha256", ""))

    def list(self, prefix: str, *, after: str = "") -> Iterator[Entry]:
        """List the keys under a prefix that follow `after`, in order."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket,
            Prefix=self._prefix + prefix,
            StartAfter=self._prefix + after if after else "",
        )
        with self._translated(prefix):
            for page in pages:
                for found in page.get("Contents", []):
                    yield Entry(
                        found["Key"].removeprefix(self._prefix), found["Size"], found["LastModified"].timestamp()
                    )

    def delete(self, key: str) -> None:
        """Delete an object; do nothing where there is none."""
        with self._translated(key):
            self._client.delete_object(Bucket=self._bucket, Key=self._key(key))

    def presign_get(self, key: str, *, expires_s: int) -> str:
        """Return a temporary address of the object."""
        parameters = {"Bucket": self._bucket, "Key": self._key(key)}
        return str(self._client.generate_presigned_url("get_object", Params=parameters, ExpiresIn=expires_s))

    def presign_put(
        self, key: str, *, expires_s: int, kind: StorageClass, size_bytes: int | None = None
    ) -> SignedUpload:
        """Return a temporary address for one upload, and its headers.

        Parameters
        ----------
        key : str
            Object.
        expires_s : int
            Time until the address expires [s].
        kind : StorageClass
            Storage class.
        size_bytes : int, optional
            The only size that is accepted [bytes]; by default any.
        """
        parameters: dict[str, Any] = {
            "Bucket": self._bucket,
            "Key": self._key(key),
            "ContentType": content_type(key),
            "Tagging": f"class={kind}",
            **self._encryption,
        }
        if size_bytes is not None:
            parameters["ContentLength"] = size_bytes  # signed: S3 refuses a request of another length
        address = self._client.generate_presigned_url("put_object", Params=parameters, ExpiresIn=expires_s)
        headers = {"Content-Type": content_type(key), "x-amz-tagging": f"class={kind}"}
        if size_bytes is not None:
            headers["Content-Length"] = str(size_bytes)
        if "ServerSideEncryption" in self._encryption:
            headers["x-amz-server-side-encryption"] = self._encryption["ServerSideEncryption"]
        if "SSEKMSKeyId" in self._encryption:
            headers["x-amz-server-side-encryption-aws-kms-key-id"] = self._encryption["SSEKMSKeyId"]
        return SignedUpload(str(address), headers, expires_s)

    def _key(self, key: str) -> str:
        if any(part in ("", ".", "..") for part in key.split("/")) or "\0" in key:
            raise InputError(f"key {key[:80]!r} would leave its place in the store; use names without '..'")
        return self._prefix + key

    def _put(self, key: str, data: bytes, kind: StorageClass, **more: Any) -> str:
        """Write an object; return its ETag.

        Parameters
        ----------
        key : str
            Object.
        data : bytes
            Content.
        kind : StorageClass
            Storage class.
        **more
            Conditions of the write, or metadata.
        """
        options: dict[str, Any] = {**self._encryption, **more}
        reply = self._client.put_object(
            Bucket=self._bucket,
            Key=self._key(key),
            Body=data,
            ContentType=content_type(key),
            Tagging=f"class={kind}",
            **options,
        )
        return str(reply["ETag"])

    def _read_clock(self, parsed: Any, **_: Any) -> None:
        """Set the clock by the date of any reply."""
        if (date := _date(parsed)) is not None:
            self._clock.set_from(date)

    @contextlib.contextmanager
    def _translated(self, key: str) -> Iterator[None]:
        """Turn errors of boto3 into the store's: absence, rights and outages apart."""
        try:
            yield
        except ClientError as error:
            raise self._failure(key, error) from error
        except (BotoCoreError, HTTPClientError, boto3.exceptions.Boto3Error) as error:
            raise StoreError(f"store {self.url}: {key}: {error}; check the network and the credentials") from error

    def _failure(self, key: str, error: ClientError) -> Exception:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in _REFUSED:
            return SwapRefusedError(f"{key}: refused by the store ({code})")
        if code in _MISSING:
            return NotFoundError(f"{key} is not in the store {self.url}")
        if code in _DENIED:
            return PermissionDeniedError(f"store {self.url}: {key}: access denied ({code}); check this role's rights")
        if code == "NoSuchBucket":
            return NoStoreError(f"store {self.url}: there is no such bucket; check PACIFICO_STORE")
        return StoreError(f"store {self.url}: {key}: {code}: {error}; check bucket, rights and region")


def encryption_headers(sse: Encryption, kms_key_id: str | None) -> dict[str, str]:
    """Arguments by which writes ask for encryption."""
    if sse == "bucket":
        return {}
    return {"ServerSideEncryption": sse, **({"SSEKMSKeyId": kms_key_id} if sse == "aws:kms" and kms_key_id else {})}


def _session() -> botocore.session.Session:
    """Make a session that parses times with the standard library, which is faster."""
    session = botocore.session.get_session()
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_time)
    return session


def _time(value: Any) -> datetime:
    """Read a time of S3's bodies or headers."""
    with contextlib.suppress(ValueError, TypeError):
        found = datetime.fromisoformat(value)
        if found.tzinfo is not None:
            return found
    return parse_timestamp(value)


def _date(reply: Any) -> float | None:
    """Date of a reply [s since 1970]."""
    text = reply["ResponseMetadata"]["HTTPHeaders"].get("date")
    return None if text is None else parsedate_to_datetime(text).timestamp()


class _Transfer:
    """Limit and stop of one download.

    An owner may write a larger object while it is read, so what arrives is counted, too.
    """

    def __init__(self, key: str, limit: int | None, signals: StopSignals | None) -> None:
        self._key = key
        self._limit = limit
        self._signals = signals
        self._bytes = 0
        self._lock = threading.Lock()

    def add(self, count: int) -> None:
        """Count bytes that arrived; raise where they are too many, or the job is told to stop."""
        if self._signals is not None:
            self._signals.check()
        with self._lock:
            self._bytes += count
            check_size(self._key, self._bytes, self._limit)


class _Clock:
    """S3's clock from the dates of its replies.

    Each to the second, several together closer.
    """

    def __init__(self) -> None:
        self._offset: float | None = None
        self._lock = threading.Lock()

    def set_from(self, date: float) -> None:
        """Set the clock by a reply's Date [s since 1970]."""
        offset = date - time.monotonic()
        with self._lock:
            # The true offset is at least every sample; a sample far below means that the store's clock was set back.
            if self._offset is None or offset > self._offset or offset < self._offset - 5:
                self._offset = offset

    def now(self) -> float | None:
        """Time now [s since 1970]; None before the first reply."""
        with self._lock:
            return None if self._offset is None else self._offset + time.monotonic()
