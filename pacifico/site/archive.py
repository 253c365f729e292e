"""Zip archives, read in memory with limits on every size."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from dataclasses import dataclass

from pacifico.errors import SiteError
from pacifico.site.features import clean_name, quoted

MAX_MEMBERS = 5000
"""Most files of an archive."""
MAX_RATIO = 200
"""Highest compression of a member [-]: text packs 5 to 20-fold, a zip bomb 1000-fold."""
_RATIO_MATTERS_BYTES = 4_000_000
_CENTRAL_ENTRY = b"PK\x01\x02"
_DAMAGE = (zipfile.BadZipFile, struct.error, NotImplementedError, ValueError, OSError, EOFError)


@dataclass(frozen=True)
class Member:
    """File of an archive; its path is only a label."""

    path: str
    info: zipfile.ZipInfo

    @property
    def folder(self) -> str:
        """Path before the last slash."""
        return self.path.rpartition("/")[0]

    @property
    def stem(self) -> str:
        """File name without its extension."""
        name = self.path.rpartition("/")[2]
        return name.rpartition(".")[0] or name

    @property
    def extension(self) -> str:
        """Extension in lower case, without the dot."""
        return self.path.rpartition("/")[2].rpartition(".")[2].lower()


class Archive:
    """Members of a zip archive, without macOS's shadow folder and hidden files.

    Parameters
    ----------
    data : bytes
        The archive.

    Raises
    ------
    SiteError
        Where it is damaged or holds too many members.
    """

    def __init__(self, data: bytes) -> None:
        # Counted before zipfile builds an object for each.
        if data.count(_CENTRAL_ENTRY) > MAX_MEMBERS:
            raise SiteError(f"the archive has more than {MAX_MEMBERS:,} members, the limit; pack the site alone")
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
            infos = self._zip.infolist()
        except (*_DAMAGE, OverflowError) as error:
            raise SiteError(f"the archive is damaged or cut off ({_reason(error)}); pack it again") from None
        self.members = tuple(
            Member(path, info) for info in infos if not _is_left_out(path := info.filename.replace("\\", "/"))
        )

    def read(self, member: Member, limit: int) -> bytes:
        """Bytes of a member.

        Raises
        ------
        SiteError
            Where it is encrypted, damaged, larger than `limit` bytes or packed more than 200-fold.
        """
        info = member.info
        if info.flag_bits & 0x1:
            raise SiteError(f"{quoted(member.path)} in the archive is encrypted; pack it without a password")
        if info.file_size > limit:
            raise SiteError(
                f"{quoted(member.path)} in the archive unpacks to {info.file_size / 1e6:,.0f} MB; the limit is {limit / 1e6:.0f} MB: "
                "pack the site alone"
            )
        if info.file_size > max(_RATIO_MATTERS_BYTES, MAX_RATIO * info.compress_size):
            raise SiteError(
                f"{quoted(member.path)} in the archive unpacks {info.file_size / max(info.compress_size, 1):,.0f}-fold; "
                f"the limit is {MAX_RATIO}-fold: pack it again without filler"
            )
        try:
            with self._zip.open(info) as stream:
                # zipfile stops at the declared size and checks the CRC, so a false header can't pass.
                return stream.read(limit + 1)
        except (*_DAMAGE, zlib.error, RuntimeError) as error:
            raise SiteError(
                f"{quoted(member.path)} in the archive can't be unpacked ({_reason(error)}); pack it again"
            ) from None


def _is_left_out(path: str) -> bool:
    """Whether a member is a folder, nameless, hidden, or macOS's."""
    parts = path.split("/")
    return not parts[-1] or "__MACOSX" in parts or parts[-1].startswith(".")


def _reason(error: Exception) -> str:
    return clean_name(str(error)) or type(error).__name__
