"""Bodies of responses."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from pacifico.jobs.status import State, Status

_OPEN = ConfigDict(extra="allow")


class SiteAdded(BaseModel):
    """A stored site."""

    site_id: str
    name: str = ""
    area_ha: float = 0.0
    warnings: list[str] = []


class SiteRow(BaseModel):
    """One site of a list."""

    site_id: str
    name: str = Field(description="Name of the file.")
    bytes: int
    sha256: str


class SitePage(BaseModel):
    """One page of sites."""

    sites: list[SiteRow]
    next: str | None = Field(description="Cursor of the next page; null on the last one.")


class SiteDetail(SiteRow):
    """A site with its boundary as it was read."""

    boundary: dict[str, Any] | None = Field(description="GeoJSON; null for sites whose file has several layers.")


class UploadAdded(BaseModel):
    """A stored file."""

    upload: str = Field(description="Address for `dem` and for parameters that take a file.")
    bytes: int


class Deleted(BaseModel):
    """What was deleted."""

    deleted: str
    objects: int


class Accepted(BaseModel):
    """A layout that is generated in the background."""

    layout_id: str
    status: State
    message: str


class LayoutStatus(Status):
    """Status of a layout."""

    model_config = ConfigDict(frozen=True, extra="allow")

    stalled: bool = Field(description="Nothing will happen by itself soon: redrive it.")
    target_capacity_kw: float | None
    shortfall: str = Field(description="Why it is less than requested; else empty.")


class LayoutPage(BaseModel):
    """One page of layouts, newest first."""

    layouts: list[dict[str, Any]]
    next: str | None = Field(description="Cursor of the next page; null on the last one.")


class Layout(BaseModel):
    """A generated layout."""

    model_config = _OPEN

    layout_id: str
    site_id: str
    status: State
    metrics: dict[str, Any] | None
    shortfall: str
    assets: list[dict[str, Any]]
    roads: list[dict[str, Any]]
    geojson: dict[str, Any] | None = Field(description="Content of layout.geojson; null before it is completed.")
    edits: int = Field(description="Changes by hand since it was generated.")


class Variant(BaseModel):
    """One strategy of a site."""

    model_config = _OPEN

    strategy: str
    layout_id: str | None
    status: str
    message: str


class Variants(BaseModel):
    """All strategies that were asked for."""

    variants: list[Variant]


class EditedLayout(BaseModel):
    """A layout after a change by hand."""

    layout_id: str
    edits: int
    edit: dict[str, Any] | None
    metrics: dict[str, Any]
    shortfall: str


class Earthwork(BaseModel):
    """Earthwork of a layout, measured anew."""

    layout_id: str
    metrics: dict[str, Any]
    unchanged: bool = Field(description="Whether the stored figures are the same.")


class Health(BaseModel):
    """Whether the server works."""

    status: str
    version: str


class Profiles(BaseModel):
    """Kinds of plant and objectives."""

    profiles: list[dict[str, Any]]
    strategies: list[str]


class Tree(BaseModel):
    """A JSON object with members of its own kind."""

    model_config = _OPEN
