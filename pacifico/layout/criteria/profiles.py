"""Profiles: the kinds of plant that can be laid out."""

from __future__ import annotations

from typing import Literal, get_args

Profile = Literal["solar_farm", "gas_bess", "wind_hybrid", "hybrid", "bess"]
PROFILES: tuple[Profile, ...] = get_args(Profile)
"""All profiles, in the order in which they are listed."""
