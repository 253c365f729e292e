"""Records of levers: limits of a plan, and what relaxing them would bring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pacifico.escaping import for_markup
from pacifico.layout.model.land_use import Reason

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Lever:
    """Effect of a changed limit on capacity and cost."""

    name: str
    """Rule of the catalog, such as ``road.max_grade_pct``, or ``exclusion:`` and its name."""
    label: str
    """The change in words."""
    reason: Reason
    """Ground on which it acts."""
    gain_kw: float
    """Capacity that it adds [kW]; never negative, as the plan remains allowed."""
    more_usd: float
    """Cost that it adds [USD]; negative where it saves."""
    estimated: bool = False
    """Whether both are estimates from the arrays that fit the ground, without a layout of its own."""

    @property
    def key(self) -> str:
        """Key of the part of the land on which it acts."""
        return self.name if self.reason is Reason.EXCLUSION else self.reason.name.lower()

    @property
    def text(self) -> str:
        """Change and gain on one line."""
        if self.gain_kw <= 0 and self.more_usd == 0:
            return f"{self.label}: no gain"
        gain = f"{self.gain_kw / 1000:+,.1f} MW, " if self.gain_kw > 0 else ""
        estimate = ", estimated" if self.estimated else ""
        return f"{self.label}: {gain}{self.more_usd / 1e6:+,.2f} million USD{estimate}"


@dataclass(frozen=True, repr=False)
class Levers:
    """Levers of a plan, the most capacity first, then the largest saving."""

    site_name: str
    items: tuple[Lever, ...]

    def __repr__(self) -> str:
        best = self.items[0].text if self.items else "none"
        return f"<Levers of {self.site_name!r}: {len(self.items)}, best {best}>"

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><td style='text-align:left'>{for_markup(lever.text)}</td></tr>" for lever in self.items)
        return f"<table><tbody>{rows}</tbody></table>" if rows else "<p>no limit can be relaxed</p>"

    def best_for(self, key: str) -> Lever | None:
        """Lever with the largest gain for a part of the land; None without one.

        Parameters
        ----------
        key : str
            Key of a `LandPart`.
        """
        return next((lever for lever in self.items if lever.key == key), None)

    def to_frame(self) -> pd.DataFrame:
        """Table of the levers.

        Returns
        -------
        DataFrame
            Columns `label`, `land`, `gain_kw`, `more_usd` and `estimated`, indexed by `name`.
        """
        import pandas as pd  # noqa: PLC0415 (0.3 s)

        rows = [(v.name, v.label, v.key, v.gain_kw, v.more_usd, v.estimated) for v in self.items]
        columns = ["name", "label", "land", "gain_kw", "more_usd", "estimated"]
        return pd.DataFrame(rows, columns=columns).set_index("name")

    def to_json(self) -> list[dict[str, Any]]:
        """Levers as plain data."""
        return [
            {
                "name": v.name,
                "label": v.label,
                "land": v.key,
                "gain_kw": v.gain_kw,
                "more_usd": v.more_usd,
                "estimated": v.estimated,
            }
            for v in self.items
        ]
