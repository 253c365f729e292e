"""Rasters in S3, read by ranges through GDAL: addresses, options and refusals.

GDAL finds the credentials: the AWS variables of the process, `~/.aws`, or the role of the machine or task.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pacifico.errors import DEMError
from pacifico.terrain.raster.addresses import display_name, host_of

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEME = "s3://"

_REFUSALS = (
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
"""Patterns of GDAL's messages for refusals that another try would meet again, and our message for each."""


def gdal_path(url: str) -> str:
    """GDAL path of an s3:// address; every character of the key counts.

    `?` and `#` are ordinary characters of a key and name the object.

    Raises
    ------
    DEMError
        The address asks for a version of an object, holds credentials, or names no object.
    """
    bucket, _, key = url[len(SCHEME) :].partition("/")
    if "@" in bucket:
        raise DEMError(
            f"{display_name(url)}: an s3:// address holds no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    if not bucket or not key:
        raise DEMError(f"s3://{bucket}/{key} names no object; write it as s3://bucket/folder/dem.tif")
    if re.search(r"\?(versionId|X-Amz-[\w-]+|AWSAccessKeyId)=", key, re.IGNORECASE):
        raise DEMError(
            f"{display_name(url)}: an s3:// address takes no query, versions and signatures included; copy that version to a "
            "key of its own, or give its signed https address"
        )
    return f"/vsis3/{bucket}/{key}"


def gdal_options(url: str, endpoint: str | None) -> dict[str, str]:
    """GDAL configuration for a read.

    Parameters
    ----------
    url : str
        s3:// address. GDAL must not remember its objects: one that was missed once would stay missing.
    endpoint : str or None
        Address of a server other than AWS.
    """
    options = {"CPL_VSIL_CURL_NON_CACHED": f"/vsis3/{host_of(url)}"}
    if endpoint:
        parts = urlsplit(endpoint)
        options["AWS_S3_ENDPOINT"] = parts.netloc + parts.path.rstrip("/")
        options["AWS_HTTPS"] = "YES" if parts.scheme == "https" else "NO"
        options["AWS_VIRTUAL_HOSTING"] = "FALSE"
    return options


def endpoint_from(environ: Mapping[str, str]) -> str | None:
    """Address of an S3 server other than AWS, from the environment."""
    return environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL") or None


def refusal(reason: str) -> str | None:
    """Message for a lasting refusal; None for a temporary failure."""
    return next((said for pattern, said in _REFUSALS if re.search(pattern, reason, re.IGNORECASE)), None)
