"""The manifest of a report: request, inputs, environment and outcome."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pacifico._version import __version__
from pacifico.errors import InputError
from pacifico.run.foreign import file_in
from pacifico.run.redact import redacted

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "manifest.json"
SCHEMA = "pacifico-report"
SCHEMA_VERSION = 1
MAX_BYTES = 16 << 20
"""Largest manifest that is read; ours have some 10 kB."""


#: `.nfs...` is a file that was deleted while a process had it open, on a network disk.
_LITTER = re.compile(r"\.ipynb_checkpoints|\.DS_Store|\._.*|\.nfs[0-9a-f]+|Thumbs\.db|desktop\.ini")

#: Commit and changes of the loaded code, once `keep_code` was called.
_kept_code: list[tuple[str | None, bool | None]] = []


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def moment() -> str:
    """Time now, as manifests write it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def describe(path: Path) -> dict[str, Any]:
    """Hash and size of a file."""
    return {"sha256": sha256_of(path), "bytes": path.stat().st_size}


def is_litter(path: Path) -> bool:
    """Whether a path is what desktops, editors and network disks leave."""
    return any(_LITTER.fullmatch(part) for part in path.parts)


def outputs(report: Path) -> dict[str, dict[str, Any]]:
    """Files of a report folder by name, without inputs and manifest."""
    files = sorted(p for p in report.rglob("*") if p.is_file() and not is_litter(p.relative_to(report)))
    names = {p.relative_to(report).as_posix(): p for p in files}
    return {n: describe(p) for n, p in names.items() if n != NAME and not n.startswith("inputs/")}


def environment() -> dict[str, Any]:
    """Versions of code, Python, platform and packages of a run."""
    commit, changed = _kept_code[0] if _kept_code else _git()
    return {
        "pacifico": __version__,
        "git_commit": commit,
        "git_changed": changed,
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "packages": dict(_packages()),
    }


def keep_code() -> None:
    """Look up the commit once for all manifests of this process and its forks.

    Call it where the code is loaded: what changes in the files later does not run.
    """
    _kept_code[:] = [_git()]


def write(report: Path, content: Mapping[str, Any]) -> None:
    """Write the manifest of a report folder, without secrets."""
    body = redacted({"schema": SCHEMA, "schema_version": SCHEMA_VERSION, **content})
    text = json.dumps(body, indent=2, ensure_ascii=False)
    (report / NAME).write_text(text + "\n", encoding="utf-8")


def read(report: Path) -> dict[str, Any]:
    """Read the manifest of a report folder.

    Raises
    ------
    InputError
        There is none, or this version can't read it.
    """
    path = Path(report) / NAME
    if not os.path.lexists(path):
        raise InputError(f"{report} holds no {NAME}: name a report folder that pacifico wrote")
    file_in(Path(report), NAME)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise InputError(f"{path} has over {MAX_BYTES / 1e6:.0f} MB, which is no manifest of pacifico")
        content = json.loads(data)
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"{path} can't be read as JSON ({error}): make the report again") from None
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise InputError(f"{path} is not the manifest of a pacifico report")
    if content.get("schema_version") != SCHEMA_VERSION:
        raise InputError(
            f"{path} has schema version {content.get('schema_version')!r}; this pacifico reads {SCHEMA_VERSION}"
        )
    return content


def read_whole(report: Path) -> dict[str, Any]:
    """Read a manifest and check the shape of its members.

    Raises
    ------
    InputError
        As `read`, or a member is missing or of another kind.
    """
    content = {"outputs": {}, **read(report)}
    if fault := _fault(content):
        raise InputError(f"{Path(report) / NAME} is no whole manifest: {fault}; make the report again")
    return content


def _fault(content: Mapping[str, Any]) -> str:
    """What a manifest's members lack to be read; empty if nothing."""
    for name in ("request", "inputs", "notebook", "environment", "outcome", "outputs"):
        if not isinstance(content.get(name), dict):
            return f"{name} is {_kind(content.get(name))}, not an object"
    for name, kind in (("notebook", str), ("parameters", dict)):
        if not isinstance(content["request"].get(name), kind):
            return f"request.{name} is {_kind(content['request'].get(name))}"
    limit = content["request"].get("timeout_s")
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int | float)):
        return f"request.timeout_s is {_kind(limit)}"
    for group in ("inputs", "outputs"):
        for name, entry in content[group].items():
            needed = ("sha256", "path") if group == "inputs" else ("sha256",)
            if not isinstance(entry, dict) or not all(isinstance(entry.get(key), str) for key in needed):
                return f"{group}.{name[:60]} lacks {' or '.join(needed)}"
    for name in ("name", "sha256"):
        if not isinstance(content["notebook"].get(name), str):
            return f"notebook.{name} is {_kind(content['notebook'].get(name))}"
    if not isinstance(content["environment"].get("packages", {}), dict):
        return "environment.packages is no object"
    return ""


def _kind(value: Any) -> str:
    return "missing" if value is None else f"a {type(value).__name__}"


@functools.cache
def _packages() -> dict[str, str]:
    """Versions of the packages that pacifico needs; looked up once, since that reads a file of each."""
    requirements = importlib.metadata.requires("pacifico") or []
    names = {re.split(r"[\s<>=!~;\[(]", r, maxsplit=1)[0] for r in requirements if "extra ==" not in r}
    return {n: importlib.metadata.version(n) for n in sorted(names)}


def _git() -> tuple[str | None, bool | None]:
    """Commit of the code, and whether files differ from it."""
    if commit := os.environ.get("PACIFICO_GIT_COMMIT"):
        return commit, None
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists() or not (root / "pyproject.toml").is_file() or shutil.which("git") is None:
        return None, None
    try:
        commit = _git_output(root, "rev-parse", "HEAD").strip()
        changed = bool(_git_output(root, "status", "--porcelain", "--", "pacifico", "notebooks").strip())
    except (subprocess.SubprocessError, OSError):
        return None, None  # a broken or foreign repository: only the version is known
    return commit, changed


def _git_output(root: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=10, check=True
    ).stdout
