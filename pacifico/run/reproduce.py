"""Run a report again from its own inputs, and compare the outputs."""

from __future__ import annotations

import json
import math
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pacifico.errors import InputError
from pacifico.run import foreign, kernel, manifest, notebooks
from pacifico.run.execute import RunRequest, execute

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Verdict = Literal["identical", "equivalent", "different"]

COMPARED = {".geojson", ".json", ".csv", ".kmz", ".kml"}
"""Suffixes of outputs that must be equal byte for byte; pictures and notebooks hold times and versions."""

ABSOLUTE, RELATIVE = 1e-6, 1e-6
DEGREES = 1e-7
"""Tolerances of 'equivalent': 1e-6 of a number, or 1e-6; 1e-7 degrees (1 cm) for coordinates."""


@dataclass(frozen=True)
class Reproduction:
    """Result of comparing a report with its second run."""

    verdict: Verdict
    files: Mapping[str, Verdict]
    differences: tuple[str, ...]
    """One line for each difference in outputs or environment."""

    def __str__(self) -> str:
        head = {
            "identical": f"identical: {len(self.files)} outputs have the same bytes",
            "equivalent": f"equivalent: within {RELATIVE:g} of every number and {DEGREES:g} degrees of every coordinate",
            "different": "different",
        }[self.verdict]
        return "\n".join([head, *(f"  {line}" for line in self.differences)])


def reproduce(
    report_dir: Path,
    *,
    allow_network: Callable[[list[str]], bool] | bool = False,
    on_stage: Callable[[str, int, str], None] | None = None,
) -> Reproduction:
    """Run a report again from its manifest and compare the outputs.

    Nothing outside the report is read: it may be a stranger's.

    Parameters
    ----------
    report_dir : Path
        Report folder.
    allow_network : bool or callable
        Whether it may read sources on the network. A function is asked with their names, only where there are any.
    on_stage : callable, optional
        Called with name, percentage and message as each stage begins.

    Returns
    -------
    Reproduction
        'identical' where all compared outputs have the same bytes; 'equivalent' where they differ within the stated
        tolerances and platform, Python or package versions differ too; else 'different'. A failed run is identical if it
        fails again in the same way.

    Raises
    ------
    InputError
        The folder is no report, its inputs are missing, changed or outside it, the code has no such notebook any more, or
        the network is needed and not allowed.
    """
    report = Path(report_dir)
    recorded = manifest.read_whole(report)
    request = recorded["request"]
    template = notebooks.find(request["notebook"])
    files = _checked_files(report, recorded, template)
    sources = foreign.check_parameters(request["parameters"], files)
    allowed = allow_network if isinstance(allow_network, bool) else bool(sources) and allow_network(sources)
    foreign.require_network(sources, allowed=allowed)
    notes = [*_changed(recorded, manifest.environment(), template)]
    with tempfile.TemporaryDirectory(prefix="pacifico-reproduce-") as scratch:
        again = Path(scratch) / "report"
        parameters = {k: v for k, v in request["parameters"].items() if k not in files}
        offline = {} if sources else foreign.OFFLINE
        run = RunRequest(
            template.name,
            parameters,
            files,
            again,
            timeout_s=request.get("timeout_s"),
            env={**kernel.scrubbed(os.environ), **offline},
        )
        outcome = execute(run, on_stage=on_stage)
        return _judge(recorded, report, again, outcome.as_dict(), notes)


def _checked_files(report: Path, recorded: Mapping[str, Any], template: notebooks.Template) -> dict[str, Path]:
    """Inputs of a report by parameter, unchanged and within it."""
    foreign.check_template(template)
    for name in recorded["outputs"]:
        if Path(name).suffix in COMPARED:
            foreign.file_in(report, name)
    files = {}
    for name, entry in recorded["inputs"].items():
        path = foreign.file_in(report, entry["path"])
        if manifest.sha256_of(path) != entry["sha256"]:
            raise InputError(f"{path} is not the file that the report was made from: its SHA-256 differs")
        if name in template.parameters:
            files[name] = path
    return files


def _judge(
    recorded: Mapping[str, Any], report: Path, again: Path, outcome: Mapping[str, Any], notes: list[str]
) -> Reproduction:
    """Compare a second run with the recorded one.

    Parameters
    ----------
    recorded : mapping
        Manifest of the report.
    report, again : Path
        Report folders.
    outcome : mapping
        Outcome of the second run.
    notes : list of str
        Differences of the environment.
    """
    differences = []
    for name in ("status", "error_kind", "error_name", "error_message"):
        before, now = recorded["outcome"].get(name), outcome[name]
        if before != now:
            differences.append(f"outcome {name}: {before!r} before, {now!r} now")
    new = manifest.outputs(again)
    names = sorted(n for n in {*recorded["outputs"], *new} if Path(n).suffix in COMPARED)
    verdicts: dict[str, Verdict] = {}
    for name in names:
        if name not in new or name not in recorded["outputs"]:
            verdicts[name] = "different"
            differences.append(f"{name}: {'not made any more' if name not in new else 'was not there before'}")
            continue
        kept = foreign.file_in(report, name)
        if manifest.sha256_of(kept) != recorded["outputs"][name]["sha256"]:
            raise InputError(f"{kept} was changed after the run: its SHA-256 is not the manifest's")
        if new[name]["sha256"] == recorded["outputs"][name]["sha256"]:
            verdicts[name] = "identical"
            continue
        found = list(_file_differences(kept, again / name))
        # Other versions may round differently; the same versions may not.
        verdicts[name] = "different" if found or not notes else "equivalent"
        differences += [f"{name}: {line}" for line in found[:5]] or [f"{name}: other bytes, within the tolerances"]
    if differences and any(line.startswith("outcome") for line in differences):
        verdict: Verdict = "different"
    else:
        verdict = max(verdicts.values(), key=("identical", "equivalent", "different").index, default="identical")
    return Reproduction(verdict, verdicts, tuple(differences + notes))


def _changed(recorded: Mapping[str, Any], now: Mapping[str, Any], template: notebooks.Template) -> Iterator[str]:
    """Differences between the recorded environment and the present one."""
    before = recorded["environment"]
    if recorded["notebook"]["sha256"] != template.sha256:
        yield f"notebook {template.name}: changed since"
    for name in ("pacifico", "git_commit", "python", "platform"):
        if before.get(name) != now.get(name):
            yield f"{name.replace('_', ' ')}: {before.get(name)} before, {now.get(name)} now"
    versions, today = before.get("packages", {}), now["packages"]
    for name in sorted({*versions, *today}):
        if versions.get(name) != today.get(name):
            yield f"{name}: {versions.get(name)} before, {today.get(name)} now"


def _file_differences(a: Path, b: Path) -> Iterator[str]:
    if a.suffix not in {".geojson", ".json"}:
        yield "other bytes"
        return
    try:
        before, now = (json.loads(path.read_text(encoding="utf-8")) for path in (a, b))
        found = list(differences(before, now))
    except (ValueError, RecursionError):
        found = ["other bytes, and no JSON"]
    yield from found


def differences(a: Any, b: Any, at: str = "") -> Iterator[str]:
    """Places where two JSON values differ by more than the tolerances."""
    if isinstance(a, dict) and isinstance(b, dict):
        for key in [*a, *(k for k in b if k not in a)]:
            if key not in a or key not in b:
                yield f"{at}/{key} is only in the {'first' if key in a else 'second'}"
            else:
                yield from differences(a[key], b[key], f"{at}/{key}")
    elif isinstance(a, list) and isinstance(b, list):
        if len(a) != len(b):
            yield f"{at} has {len(a)} members before, {len(b)} now"
            return
        for k, (x, y) in enumerate(zip(a, b, strict=True)):
            yield from differences(x, y, f"{at}/{k}")
    elif _number(a) and _number(b):
        # A third ordinate is a height [m]; the looser tolerance is harmless for it.
        absolute = DEGREES if "/coordinates/" in at else ABSOLUTE
        relative = 0.0 if "/coordinates/" in at and max(abs(a), abs(b)) <= 180 else RELATIVE
        if not math.isclose(a, b, rel_tol=relative, abs_tol=absolute):
            yield f"{at}: {a!r} before, {b!r} now"
    elif a != b or isinstance(a, bool) != isinstance(b, bool):
        yield f"{at}: {a!r} before, {b!r} now"


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
