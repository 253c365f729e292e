"""Records of uploaded sites and files, checked as strictly as a stranger's.

Owners may write everything below `owners/{owner}/`. So a record is read as if any program had written it: its size is
limited, its fields are checked, and no path is taken from it. Paths come from the hash and from fixed lists of suffixes.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pacifico.errors import InputError
from pacifico.jobs.request import check_version, explain, load_object

#: Boundary files that are accepted, by suffix.
BOUNDARIES = (".kml", ".kmz", ".geojson", ".json", ".zip", ".shp", ".gpkg")

#: Suffixes that a staged upload keeps; a file of any other kind gets none.
DATA_SUFFIXES = frozenset({*BOUNDARIES, ".tif", ".tiff", ".epw", ".csv", ".tm3", ".tmy3", ".toml", ".txt"})

#: Largest site.json or upload.json that is read [bytes]; we write some 300.
MAX_RECORD_BYTES = 16_384

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
R = TypeVar("R", bound=BaseModel)


class SiteRecord(BaseModel):
    """`site.json`: which boundary file a site has."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    schema_version: Literal[1] = 1
    site_id: str = Field(min_length=1, max_length=200)
    name: str = Field(min_length=1, max_length=255)
    suffix: Literal[".kml", ".kmz", ".geojson", ".json", ".zip", ".gpkg"]
    file: str = Field(max_length=64)
    sha256: Sha256
    bytes: int = Field(ge=0, le=1 << 40)

    @property
    def stored_name(self) -> str:
        """Name of the boundary file, from its hash."""
        return f"boundary-{self.sha256[:16]}{self.suffix}"


class UploadRecord(BaseModel):
    """`upload.json`: what kind of file an upload is."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    schema_version: Literal[1] = 1
    name: str = Field(min_length=1, max_length=255)
    suffix: str = Field(max_length=255)

    @property
    def data_suffix(self) -> str:
        """The suffix where it is one of known data files; else none."""
        return self.suffix if self.suffix in DATA_SUFFIXES else ""


def parse_record(model: type[R], data: bytes, *, what: str) -> R:
    """Read a record.

    Raises
    ------
    UnknownVersionError
        A newer pacifico wrote it.
    InputError
        It is no such record.
    """
    body = load_object(data, what=what)
    check_version({"schema_version": 1, **body}, what=what)  # older uploads carry no version
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise InputError(f"{what} can't be used: {explain(error)}; upload the file again") from None


def record_bytes(record: BaseModel) -> bytes:
    """Return the written form of a record."""
    body: dict[str, Any] = record.model_dump(mode="json")
    return json.dumps(body, sort_keys=True, ensure_ascii=False).encode()
