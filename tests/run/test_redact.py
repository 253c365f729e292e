"""Secrets leave text, and nothing else does."""

from __future__ import annotations

import pytest

from pacifico.run.redact import holds_secret, redact, redacted


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("https://b.s3.amazonaws.com/x.tif?X-Amz-Signature=abc123&X-Amz-Date=d&v=1", "&v=1"),
        ("https://h/x?sv=2022&sig=abc123", "sv=2022"),
        ("https://h/x?API_Key=abc123#frag", "https://h/x?API_Key=REDACTED"),
        ('https://h/x?a=1&amp;token=abc123">', "a=1"),
        ("https://ann:abc123@h/x", "@h/x"),
        ("Authorization: Bearer abc123", "Authorization: "),
        ('{"Authorization": "AWS4-HMAC-SHA256 abc123"}', "Authorization"),
        ("https://h/x#access_token=abc123", "https://h/x#"),
        ("aws_secret_access_key = abc123", "aws_secret_access_key = "),
        ('{"SecretAccessKey": "abc123", "a": 1}', '"a": 1'),
        ("key AKIAABCDEFGHIJKLMNOP of", "key REDACTED of"),
    ],
)
def test_a_secret_is_removed_and_the_rest_is_kept(text, kept):
    found = redact(text)
    assert "abc123" not in found
    assert "AKIAABCDEFGHIJKLMNOP" not in found
    assert kept in found
    assert redact(found) == found
    assert holds_secret({"a": [text]})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a@b",
        "mail ann@example.com",
        "https://h/x.tif?bbox=1,2&width=3",
        "s3://bucket/key",
        "design=3",
        "x?monkey=1",
    ],
)
def test_other_text_is_kept(text):
    assert redact(text) == text
    assert not holds_secret([text, 3, None, {"a": True}])


def test_names_of_members_are_text_too():
    assert holds_secret({"a": {"https://h?sig=x": 1}})
    assert redacted({"https://h?sig=x": 1}) == {"https://h?sig=REDACTED": 1}


def test_every_text_of_a_value_is_redacted():
    assert redacted({"a": ["https://h?sig=x", 1, None, {"b": ("https://h?sig=y",)}]}) == {
        "a": ["https://h?sig=REDACTED", 1, None, {"b": ["https://h?sig=REDACTED"]}]
    }
