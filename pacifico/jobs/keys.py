"""Keys of the store's objects, and encoding of names.

A segment of a key is either a fixed word or an encoded name. No two names share an encoding, which holds `a-z 0-9 - _ =`
alone: no dot, no slash, and no upper case that a file system could fold.
"""

from __future__ import annotations

import re
import uuid
from pathlib import PurePosixPath

from pacifico.errors import InputError

_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-_")
_MAX_SEGMENT = 200
_SEGMENT = re.compile(r"[A-Za-z0-9_=@+%,() -][A-Za-z0-9._=@+%,() -]*")
_LAST_MS = 9_999_999_999_999  # subtracting from it makes the newest sort first
_KEY_NAMESPACE = uuid.UUID("7f0c6b52-6f0b-5c0e-9a55-2d1a4c8f7e31")
_HINT = re.compile(r"(?P<time>[0-9]{13})-(?P<id>[0-9a-f-]{36})/(?P<revision>[0-9]{8})-(?P<status>[a-z]{1,20})")


def encode(name: str, *, what: str = "owner") -> str:
    """Encode a user's name as one key segment.

    Every byte outside `a-z 0-9 - _` becomes `=xx`.

    Raises
    ------
    InputError
        The name is empty, holds no valid text, or is longer than 200 characters once encoded.
    """
    try:
        raw = name.encode("utf-8")
    except UnicodeEncodeError:
        raise InputError(f"{what} {name!r} is not valid text; use letters and digits") from None
    segment = "".join(chr(byte) if byte in _PLAIN else f"={byte:02x}" for byte in raw)
    if not 1 <= len(segment) <= _MAX_SEGMENT:
        raise InputError(
            f"{what} {name[:40]!r} takes {len(segment)} characters as a key; 1 to {_MAX_SEGMENT} are allowed"
        )
    return segment


def decode(segment: str) -> str:
    """Return the name that `encode` made a segment of."""
    raw = re.sub(rb"=([0-9a-f]{2})", lambda m: bytes([int(m[1], 16)]), segment.encode("ascii"))
    return raw.decode("utf-8")


def layout(owner: str, layout_id: str) -> str:
    """Folder of one layout's request, status and attempts."""
    return f"owners/{encode(owner)}/layouts/{canonical_id(layout_id)}"


def request(owner: str, layout_id: str) -> str:
    """Key of the request, written once."""
    return f"{layout(owner, layout_id)}/request.json"


def status(owner: str, layout_id: str) -> str:
    """Key of the status, changed by compare-and-swap alone."""
    return f"{layout(owner, layout_id)}/status.json"


def attempt(owner: str, layout_id: str, number: int) -> str:
    """Folder of one attempt's report."""
    return f"{layout(owner, layout_id)}/attempts/{number}"


def edits(owner: str, layout_id: str) -> str:
    """Key of the list of edits by hand, changed by compare-and-swap alone."""
    return f"{layout(owner, layout_id)}/edits.json"


def edited(owner: str, layout_id: str, sha256: str, name: str) -> str:
    """Key of one file of an edited layout, named by the hash of its edits.

    Parameters
    ----------
    owner, layout_id : str
        Identity of the job.
    sha256 : str
        Hash of the list of edits.
    name : str
        Name of the file.
    """
    return f"{layout(owner, layout_id)}/edited/{safe_path(sha256)}/{safe_path(name)}"


def artifact(owner: str, layout_id: str, number: int, path: str) -> str:
    """Key of one file of an attempt's report.

    Parameters
    ----------
    owner, layout_id : str
        Identity of the job.
    number : int
        Number of the attempt.
    path : str
        Path in the report folder.

    Raises
    ------
    InputError
        The path is absolute, or holds `..`, a backslash or a control character.
    """
    return f"{attempt(owner, layout_id, number)}/{safe_path(path)}"


def site(owner: str, site_id: str) -> str:
    """Folder of one uploaded boundary."""
    return f"owners/{encode(owner)}/sites/{encode(site_id, what='site_id')}"


def upload(owner: str, upload_id: str) -> str:
    """Folder of one other upload, such as a DEM."""
    return f"owners/{encode(owner)}/uploads/{encode(upload_id, what='upload')}"


def index(owner: str) -> str:
    """Prefix of the owner's listing hints."""
    return f"owners/{encode(owner)}/index/"


def hint(owner: str, layout_id: str, *, created_ms: int, revision: int, status: str) -> str:
    """Key of one listing hint; the newest sort first.

    Parameters
    ----------
    owner, layout_id : str
        Identity of the job.
    created_ms : int
        Time of creation [ms].
    revision : int
        Number of the hint.
    status : str
        State of the job.
    """
    return f"{hints(owner, layout_id, created_ms=created_ms)}{revision:08d}-{status}"


def hints(owner: str, layout_id: str, *, created_ms: int) -> str:
    """Prefix of the listing hints of one layout, created at a time [ms]."""
    return f"{index(owner)}{_LAST_MS - created_ms:013d}-{canonical_id(layout_id)}/"


def read_hint(key: str) -> tuple[int, str, int, str]:
    """Return a hint's created [ms since 1970], layout_id, revision and status.

    Raises
    ------
    InputError
        The key is no hint: owners can write to their index.
    """
    match = _HINT.fullmatch("/".join(key.split("/")[-2:]))
    if match is None:
        raise InputError(f"{key[:200]!r} is no listing hint; delete it")
    return _LAST_MS - int(match["time"]), canonical_id(match["id"]), int(match["revision"]), match["status"]


def canonical_id(layout_id: str) -> str:
    """Return a UUID in lower case with hyphens.

    Raises
    ------
    InputError
        It is no UUID.
    """
    try:
        return str(uuid.UUID(layout_id))
    except (ValueError, AttributeError, TypeError):
        raise InputError(f"layout_id {str(layout_id)[:60]!r} is not a UUID, such as {uuid.UUID(int=1)}") from None


def keyed_id(owner: str, idempotency_key: str) -> str:
    """Return the layout_id of an owner's requests with an idempotency key.

    Raises
    ------
    InputError
        The key is empty, as from a variable that is not set, or no valid text.
    """
    try:
        idempotency_key.encode("utf-8")
    except UnicodeEncodeError:
        raise InputError(
            f"idempotency key {idempotency_key[:60]!r} is not valid text; use letters and digits"
        ) from None
    if not idempotency_key:
        raise InputError("the idempotency key is empty; give a text that names the submission, or leave it out")
    return str(uuid.uuid5(_KEY_NAMESPACE, f"{encode(owner)}/{idempotency_key}"))


def safe_path(path: str) -> str:
    """Return a relative path of a report folder after checking it.

    Raises
    ------
    InputError
        A part is empty, begins with a dot, or holds more than ASCII letters, digits and ` ._=@+%,()-`.
    """
    parts = path.split("/")
    if PurePosixPath(path).is_absolute() or not all(_SEGMENT.fullmatch(part) for part in parts) or len(path) > 500:
        raise InputError(f"file name {path[:80]!r} can't be stored; use ASCII letters, digits, '.', '-' and '_'")
    return path
