"""Fuzz harness of KMZ files."""

from __future__ import annotations

from functools import partial

from fuzz.harnesses import kml
from fuzz.harnesses.sites import read_boundary
from fuzz.mutators import archive_of, mutate_xml, mutate_zip
from fuzz.scaffold import Harness


def seeds() -> dict[str, bytes]:
    """Archives of one document, of linked documents, and of a document beside other files."""
    documents = kml.seeds()
    link = "<NetworkLink><Link><href>files/more.kml</href></Link></NetworkLink>"
    root = kml.document(f"<Document>{link}<Placemark>{kml.POLYGON}</Placemark></Document>")
    return {
        "doc": archive_of([("doc.kml", documents["placemark"])]),
        "linked": archive_of(
            [("doc.kml", root), ("files/more.kml", documents["folders"]), ("files/x.png", b"\x89PNG")]
        ),
        "unlinked": archive_of([("a/site.kml", documents["bare"]), ("b.kml", documents["placemark"])]),
    }


HARNESS = Harness(
    partial(read_boundary, name="site.kmz"),
    seeds,
    mutate_zip({"kml": mutate_xml}),
    ("doc.kml", "PK\x03\x04", "PK\x01\x02", "PK\x05\x06", "../", "files/more.kml"),
)
