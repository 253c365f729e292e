"""KMZ: its root KML, and the linked KML files inside it."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from pacifico.site.features import MAX_TEXT_BYTES, Budget, Feature, Layer, Reading, counted, quoted_list
from pacifico.site.kml import read_kml

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.site.archive import Archive, Member


def read_kmz(archive: Archive, kmls: Sequence[Member]) -> Reading:
    """Features of a KMZ's root KML and of linked files inside it.

    The root is doc.kml at the top, else the first KML of the archive, as the KML standard says. Other KML files without a
    link to them are not read, and a warning names them.

    Raises
    ------
    SiteError
        Where a document can't be read, or all together pass a limit.

    References
    ----------
    OGC 12-007r2, OGC KML 2.3, on KMZ and on relative links.
    """
    by_path = {posixpath.normpath(m.path): m for m in kmls}
    root = next((m for m in kmls if m.path.lower() == "doc.kml"), kmls[0])
    budget = Budget()
    features: list[Feature] = []
    warnings: list[str] = []
    skipped: list[str] = []
    outside: list[str] = []
    title = ""
    waiting, seen = [root], {root.path}
    left = MAX_TEXT_BYTES
    while waiting:
        member = waiting.pop(0)
        data = archive.read(member, left)
        left -= len(data)
        reading = read_kml(data, budget=budget)
        title = title or reading.title
        features += [f for layer in reading.layers for f in layer.features]
        warnings += reading.warnings
        skipped += reading.skipped
        for link in reading.links:
            target = by_path.get(_inside(link, member))
            if target is None:
                outside.append(link)
            elif target.path not in seen:
                seen.add(target.path)
                waiting.append(target)
    if len(seen) > 1:
        warnings.append(f"{counted(len(seen) - 1, 'linked KML file')} of the archive read with {root.path}")
    if unread := [m.path for m in kmls if m.path not in seen]:
        warnings.append(
            f"the archive holds {len(kmls)} KML files; {quoted_list([root.path])} was read (doc.kml, else the first) with what "
            f"it links to, not {quoted_list(unread, most=5)}"
        )
    layer = Layer(title, reading.layers[0].crs, tuple(features))
    return Reading((layer,), title, tuple(dict.fromkeys(warnings)), tuple(skipped), links=tuple(outside))


def _inside(link: str, member: Member) -> str:
    """Path in the archive that a link names; empty for others."""
    try:
        parts = urlsplit(link.replace("\\", "/"))
    except ValueError:
        return ""
    if parts.scheme or parts.netloc or not parts.path:
        return ""
    return posixpath.normpath(posixpath.join(member.folder, unquote(parts.path)))
