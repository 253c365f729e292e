"""Files of stored reports, checked against their hashes."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.request import urlopen

from pacifico.errors import OutsideServiceError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pacifico.jobs.client import JobClient


def artifact(client: JobClient, status: Mapping[str, Any], name: str) -> bytes:
    """File of a report, checked against its hash.

    Raises
    ------
    NotFoundError
        The report has no such file.
    OutsideServiceError
        The store failed, or returned another file.
    """
    address = client.presign_download(status["layout_id"], name)
    try:
        with urlopen(address, timeout=60) as reply:  # noqa: S310 (an address from the store itself)
            content: bytes = reply.read()
    except (URLError, OSError) as error:
        raise OutsideServiceError(f"{name} of layout {status['layout_id']} can't be read: {error}") from None
    if hashlib.sha256(content).hexdigest() != status["artifacts"][name]["sha256"]:
        raise OutsideServiceError(f"{name} of layout {status['layout_id']} is not the file that the job made")
    return content
