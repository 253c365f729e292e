"""Messages between the kernel and its processes: pickled values with their length.

Both ends are this package's own programs, joined by pipes that nobody else can open. So pickle is safe here, and it carries plans
and terrain as they are.
"""

from __future__ import annotations

import pickle
import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import IO

_LENGTH = struct.Struct(">Q")


def write_frame(stream: IO[bytes], message: Any) -> None:
    """Write a message and flush it.

    Raises
    ------
    OSError
        The other end is gone.
    """
    body = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    stream.write(_LENGTH.pack(len(body)))
    stream.write(body)
    stream.flush()


def read_frame(stream: IO[bytes]) -> Any:
    """Read the next message.

    Raises
    ------
    EOFError
        The other end is gone.
    """
    head = _exactly(stream, _LENGTH.size)
    return pickle.loads(_exactly(stream, _LENGTH.unpack(head)[0]))  # noqa: S301 (the other end is our own process)


def _exactly(stream: IO[bytes], count: int) -> bytes:
    """Read a number of bytes; they may arrive in pieces."""
    pieces = []
    while count:
        piece = stream.read(count)
        if not piece:
            raise EOFError
        pieces.append(piece)
        count -= len(piece)
    return b"".join(pieces)
