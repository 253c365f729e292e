"""Checks of reports that a stranger may have made.

Nothing outside such a report is read, and its maker gets no network unasked. A manifest is text that anybody can write. So its paths must lead to plain files within the report, its notebook must be one
that makes reports, and parameters that open a file must name one of the report's inputs.
"""

from __future__ import annotations

import re
import stat
from typing import TYPE_CHECKING, Any

from pacifico.errors import InputError
from pacifico.run.redact import redact

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from pacifico.run.notebooks import Template

#: Parameters of the shipped notebooks that open a file, a source or an address.
FILE_PARAMETERS = ("boundary", "dem", "exclusions", "roads", "weather", "rules")
#: DEM sources that are read over the network.
NETWORK_SOURCES = frozenset({"3dep", "3dep-30", "glo30"})
_ADDRESS = re.compile(r"(https?|s3)://", re.IGNORECASE)
#: Names without a path: sources and rule packs that ship.
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
#: First bytes of TIFF and BigTIFF in both byte orders. Other rasters, such as VRT, may name files and addresses.
_TIFF = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")

#: The network for a kernel that must not use it: a proxy that nobody serves.
OFFLINE = {
    **dict.fromkeys(
        ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "GDAL_HTTP_PROXY"),
        "http://127.0.0.1:9",
    ),
    "no_proxy": "",
    "NO_PROXY": "",
    "PROJ_NETWORK": "OFF",
}


def file_in(report: Path, name: object) -> Path:
    """Plain file of a report folder, by its path.

    Raises
    ------
    InputError
        The path leads out of the folder, or to no plain file.
    """
    parts = str(name).split("/")
    if (
        not isinstance(name, str)
        or len(name) > 500
        or any(p in ("", ".", "..") or "\\" in p or "\0" in p for p in parts)
    ):
        raise InputError(
            f"the report names the file {str(name)[:80]!r}, which is outside it; ask its maker for a whole report"
        )
    path = report
    for part in parts:
        path /= part
        if path.is_symlink():
            raise InputError(f"{path} is a link; a report holds plain files: ask its maker for a whole report")
    try:
        kind = path.stat().st_mode
    except OSError:
        raise InputError(f"{path} is missing: without it the report can't be used") from None
    if not stat.S_ISREG(kind):
        raise InputError(f"{path} is no plain file; ask its maker for a whole report")
    return path


def check_template(template: Template) -> None:
    """Refuse notebooks that act for an owner of jobs.

    Raises
    ------
    InputError
        The notebook submits or reads jobs.
    """
    if "owner" in template.parameters:
        raise InputError(f"notebook {template.name} works with jobs and makes no report; name layout_report")


def check_parameters(parameters: Mapping[str, Any], files: Mapping[str, Path]) -> list[str]:
    """Refuse parameters that open anything outside the report.

    Parameters
    ----------
    parameters : mapping
        Values of the notebook's parameters.
    files : mapping
        Inputs of the report by parameter.

    Returns
    -------
    list of str
        Sources and addresses on the network.

    Raises
    ------
    InputError
        A parameter names a file outside the report, or the DEM is no GeoTIFF.
    """
    network = []
    for name in FILE_PARAMETERS:
        value = parameters.get(name)
        if name in files or not isinstance(value, str) or not value:
            continue
        if _ADDRESS.match(value) or value in NETWORK_SOURCES:
            network.append(value)
        elif not _PLAIN.fullmatch(value):
            raise InputError(
                f"parameter {name} is {value[:80]!r}, a file outside the report; ask its maker for a report with its inputs"
            )
    if "dem" in files and not is_tiff(files["dem"]):
        raise InputError(
            f"{files['dem']} is no GeoTIFF, and other rasters may name further files; make the report again"
        )
    return network


def require_network(sources: Collection[str], *, allowed: bool) -> None:
    """Refuse the network unless it is allowed.

    Raises
    ------
    InputError
        Sources are on the network, and that is not allowed.
    """
    if sources and not allowed:
        raise InputError(
            f"the report reads {', '.join(redact(s)[:120] for s in sources)} over the network; allow that with --allow-network if you "
            "trust its maker"
        )


def is_tiff(path: Path) -> bool:
    """Whether a file begins as a TIFF."""
    with path.open("rb") as file:
        return file.read(4).startswith(_TIFF)
