"""The store in S3: conditional writes, encryption headers, lifecycle tags.

IAM actions it calls: `pacifico.jobs.permissions` lists them.
"""

from __future__ import annotations

import contextlib
import re
import threading
import time
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
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
    Blob,
    Entry,
    ExistsError,
    NotFoundError,
    SignedUpload,
    StoreError,
    SwapRefusedError,
    content_type,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pacifico.jobs.settings import Encryption
    from pacifico.jobs.store.base import StorageClass

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_REFUSED = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}
_MISSING = {"NoSuchKey", "404", "NotFound", "AccessDenied", "403", "Forbidden"}

#: One request's patience. A lease outlives several of these, so that one slow reply loses no job.
CONFIG = Config(
    connect_timeout=5,
    read_timeout=10,
    retries={"mode": "standard", "total_max_attempts": 3},
    max_pool_connections=32,
    s3={"addressing_style": "auto"},
)
_TRANSFER = TransferConfig(multipart_threshold=16 << 20, multipart_chunksize=16 << 20, max_concurrency=4)


class S3Store:
    """A bucket, or a prefix of one, as a store."""

    def __init__(self, url: str, *, sse: Encryption = "AES256", kms_key_id: str | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme != "s3" or not _BUCKET.fullmatch(parts.netloc) or parts.query or parts.fragment:
            raise InputError(f"store {url!r} is no s3://bucket[/prefix]; set PACIFICO_STORE")
        self._bucket = parts.netloc
        prefix = parts.path.strip("/")
        self._prefix = prefix + "/" if prefix else ""
        self._client = boto3.Session(botocore_session=_session()).client("s3", config=CONFIG)
        self._headers: dict[str, str] = {}
        if sse != "none":
            self._headers["ServerSideEncryption"] = sse
        if sse == "aws:kms" and kms_key_id:
            self._headers["SSEKMSKeyId"] = kms_key_id
        self._clock = _Clock()
        self._client.meta.events.register("after-call.s3", self._hear)

    @property
    def url(self) -> str:
        """`s3://bucket[/prefix]`."""
        return f"s3://{self._bucket}/{self._prefix}".rstrip("/")

    def now(self) -> float:
        """Seconds since 1970 by S3's clock, as its replies tell it."""
        told = self._clock.now()
        if told is None:
            # Any reply tells it: also that nothing is there, or that this role may not look.
            with contextlib.suppress(NotFoundError), self._failing("clock", missing=True):
                self._client.head_object(Bucket=self._bucket, Key=self._prefix + "clock")
            told = self._clock.now()
        if told is None:
            raise StoreError(f"store {self.url}: replies carry no Date; an S3 store must send one")
        return told

    def read(self, key: str) -> Blob:
        """Read a small object; NotFoundError where there is none, or none of ours."""
        with self._failing(key, missing=True):
            reply = self._client.get_object(Bucket=self._bucket, Key=self._key(key))
            data = reply["Body"].read()
        date = _date(reply)
        if date is None:
            raise StoreError(f"store {self.url}: a reply carries no Date; an S3 store must send one")
        return Blob(data, reply["ETag"], max(0.0, date - reply["LastModified"].timestamp()))

    def create(self, key: str, data: bytes, *, kind: StorageClass) -> str:
        """Write where nothing is; else ExistsError."""
        try:
            with self._failing(key):
                return self._put(key, data, kind, IfNoneMatch="*")
        except SwapRefusedError:
            raise ExistsError(f"{key} is written already") from None

    def swap(self, key: str, data: bytes, version: str, *, kind: StorageClass) -> str:
        """Write over that version alone; else SwapRefusedError."""
        with self._failing(key, swapping=True):
            return self._put(key, data, kind, IfMatch=version)

    def put(self, key: str, data: bytes, *, kind: StorageClass) -> None:
        """Write, whatever is there."""
        with self._failing(key):
            self._put(key, data, kind)

    def put_file(self, key: str, path: Path, *, kind: StorageClass) -> None:
        """Write a file of any size, in parts where it is large."""
        extra = {**self._headers, "ContentType": content_type(key), "Tagging": f"class={kind}"}
        with self._failing(key):
            self._client.upload_file(str(path), self._bucket, self._key(key), ExtraArgs=extra, Config=_TRANSFER)

    def get_file(self, key: str, path: Path, *, limit: int | None = None) -> None:
        """Read an object of any size into a file; InputError where it is over `limit` bytes."""
        with self._failing(key, missing=True):
            head = self._client.head_object(Bucket=self._bucket, Key=self._key(key))
            size = head["ContentLength"]
            if limit is not None and size > limit:
                raise InputError(f"{Path(key).name} has {size / 1e6:.1f} MB; at most {limit / 1e6:.1f} MB are taken")
            path.parent.mkdir(parents=True, exist_ok=True)
            self._client.download_file(self._bucket, self._key(key), str(path), Config=_TRANSFER)

    def list(self, prefix: str) -> Iterator[Entry]:
        """List the keys under a prefix, in their order."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._prefix + prefix
        )
        with self._failing(prefix):
            for page in pages:
                for found in page.get("Contents", []):
                    yield Entry(
                        found["Key"].removeprefix(self._prefix), found["Size"], found["LastModified"].timestamp()
                    )

    def delete(self, key: str) -> None:
        """Delete; where nothing is, do nothing."""
        with self._failing(key):
            self._client.delete_object(Bucket=self._bucket, Key=self._key(key))

    def presign_get(self, key: str, *, expires_s: int) -> str:
        """Sign an address that anyone may read the object from, for a while."""
        parameters = {"Bucket": self._bucket, "Key": self._key(key)}
        return str(self._client.generate_presigned_url("get_object", Params=parameters, ExpiresIn=expires_s))

    def presign_put(self, key: str, *, expires_s: int, kind: StorageClass) -> SignedUpload:
        """Sign an address that anyone may write the object to, for a while: with these headers and no others."""
        parameters = {
            "Bucket": self._bucket,
            "Key": self._key(key),
            "ContentType": content_type(key),
            "Tagging": f"class={kind}",
            **self._headers,
        }
        address = self._client.generate_presigned_url("put_object", Params=parameters, ExpiresIn=expires_s)
        headers = {"Content-Type": content_type(key), "x-amz-tagging": f"class={kind}"}
        if "ServerSideEncryption" in self._headers:
            headers["x-amz-server-side-encryption"] = self._headers["ServerSideEncryption"]
        if "SSEKMSKeyId" in self._headers:
            headers["x-amz-server-side-encryption-aws-kms-key-id"] = self._headers["SSEKMSKeyId"]
        return SignedUpload(str(address), headers, expires_s)

    def _key(self, key: str) -> str:
        if any(part in ("", ".", "..") for part in key.split("/")) or "\0" in key:
            raise InputError(f"key {key[:80]!r} would leave its place in the store")
        return self._prefix + key

    def _put(self, key: str, data: bytes, kind: StorageClass, **condition: str) -> str:
        options: dict[str, Any] = {**self._headers, **condition}
        reply = self._client.put_object(
            Bucket=self._bucket,
            Key=self._key(key),
            Body=data,
            ContentType=content_type(key),
            Tagging=f"class={kind}",
            **options,
        )
        return str(reply["ETag"])

    def _hear(self, parsed: Any, **_: Any) -> None:
        """Learn the time from a reply of any kind."""
        if (date := _date(parsed)) is not None:
            self._clock.hear(date)

    @contextlib.contextmanager
    def _failing(self, key: str, *, missing: bool = False, swapping: bool = False) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in _REFUSED or (swapping and code in ("NoSuchKey", "404")):
                raise SwapRefusedError(f"{key}: refused by the store ({code})") from error
            if missing and code in _MISSING:
                raise NotFoundError(f"{key} is not in the store {self.url}, or not yours") from error
            raise StoreError(f"store {self.url}: {key}: {code}: {error}; check bucket, rights and region") from error
        except (BotoCoreError, HTTPClientError, boto3.exceptions.Boto3Error) as error:
            raise StoreError(f"store {self.url}: {key}: {error}; check the network and the credentials") from error


def _session() -> botocore.session.Session:
    """Make a session that reads the times of a listing by the standard library: ten thousand take 0.4 s otherwise."""
    session = botocore.session.get_session()
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_time)
    return session


def _time(value: Any) -> datetime:
    """Read a time as S3 writes it: ISO 8601 in bodies, RFC 5322 in headers."""
    with contextlib.suppress(ValueError, TypeError):
        found = datetime.fromisoformat(value)
        if found.tzinfo is not None:
            return found
    return parse_timestamp(value)


def _date(reply: Any) -> float | None:
    """When S3 says that it replied [s since 1970]."""
    text = reply["ResponseMetadata"]["HTTPHeaders"].get("date")
    return None if text is None else parsedate_to_datetime(text).timestamp()


class _Clock:
    """S3's clock, as its replies tell it: to the second each, closer over several."""

    def __init__(self) -> None:
        self._offset: float | None = None
        self._lock = threading.Lock()

    def hear(self, date: float) -> None:
        """Take a reply's Date [s since 1970], which is up to one second behind."""
        offset = date - time.monotonic()
        with self._lock:
            # The true offset is at least every sample; a sample far below means that the store's clock was set back.
            if self._offset is None or offset > self._offset or offset < self._offset - 5:
                self._offset = offset

    def now(self) -> float | None:
        with self._lock:
            return None if self._offset is None else self._offset + time.monotonic()
