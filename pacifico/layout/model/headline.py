"""Records of a headline."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

AnswerName = Literal["capacity", "cost", "earthwork", "risks"]


@dataclass(frozen=True)
class Answer:
    """Answer in words and as a number."""

    name: AnswerName
    label: str
    text: str
    alarm: bool = False
    """Whether to show it in red."""
    value: float | None = None
    p10_p90: tuple[float, float] | None = None
    """Interval that holds the value."""
    unit: Literal["kW", "USD", "m3"] | None = None

    def to_json(self) -> dict[str, Any]:
        """Answer as in layout.geojson."""
        return {**asdict(self), "p10_p90": None if self.p10_p90 is None else list(self.p10_p90)}


class Risk(NamedTuple):
    """Risk in words."""

    stake: float
    """Share of the plant at stake [-]."""
    text: str
