#!/usr/bin/env python3
"""Draw infra/architecture.svg from the Terraform files: `python infra/draw.py`.

Each box is a file and lists its resources. An arrow leads from a file to a file whose resources it uses. Arrows from files with
roles carry the ids of the policy statements. Only the positions of the boxes are chosen by hand, in PLACES.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from html import escape
from pathlib import Path

HERE = Path(__file__).resolve().parent
WIDTH, LINE, HEAD, COLUMN, MARGIN = 268, 15, 26, 440, 40

#: Column and title of each file, top to bottom.
PLACES = {
    "iam_people.tf": (0, "People: submitter, reviewer"),
    "github.tf": (0, "GitHub workflows (OIDC)"),
    "autoscaling.tf": (0, "Autoscaling, from and to zero"),
    "alarms.tf": (0, "Alarms"),
    "sqs.tf": (1, "Queue and dead letters"),
    "storage.tf": (1, "Store"),
    "ecs.tf": (1, "Workers on Fargate"),
    "dashboard.tf": (1, "Dashboard"),
    "budget.tf": (1, "Budget"),
    "iam_worker.tf": (2, "Roles of a worker"),
    "ecr.tf": (2, "Image"),
    "logs.tf": (2, "Logs and metrics"),
    "network.tf": (2, "Network"),
    "flow_logs.tf": (2, "Flow logs"),
}
COLOURS = ["#f3e8d6", "#dcebf7", "#e4f1df"]
#: Files that create no resources.
SILENT = {"versions.tf", "variables.tf", "locals.tf", "outputs.tf"}


def resources(text: str) -> list[tuple[str, str]]:
    """Type and name of each resource in a Terraform file."""
    return re.findall(r'^resource "(\w+)" "(\w+)"', text, re.MULTILINE)


def reasons(text: str, target: str) -> list[str]:
    """Sids of the policy statements that name a resource."""
    bodies = re.findall(r'\bsid\s+= "(\w+)"\n(.*?)(?=\bsid\s+=|\Z)', text, re.DOTALL)
    return list(dict.fromkeys(sid for sid, body in bodies if target in body.split("\nresource ")[0]))


def picture(files: dict[str, str]) -> str:
    """SVG of the Terraform files; the same files give the same text."""
    drawn = {name: text for name, text in files.items() if name not in SILENT}
    if missing := sorted(set(drawn) ^ set(PLACES)):
        sys.exit(
            f"infra/draw.py has no place for {', '.join(missing)}, or a place for a file that doesn't exist: correct PLACES"
        )
    rows: dict[str, list[str]] = {}
    for name in PLACES:
        counted = Counter(kind.removeprefix("aws_") for kind, _ in resources(drawn[name]))
        rows[name] = [kind + (f" x {number}" if number > 1 else "") for kind, number in counted.items()]
    boxes: dict[str, tuple[int, int, int]] = {}
    bottoms = [64] * (1 + max(column for column, _ in PLACES.values()))
    for name, (column, _) in PLACES.items():
        height = HEAD + LINE * len(rows[name]) + 10
        boxes[name] = (MARGIN + column * COLUMN, bottoms[column], height)
        bottoms[column] += height + 34
    owner = {f"{kind}.{short}": name for name in drawn for kind, short in resources(drawn[name])}
    arrows = [_arrow(boxes, *edge) for edge in _edges(drawn, owner)]
    parts = [path for path, _ in arrows]
    parts += [_box(PLACES[name], boxes[name], rows[name]) for name in PLACES]
    parts += [label for _, label in arrows if label]
    size = f"{MARGIN * 2 + COLUMN * (len(bottoms) - 1) + WIDTH} {max(bottoms)}"
    title = "pacifico on AWS: resources in infra/terraform. Arrows lead to the resources used, with the policy statements of roles"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" font-family="sans-serif" font-size="11">\n'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 8 4 0 8z" fill="#667"/></marker></defs>\n<rect width="100%" height="100%" fill="#fff"/>\n'
        f'<text x="{MARGIN}" y="34" font-size="15" font-weight="bold">{title}</text>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _edges(drawn: dict[str, str], owner: dict[str, str]) -> list[tuple[str, str, list[str]]]:
    """Pairs of files that are connected, with the statements between them."""
    found: dict[tuple[str, str], list[str]] = {}
    for name, text in drawn.items():
        code = re.sub(r"^resource .*|#.*", "", text, flags=re.MULTILINE)
        for address, other in owner.items():
            if other != name and re.search(rf"(?<![\w.]){re.escape(address)}\b", code):
                sids = reasons(text, address) if name.startswith(("iam_", "github")) else []
                known = found.setdefault((name, other), [])
                known += [sid for sid in sids if sid not in known]
    # These statements name the store through a local, so the search above doesn't find them.
    if "${local.own}" in drawn["iam_people.tf"]:
        found[("iam_people.tf", "storage.tf")] = ["ReadOwn", "WriteOwn", "ListOwn"]
    return [(*pair, sids) for pair, sids in sorted(found.items())]


def _box(place: tuple[int, str], box: tuple[int, int, int], lines: list[str]) -> str:
    (column, title), (x, y, height) = place, box
    text = "".join(f'<text x="{x + 10}" y="{y + HEAD + 10 + LINE * n}">{escape(s)}</text>' for n, s in enumerate(lines))
    return (
        f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{height}" rx="6" fill="{COLOURS[column]}" stroke="#778"/>'
        f'<text x="{x + 10}" y="{y + 18}" font-size="12.5" font-weight="bold">{escape(title)}</text>{text}'
    )


def _arrow(boxes: dict[str, tuple[int, int, int]], start: str, end: str, sids: list[str]) -> tuple[str, str]:
    (x1, y1, h1), (x2, y2, h2) = boxes[start], boxes[end]
    a, b = y1 + h1 / 2, y2 + h2 / 2
    if x1 == x2:  # same column: the arrow runs along its left side
        side = x1 - 4
        bow = side - 14 - abs(b - a) / 40
        path = f"M{x1} {a:.0f} C{bow:.0f} {a:.0f} {bow:.0f} {b:.0f} {x2} {b:.0f}"
        at = (bow, (a + b) / 2)
    else:
        left, right = (x1 + WIDTH, x2) if x1 < x2 else (x1, x2 + WIDTH)
        middle = (left + right) / 2
        path = f"M{left} {a:.0f} C{middle:.0f} {a:.0f} {middle:.0f} {b:.0f} {right} {b:.0f}"
        # The arrow crosses a column: put the label before it.
        at = (middle, (a + b) / 2) if right - left < COLUMN else (left + (COLUMN - WIDTH) / 2, a)
    lines = "".join(f'<tspan x="{at[0]:.0f}" dy="10">{escape(sid)}</tspan>' for sid in sids)
    label = (
        f'<text y="{at[1] - 5 * len(sids) - 4:.0f}" font-size="9.5" fill="#234" text-anchor="middle" stroke="#fff" '
        f'stroke-width="3" paint-order="stroke">{lines}</text>'
    )
    return f'<path d="{path}" fill="none" stroke="#889" marker-end="url(#tip)"/>', label if sids else ""


def read() -> dict[str, str]:
    """Text of each Terraform file, by name."""
    return {path.name: path.read_text(encoding="utf-8") for path in sorted((HERE / "terraform").glob("*.tf"))}


if __name__ == "__main__":
    (HERE / "architecture.svg").write_text(picture(read()), encoding="utf-8")
