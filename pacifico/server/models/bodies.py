"""Bodies of requests."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pacifico.vocabulary import Profile, Strategy  # noqa: TC001 (pydantic reads them)

Longitude = Annotated[float, Field(ge=-180, le=180, strict=True)]
Latitude = Annotated[float, Field(ge=-90, le=90, strict=True)]

_CLOSED = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, str_max_length=2048)


class _Design(BaseModel):
    """Site, ground and design of a layout."""

    model_config = _CLOSED

    site_id: str = Field(min_length=1, max_length=200, description="As the upload of the site returned it.")
    target_capacity_kw: float | None = Field(
        default=None, ge=100, le=5_000_000, strict=True, description="AC [kW]; without it all that fits."
    )
    dem: str | None = Field(
        default=None,
        max_length=2048,
        description="Name of a source, `upload:<sha256>`, or an address that the settings allow.",
    )
    dem_resolution_m: float | None = Field(default=None, ge=1, le=30, strict=True, description="Cell size [m].")
    use_terrain: bool = Field(default=True, strict=True, description="False: level ground.")
    generation_profile: Profile = "solar_farm"
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="Further parameters of the notebook, such as setback_m, entry or spec."
    )


class GenerateBody(_Design):
    """One layout to generate."""

    model_config = ConfigDict(
        **_CLOSED,
        json_schema_extra={
            "examples": [
                {
                    "site_id": "4f214ef49628ff208e0a86c3529562b3",
                    "target_capacity_kw": 50000,
                    "dem": "3dep",
                    "generation_profile": "solar_farm",
                    "strategy": "low_earthwork",
                    "parameters": {"setback_m": 30, "spec": {"solar": {"tracker_gcr": 0.4}}},
                }
            ]
        },
    )

    layout_id: str | None = Field(
        default=None, min_length=32, max_length=45, description="UUID of your own; the same one twice is one layout."
    )
    strategy: Strategy = "balanced"
    notebook: str = Field(default="layout_report", pattern=r"^[a-z][a-z0-9_]{0,63}$")


class VariantsBody(_Design):
    """Several strategies on one site."""

    strategies: list[Strategy] = Field(
        default=["balanced", "density", "low_earthwork", "clustered"], min_length=1, max_length=4
    )


def _without_default(schema: dict[str, Any]) -> None:
    """Leave the default out of a schema: the field is absent or a value, never null."""
    schema.pop("default", None)


class AssetPatch(BaseModel):
    """Where an asset shall stand, and how it shall be turned."""

    model_config = ConfigDict(
        **_CLOSED, json_schema_extra={"minProperties": 1, "examples": [{"to": [-98.1712, 33.2204], "rotation_deg": 90}]}
    )

    # absent or a value; null is neither
    to: tuple[Longitude, Latitude] = Field(  # type: ignore[assignment]
        default=None, description="New centre [°].", json_schema_extra=_without_default
    )
    rotation_deg: Annotated[float, Field(ge=-360, le=360, strict=True)] = Field(  # type: ignore[assignment]
        default=None,
        description="Angle, anticlockwise from length due east [°].",
        json_schema_extra=_without_default,
    )

    @model_validator(mode="after")
    def _something(self) -> AssetPatch:
        if not self.model_fields_set:
            raise ValueError("nothing to change; give 'to', 'rotation_deg' or both")
        return self


class RedriveBody(BaseModel):
    """Which jobs may be put into the queue again."""

    model_config = _CLOSED

    force: bool = Field(default=False, strict=True, description="Also one that failed by its own request.")


class Nothing(BaseModel):
    """An empty object, or no body at all."""

    model_config = _CLOSED
