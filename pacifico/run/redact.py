"""Remove signatures, keys and passwords from text."""

from __future__ import annotations

import re
from typing import Any

REDACTED = "REDACTED"

_QUERY_NAME = (
    r"(?:x-amz-[a-z-]*|x-goog-[a-z-]*|x-ms-[a-z-]*|[\w.-]*(?:sig|signature|token|secret|credential|password|passwd|api[_-]?key|"
    r"access[_-]?key|subscription[_-]?key|auth|authorization)|key|awsaccesskeyid|policy|key-pair-id|sas|pwd)"
)
_IN_QUERY = re.compile(rf"([?&;#](?:amp;)?{_QUERY_NAME})=[^&;\s\"'<>\\]+", re.IGNORECASE)
_USER_INFO = re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^/\s@\"'<>\\]+@", re.IGNORECASE)
_HEADER_NAME = r"(?:proxy-)?authorization|x-amz-security-token|(?:aws_)?secret_?access_?key|(?:aws_)?session_?token"
_HEADER = re.compile(rf"\b({_HEADER_NAME})(\"?\s*[:=]\s*\"?)[^\r\n\"',}}]+", re.IGNORECASE)
_ACCESS_KEY = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")


def redact(text: str) -> str:
    """Text without the secrets of its addresses and headers; other text unchanged."""
    text = _IN_QUERY.sub(rf"\1={REDACTED}", text)
    text = _USER_INFO.sub(rf"\1{REDACTED}@", text)
    text = _HEADER.sub(rf"\1\2{REDACTED}", text)
    return _ACCESS_KEY.sub(REDACTED, text)


def redacted(value: Any) -> Any:
    """JSON value with every text in it redacted."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {redacted(name): redacted(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(item) for item in value]
    return value


def holds_secret(value: Any) -> bool:
    """Whether a JSON value holds a signature, key or password."""
    if isinstance(value, str):
        return redact(value) != value
    if isinstance(value, dict):
        return any(holds_secret(name) or holds_secret(item) for name, item in value.items())
    return isinstance(value, list | tuple) and any(holds_secret(item) for item in value)
