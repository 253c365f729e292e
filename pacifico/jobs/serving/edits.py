"""Edits by hand of a completed layout: a list beside its report, which stays as it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pacifico.errors import InputError
from pacifico.jobs import keys
from pacifico.jobs.records import ConflictError
from pacifico.jobs.request import check_version, explain, file_sha256, load_object
from pacifico.jobs.store.base import ExistsError, NotFoundError, SwapRefusedError
from pacifico.jobs.upload_records import Sha256  # noqa: TC001 (pydantic reads it)

if TYPE_CHECKING:
    from pathlib import Path

    from pacifico.jobs.status import Status
    from pacifico.jobs.store.base import Store

#: Edits of one layout; each is applied anew at the next one.
MOST_EDITS = 500
_LAYOUT = "layout.geojson"


class EditEntry(BaseModel):
    """One edit."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    op: Literal["asset", "roads"]
    asset_id: str = Field(default="", max_length=100)
    to: tuple[float, float] | None = None
    """Longitude and latitude of the new centre [°]."""
    rotation_deg: float | None = None


class EditList(BaseModel):
    """`edits.json`: the edits of one attempt's layout, and the layout after them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    attempt: int
    edits: tuple[EditEntry, ...] = Field(default=(), max_length=MOST_EDITS)
    sha256: Sha256 | None = None
    """Hash of the edited layout; None without edits."""
    bytes: int = Field(default=0, ge=0)


class Edits:
    """The edits of one owner's layouts.

    Parameters
    ----------
    store : Store
        Where they are.
    status : Status
        Status of the completed layout.
    """

    def __init__(self, store: Store, status: Status) -> None:
        self._store = store
        self._status = status
        self._key = keys.edits(status.owner, status.layout_id)

    def read(self) -> tuple[EditList, str | None]:
        """Edits so far, and the version to replace; edits of an earlier attempt don't count.

        Raises
        ------
        InputError
            The list can't be read.
        """
        empty = EditList(attempt=self._status.attempt)
        try:
            blob = self._store.read(self._key)
        except NotFoundError:
            return empty, None
        body = load_object(blob.data, what="edits.json")
        check_version(body, what="edits.json")
        try:
            found = EditList.model_validate(body)
        except ValidationError as error:
            raise InputError(f"edits.json: {explain(error)}") from None
        return (found if found.attempt == self._status.attempt else empty), blob.version

    def write(self, edits: tuple[EditEntry, ...], layout: Path, version: str | None) -> EditList:
        """Store an edited layout and its edits.

        Parameters
        ----------
        edits : tuple of EditEntry
            All edits, the new one last.
        layout : Path
            The layout after them.
        version : str or None
            Version of the list that was read.

        Raises
        ------
        ConflictError
            Another edit came first.
        NotFoundError
            The layout was deleted meanwhile; nothing is left of the edit.
        """
        sha256 = file_sha256(layout)
        made = EditList(attempt=self._status.attempt, edits=edits, sha256=sha256, bytes=layout.stat().st_size)
        self._store.put_file(self._file_key(sha256), layout, kind="reports")
        data = json.dumps(made.model_dump(mode="json"), sort_keys=True).encode()
        try:
            if version is None:
                self._store.create(self._key, data, kind="jobs")
            else:
                self._store.swap(self._key, data, version, kind="jobs")
        except (ExistsError, SwapRefusedError):
            raise ConflictError(
                f"layout {self._status.layout_id} was edited by another request meanwhile; read it and edit it again"
            ) from None
        self._require_layout(made)
        return made

    def _require_layout(self, made: EditList) -> None:
        """Take back what was written where the layout was deleted meanwhile.

        A deletion removes the status before it lists the files for the last time: it misses only what is taken back here.
        """
        status = self._status
        try:
            self._store.read(keys.status(status.owner, status.layout_id))
        except NotFoundError:
            self._store.delete(self._key)
            self._store.delete(self._file_key(made.sha256 or ""))
            raise NotFoundError(f"layout {status.layout_id} was deleted meanwhile") from None

    def fetch(self, found: EditList, path: Path) -> None:
        """Copy the edited layout to a file and check its hash.

        Raises
        ------
        InputError
            The file is not the one that was stored.
        """
        assert found.sha256 is not None  # noqa: S101 (callers ask for edited layouts alone)
        self._store.get_file(self._file_key(found.sha256), path, limit=found.bytes)
        if file_sha256(path) != found.sha256:
            raise InputError(f"the edited layout of {self._status.layout_id} is damaged; delete it, or edit it again")

    def _file_key(self, sha256: str) -> str:
        return keys.edited(self._status.owner, self._status.layout_id, sha256, _LAYOUT)
