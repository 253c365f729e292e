"""Messages pass through pickle unchanged."""

from __future__ import annotations

import io

from pacifico.explorer.engine.frames import read_frame, write_frame
from pacifico.explorer.engine.messages import FirstPicture, Refusal


def sent(record):
    stream = io.BytesIO()
    write_frame(stream, record)
    stream.seek(0)
    return read_frame(stream)


def test_records_come_back_as_they_were(request_of, terrain):
    for record in (request_of(5), Refusal(0, "add battery", "no room"), FirstPicture(({"type": "Feature"},), 1.0, 1)):
        assert sent(record) == record
    back = sent(terrain)
    assert (back.key, back.site) == (terrain.key, terrain.site)
    assert back.dem.equals(terrain.dem)
