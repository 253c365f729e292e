"""Bodies: bounded, and files found in forms however their bytes arrive."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pacifico.server.http.bodies import Body, FileBody, file_name, safe_name
from pacifico.server.http.problems import HttpError

FORM = "multipart/form-data; boundary=XX"


def form(content, name="site.kml", more=b""):
    head = f'Content-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
    return more + b"--XX\r\n" + head + content + b"\r\n--XX--\r\n"


def read(data, pieces, limit=10_000, content_type=FORM):
    with contextlib.closing(FileBody(limit, content_type, "")) as body:
        at = 0
        for size in [*pieces, len(data)]:
            body.feed(data[at : at + size])
            at += size
        body.finish()
        return body.file.read(), body.name


@given(st.binary(max_size=300), st.lists(st.integers(1, 60), max_size=30))
def test_a_file_in_a_form_comes_out_as_it_went_in(content, pieces):
    content = content.replace(b"\r\n--XX", b"")
    plain = b'--XX\r\nContent-Disposition: form-data; name="note"\r\n\r\nhello\r\n'
    assert read(form(content, more=plain), pieces) == (content, "site.kml")


def test_a_file_may_be_the_whole_body():
    body = FileBody(100, "application/octet-stream", 'attachment; filename="my site.kml"')
    body.feed(b"abc")
    body.finish()
    assert (body.file.read(), body.name, body.size) == (b"abc", "my site.kml", 3)
    body.close()


@pytest.mark.parametrize("data", [b"", b"--XX--\r\n", form(b"abc")[:-12], b"nothing", b"--XX\r\nContent-Dis"])
def test_a_form_without_a_whole_file_is_refused(data):
    with pytest.raises(HttpError, match="no complete part"):
        read(data, [])


def test_limits():
    small = Body(10)
    small.feed(b"x" * 10)
    with pytest.raises(HttpError, match="over"):
        small.feed(b"x")
    with pytest.raises(HttpError) as refused:
        read(form(b"x" * 101), [], limit=100)
    assert refused.value.status == 413
    with pytest.raises(HttpError, match="head of a part"):
        read(b"--XX\r\n" + b"x" * 20_000, [])


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary=" + "x" * 500])
def test_a_form_needs_a_boundary(kind):
    with pytest.raises(HttpError, match="boundary"):
        FileBody(10, kind, "")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\sites\\a.kml", "a.kml"),
        (".hidden.kml", "hidden.kml"),
        ("a\0b\n.kml", "a_b_.kml"),
        ("<img src=x>.kml", "_img src_x_.kml"),
        ("", ""),
        ("..", ""),
        ("x" * 300 + ".kml", "x" * 96 + ".kml"),
    ],
)
def test_only_safe_names_are_kept(given, kept):
    assert safe_name(given) == kept


def test_names_in_other_alphabets_keep_their_suffix():
    assert file_name("attachment; filename*=UTF-8''%E5%9C%B0.kml") == "_.kml"
