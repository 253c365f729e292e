"""Names of rasters for people: addresses without credentials, signatures and folders."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pacifico.escaping import decoded

REMOTE = ("http://", "https://", "s3://", "gs://", "az://", "/vsicurl", "/vsis3", "/vsigs", "/vsiaz")
"""How addresses and GDAL paths of remote rasters start."""
HIDDEN = "..."
"""What redacted parts of an address are replaced with."""

_SIGNED = re.compile(
    r"([?&](?:x-amz-[^=&\s]*|x-goog-[^=&\s]*|awsaccesskeyid|googleaccessid|key-pair-id|policy|expires|sig|signature|se|sp|sv|"
    r"sr|st|skoid|sktid|ske|sks|skv|[^=&\s]*(?:token|secret|password|passwd|credential|signature|api[-_]?key|apikey|auth)"
    r"[^=&\s]*|key|code)=)[^&#\s'\"<>]*",
    re.IGNORECASE,
)
_USER = re.compile(r"(\w[\w+.-]*://)[^/@\s'\"?#]+@")


def is_remote(source: str) -> bool:
    """Whether GDAL would read the source over a network."""
    return source.lower().startswith(REMOTE)


def redacted(text: str) -> str:
    """Text without user names, passwords and signatures of addresses.

    Examples
    --------
    >>> redacted("GET https://me:pw@example.org/dem.tif?X-Amz-Signature=ab12 failed")
    'GET https://...@example.org/dem.tif?X-Amz-Signature=... failed'
    """
    return _SIGNED.sub(rf"\g<1>{HIDDEN}", _USER.sub(rf"\g<1>{HIDDEN}@", text))


def display_name(source: str) -> str:
    """Last part of a path or address, without folders, credentials and query.

    In an S3 key `?` and `#` are ordinary characters and stay.
    """
    web = source.lower().startswith(("http://", "https://", "/vsicurl"))
    bare = source.split("?", 1)[0].split("#", 1)[0] if web else source
    name = bare.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    return redacted(decoded(name)) or "raster"


def host_of(url: str) -> str:
    """Host name of an address, or the bucket of an s3:// address."""
    if url.lower().startswith("s3://"):
        return url[len("s3://") :].split("/", 1)[0]
    return urlsplit(url).hostname or "its server"
