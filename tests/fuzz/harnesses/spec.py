"""Fuzz harness of spec files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuzz.mutators import mutate_toml
from fuzz.scaffold import BreachError, Harness, written

from pacifico.layout.criteria.spec import catalog, make_spec, read_spec

if TYPE_CHECKING:
    from collections.abc import Iterator


def read(data: bytes) -> Iterator[str]:
    """Read overrides and make a spec of them; each rule then has a value in its range."""
    spec = make_spec(read_spec(written(data, "spec.toml")))
    for section, rules in catalog().items():
        for rule, entry in rules.items():
            if "choices" in entry:
                yield spec.choice(section, rule)
            elif not entry["min"] <= (value := spec.number(section, rule)) <= entry["max"]:
                raise BreachError(f"{section}.{rule} = {value} is out of its range")
    yield f"{len(spec.setbacks)} setbacks"


def seeds() -> dict[str, bytes]:
    """Specs of numbers, of choices and of setbacks."""
    sections = {
        section: [f"{rule} = {_value(entry['value'])}" for rule, entry in rules.items()][:4]
        for section, rules in catalog().items()
    }
    whole = "\n".join(f"[{section}]\n" + "\n".join(lines) for section, lines in sections.items())
    setbacks = '[site]\nsetbacks = [{edges = "north", setback_m = 30}, {edges = [1, "road"], setback_m = 5.5}]\n'
    return {"whole": whole.encode(), "setbacks": setbacks.encode(), "one": b"[solar]\ntracker_gcr = 0.4\n"}


def _value(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


HARNESS = Harness(
    read, seeds, mutate_toml, ("[site]", "setbacks", "0x", "inf", "nan", "1e999", '"""', "\\u0000", "2026-01-01", "[[")
)
