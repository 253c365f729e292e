"""Arguments in addresses."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from pacifico.jobs.status import State  # noqa: TC001
from pacifico.run.outcome import ErrorKind  # noqa: TC001
from pacifico.vocabulary import NAMED_DEMS, Profile

_CLOSED = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, str_max_length=2048)


#: Elevation of a site's terrain.
_GROUND = rf"^(?:{'|'.join((*NAMED_DEMS, 'level'))}|upload:[0-9a-f]{{64}})$"


def _written_time(value: object) -> object:
    """Refuse numbers, which pydantic takes as seconds since 1970."""
    if isinstance(value, str) and not re.match(r"[0-9]{4}-", value):
        raise ValueError("write a time as 2026-01-31T12:00:00Z")
    return value


class NoQuery(BaseModel):
    """No arguments."""

    model_config = _CLOSED


class PageQuery(BaseModel):
    """Which page of a list."""

    model_config = _CLOSED

    cursor: str | None = Field(default=None, min_length=1, max_length=1000, description="`next` of the page before.")
    limit: int = Field(default=50, ge=1, le=100)


class LayoutsQuery(PageQuery):
    """Which layouts."""

    site_id: str | None = Field(default=None, min_length=1, max_length=200)
    status: State | None = None
    error_kind: ErrorKind | None = None
    since: Annotated[AwareDatetime, BeforeValidator(_written_time)] | None = Field(
        default=None, description="Created at this time or later (RFC 3339)."
    )


class GroundQuery(BaseModel):
    """Which ground of a site."""

    model_config = _CLOSED

    dem: str | None = Field(
        default=None, pattern=_GROUND, description="Name of a source, or `upload:<sha256>`; `level` for level ground."
    )
    resolution_m: float | None = Field(default=None, ge=1, le=30)
    setback_m: float | None = Field(default=None, ge=0, le=10_000)


class TerrainQuery(GroundQuery):
    """Which terrain products."""

    contour_interval_m: float | None = Field(default=None, ge=0.1, le=1000)


class BuildableQuery(GroundQuery):
    """Buildable for what."""

    profile: Profile = "solar_farm"


class PackQuery(BaseModel):
    """Which rules."""

    model_config = _CLOSED

    pack: str = Field(min_length=1, max_length=100, description="Name of a shipped rule pack.")


class UploadQuery(BaseModel):
    """Name of a file that is sent as the whole body."""

    model_config = _CLOSED

    filename: str | None = Field(default=None, min_length=5, max_length=100, pattern=r"^[A-Za-z0-9_-]+\.[a-z0-9]{3,7}$")


class CompareQuery(BaseModel):
    """Two layouts to compare."""

    model_config = _CLOSED

    a: str = Field(min_length=36, max_length=36)
    b: str = Field(min_length=36, max_length=36)


class GalleryQuery(LayoutsQuery):
    """Which layouts a page shows; `any` and empty values are no filter."""

    view: Literal["cards", "table"] = "cards"
