"""The static picture needs no running notebook, and follows the layout."""

from __future__ import annotations

import base64
import re

from pacifico.explorer.picture import PictureOutput, static_picture
from pacifico.layout.model.headline import Answer


def test_it_holds_headline_and_drawing():
    html = static_picture("<svg/>", "<Farm>", (Answer("capacity", "Capacity", "5 of 6 MW <short>"),))
    assert "5 of 6 MW &lt;short&gt;" in html
    assert "<Farm>" not in html
    encoded = re.search(r"base64,([^']+)'", html)[1]
    assert base64.b64decode(encoded) == b"<svg/>"


def test_it_is_shown_once_and_then_changed(monkeypatch):
    seen = []

    class Handle:
        def update(self, html):
            seen.append(html.data)

    monkeypatch.setattr("IPython.display.display", lambda html, display_id: (seen.append(html.data), Handle())[1])
    output = PictureOutput()
    output.show("first")
    output.display()
    output.show("second")
    output.show("")
    assert seen == ["first", "second", "<p></p>"]
