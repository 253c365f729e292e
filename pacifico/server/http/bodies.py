"""Bodies of requests as they arrive: bounded, timed, and large ones on disk."""

from __future__ import annotations

import errno
import re
import tempfile
from email.message import Message
from pathlib import PurePosixPath
from typing import IO

from pacifico.server.http.problems import HttpError

#: Largest JSON body [bytes]: 64 kB of parameters, escaped, and the other fields.
MOST_JSON = 1 << 20
#: Bytes that a multipart body may have beside its file.
MULTIPART_ROOM = 64 << 10
_MOST_HEAD = 16 << 10  # of one part
OUT_OF_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EMFILE, errno.ENFILE})
"""Numbers of errors of a server that is out of disk or file handles."""
_UNSAFE = re.compile(r"[^A-Za-z0-9._ -]")


class Body:
    """Bytes of a small body."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.data = bytearray()

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes.

        Raises
        ------
        HttpError
            The body is over the limit.
        """
        if len(self.data) + len(chunk) > self.limit:
            raise too_large(self.limit)
        self.data += chunk

    def close(self) -> None:
        """Free what it holds."""
        self.data.clear()


class FileBody(Body):
    """File of a body, on disk.

    It is the whole body, or the first file of a multipart form.

    Parameters
    ----------
    limit : int
        Largest file [bytes].
    content_type, disposition : str
        Headers of the request.
    """

    def __init__(self, limit: int, content_type: str, disposition: str) -> None:
        super().__init__(limit)
        boundary = _boundary(content_type)
        self.file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `close`)
        self.name = file_name(disposition)
        self.size = 0
        self._total = 0
        self._mark = b"\r\n--" + boundary if boundary else b""
        self._state = "seek" if boundary else "file"
        self._buffer = bytearray(b"\r\n" if boundary else b"")

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes, and write those of the file to disk.

        Raises
        ------
        HttpError
            The file or the body is over the limit, or the form can't be read.
        """
        self._total += len(chunk)
        if self._total > self.limit + (MULTIPART_ROOM if self._mark else 0):
            raise too_large(self.limit)
        if not self._mark:
            self._write(chunk)
            return
        self._buffer += chunk
        while self._step():
            pass

    def finish(self) -> None:
        """Check that the file has arrived whole, and rewind it.

        Raises
        ------
        HttpError
            There is no file, or it is cut off.
        """
        if self._mark and self._state != "done":
            raise HttpError(400, "the form has no complete part with a file; send it as 'file', as curl -F does")
        self.file.seek(0)

    def close(self) -> None:
        """Delete the file."""
        super().close()
        self.file.close()

    def _step(self) -> bool:
        """Take one piece off the buffer; False where more bytes are needed."""
        if self._state in ("seek", "file"):
            at = self._buffer.find(self._mark)
            keep = len(self._mark) - 1 if at < 0 else 0
            piece = self._buffer[: max(0, len(self._buffer) - keep)] if at < 0 else self._buffer[:at]
            if self._state == "file":
                self._write(piece)
            del self._buffer[: len(piece)]
            if at < 0:
                return False
            del self._buffer[: len(self._mark)]
            self._state = "done" if self._state == "file" else "head"
            return True
        if self._state == "head":
            at = self._buffer.find(b"\r\n\r\n")
            if at < 0:
                if len(self._buffer) > _MOST_HEAD:
                    raise HttpError(400, "the head of a part of the form is too long")
                return False
            head = bytes(self._buffer[:at]).decode("utf-8", "replace")
            del self._buffer[: at + 2]  # the second line end belongs to the mark of an empty part
            name = _part_file(head)
            if name is not None:
                del self._buffer[:2]
                self.name = name
            self._state = "seek" if name is None else "file"
            return True
        self._buffer.clear()
        return False

    def _write(self, piece: bytes | bytearray) -> None:
        self.size += len(piece)
        if self.size > self.limit:
            raise too_large(self.limit)
        self.file.write(piece)


def no_room(error: OSError) -> HttpError:
    """Error of a file that the server has no room for."""
    reason = (error.strerror or type(error).__name__).lower()
    return HttpError(503, f"the server has no room for its files ({reason}); try again in a while", Retry_After="60")


def too_large(limit: int) -> HttpError:
    """Error of a body over the limit."""
    return HttpError(413, f"the body is over {limit / 1e6:.1f} MB; send less, or raise the limit in the settings")


def file_name(disposition: str) -> str:
    """File name of a Content-Disposition header, with safe characters alone; may be empty."""
    head = Message()
    head["Content-Disposition"] = disposition.replace("\r", "").replace("\n", "")
    return safe_name(head.get_filename() or "")


def safe_name(name: str) -> str:
    """Last part of a file name in safe characters, at most 100 of them; may be empty."""
    last = PurePosixPath(name.replace("\\", "/")).name
    return _UNSAFE.sub("_", last)[-100:].lstrip(". ")


def _boundary(content_type: str) -> bytes:
    """Boundary of a multipart form; empty for any other body."""
    head = Message()
    head["Content-Type"] = content_type.replace("\r", "").replace("\n", "") or "application/octet-stream"
    if head.get_content_type() != "multipart/form-data":
        return b""
    boundary = head.get_param("boundary")
    if not isinstance(boundary, str) or not 1 <= len(boundary) <= 200:
        raise HttpError(400, "the form names no boundary; send it as curl -F does")
    return boundary.encode("utf-8", "replace")


def _part_file(head: str) -> str | None:
    """File name of a part; None for a plain field."""
    for line in head.splitlines():
        key, _, value = line.partition(":")
        if key.strip().lower() == "content-disposition" and "filename" in value:
            return file_name(value.strip())
    return None
