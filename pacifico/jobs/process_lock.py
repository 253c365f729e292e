"""Identity of a process, proved by a lock it holds.

A process id and a host name repeat: in containers, after a restart, on machines that share a store. So a process that
runs local jobs takes a lock on a file with a random name, and the system releases the lock when the process ends. Whoever
finds that file here and can take its lock knows that the process has ended. Without the file nothing is known.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import socket
import tempfile
import uuid
from pathlib import Path

from pacifico.errors import OutsideServiceError

_PREFIX = "local"
_TOKEN = re.compile(r"[0-9a-f]{32}")
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

#: Name and open lock file of this process, by its id: a forked process has another.
_own: dict[int, tuple[str, int]] = {}


def process_name() -> str:
    """Name of this process, which holds a lock of that name.

    Raises
    ------
    OutsideServiceError
        The lock file can't be written.
    """
    pid = os.getpid()
    if pid not in _own:
        _own.clear()  # a parent's lock, copied by a fork
        token = uuid.uuid4().hex
        try:
            handle = os.open(_folder(create=True) / f"{token}.lock", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.write(handle, json.dumps({"pid": pid, "started": _started(pid), "boot_id": _boot_id()}).encode())
        except OSError as error:
            raise OutsideServiceError(
                f"{tempfile.gettempdir()}: {error.strerror}; set TMPDIR to another folder"
            ) from error
        _own[pid] = (f"{_PREFIX}:{_host()}:{pid}:{token}", handle)
    return _own[pid][0]


def has_ended(worker: str | None) -> bool:
    """Whether a process of this machine has certainly ended."""
    parts = (worker or "").split(":")
    prefix, token = parts[0], parts[-1]
    if prefix != _PREFIX or not _TOKEN.fullmatch(token) or any(token in name for name, _ in _own.values()):
        return False
    try:
        handle = os.open(_folder(create=False) / f"{token}.lock", os.O_RDWR | os.O_NOFOLLOW)
    except OSError:
        return False  # another machine's, or another container's
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return not _may_run(os.read(handle, 4096), host=parts[1])
    except OSError:
        return False
    finally:
        os.close(handle)


def _may_run(record: bytes, *, host: str) -> bool:
    """Whether a process with the recorded id, start and boot may run.

    With another boot id it ran before this machine's last start, or on another machine that shares the folder of locks, on a
    disk whose locks hold for one machine alone.
    """
    try:
        about = json.loads(record)
        pid, started, boot_id = int(about["pid"]), about["started"], about["boot_id"]
    except (ValueError, KeyError, TypeError):
        return True  # not written yet
    if boot_id != _boot_id():
        return host != _host()
    return bool(started) and _started(pid) == started


def _folder(*, create: bool) -> Path:
    folder = Path(tempfile.gettempdir()) / f"pacifico-processes-{os.getuid()}"
    if create:
        folder.mkdir(mode=0o700, exist_ok=True)
    about = folder.lstat()
    if about.st_uid != os.getuid() or not folder.is_dir() or folder.is_symlink():
        raise PermissionError(1, f"{folder} belongs to another user")
    return folder


def _host() -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", socket.gethostname())[:100]


def _boot_id() -> str:
    with contextlib.suppress(OSError):
        return _BOOT_ID.read_text(encoding="ascii").strip()
    return ""


def _started(pid: int) -> str:
    """Start of a process [ticks since boot]; empty if unknown."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] == "Z" else fields[19]
