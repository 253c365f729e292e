"""Rasters in S3, read by ranges through GDAL: what it is told of the place, and what its refusals mean.

Credentials are GDAL's to find: the AWS variables of the process, `~/.aws`, or the role of the machine or task.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEME = "s3://"

_LASTING = (
    (r"NoSuchKey|specified key does not exist|response code: 404", "there is no such object; check the key"),
    (r"NoSuchBucket|specified bucket does not exist", "there is no such bucket; check its name"),
    (
        r"AWS_SECRET_ACCESS_KEY and AWS_NO_SIGN_REQUEST",
        "no AWS credentials were found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_NO_SIGN_REQUEST=YES for a public bucket",
    ),
    (
        r"Access ?Denied|Access Key Id|Signature|security token|Forbidden|ExpiredToken|response code: 40[13]",
        "access is refused; check the AWS credentials and their rights to the bucket (s3:GetObject)",
    ),
)
"""Refusals that another try meets again, as GDAL words them, and what to say of each."""


def gdal_path(url: str) -> str:
    """Path by which GDAL reads an s3:// address by ranges."""
    return "/vsis3/" + url[len(SCHEME) :]


def gdal_options(url: str, endpoint: str | None) -> dict[str, str]:
    """GDAL configuration for a read: nothing kept of objects that were missed once, and where a server other than AWS is."""
    options = {"CPL_VSIL_CURL_NON_CACHED": f"/vsis3/{urlsplit(url).netloc}"}
    if endpoint:
        parts = urlsplit(endpoint)
        options["AWS_S3_ENDPOINT"] = parts.netloc + parts.path.rstrip("/")
        options["AWS_HTTPS"] = "YES" if parts.scheme == "https" else "NO"
        options["AWS_VIRTUAL_HOSTING"] = "FALSE"
    return options


def endpoint_from(environ: Mapping[str, str]) -> str | None:
    """Address of an S3 server other than AWS, by the variables that AWS's own tools read."""
    return environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL") or None


def refusal(reason: str) -> str | None:
    """What to say of a refusal that would come again; None for a fault that may pass."""
    return next((said for pattern, said in _LASTING if re.search(pattern, reason, re.IGNORECASE)), None)
