"""Read a TOML file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from pacifico.errors import InputError

MAX_BYTES = 1_000_000
"""Largest file that is read: a spec or rule pack has some kilobytes."""


def read_toml(path: str | Path, *, what: str, remedy: str) -> dict[str, Any]:
    """Content of a TOML file.

    Parameters
    ----------
    path : str or Path
        The file.
    what : str
        What the file is, for messages, such as 'spec file'.
    remedy : str
        Last clause of a message.

    Raises
    ------
    InputError
        It can't be read, is too large, or is not TOML.
    """
    file = Path(path)
    where = f"{what} {file.name}"
    try:
        if file.stat().st_size > MAX_BYTES:
            raise InputError(f"{where} has more than {MAX_BYTES / 1e6:g} MB, the limit; {remedy}")
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{where}: {error.strerror or error}; {remedy}") from error
    except RecursionError:
        raise InputError(f"{where} is nested too deeply; {remedy}") from None
    except ValueError as error:  # also of numbers with too many digits, and of bytes that are not UTF-8
        if isinstance(error, InputError):
            raise
        raise InputError(f"{where}: {error}; {remedy}") from error
