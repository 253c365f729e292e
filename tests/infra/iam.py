"""Evaluator of AWS policies, which the emulator lacks; unknown elements are refused.

References: AWS IAM User Guide, "Policy evaluation logic" and "IAM JSON policy elements". Identity policies and one
resource policy of the same account; no boundaries, sessions or organizations.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_VARIABLE = re.compile(r"\$\{([^}]+)\}")
_ELEMENTS = {"Sid", "Effect", "Action", "Resource", "Condition", "Principal"}


@dataclass(frozen=True)
class Request:
    """Request to evaluate; `context` maps condition keys in lower case to values."""

    action: str
    resource: str
    principal: str = "arn:aws:iam::123456789012:role/anyone"
    context: dict[str, str | list[str]] = field(default_factory=dict)


def decide(request, *, identity=(), resource=None):
    """Decision: 'allowed', 'denied' (explicitly) or 'not allowed' (no statement allows it)."""
    statements = [(s, None) for document in identity for s in _list(document["Statement"])]
    statements += [(s, request.principal) for s in _list(resource["Statement"])] if resource else []
    effects = {s["Effect"] for s, principal in statements if _applies(s, request, principal)}
    if "Deny" in effects:
        return "denied"
    return "allowed" if "Allow" in effects else "not allowed"


def _applies(statement, request, principal):
    unknown = set(statement) - _ELEMENTS
    assert not unknown, f"the evaluator doesn't know the element {unknown}"
    if principal is not None and not _principal(statement["Principal"], principal):
        return False
    return (
        any(_like(pattern.lower(), request.action.lower()) for pattern in _list(statement["Action"]))
        and ("Resource" not in statement or any(_resource(p, request) for p in _list(statement["Resource"])))
        and all(
            _condition(operator, key.lower(), _list(values), request)
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        )
    )


def _principal(wanted, principal):
    if wanted == "*":
        return True
    kinds = [value for values in wanted.values() for value in _list(values)]
    account = principal.split(":")[4] if principal.startswith("arn:") else None
    return any(value in ("*", principal) or value == f"arn:aws:iam::{account}:root" for value in kinds)


def _resource(pattern, request):
    filled = _fill(pattern, request)
    return filled is not None and _like(filled, request.resource)


def _fill(pattern, request):
    """Text with ${variables} replaced by values; None where one is missing.

    Wildcards in values are text.
    """
    missing = False

    def value(match):
        nonlocal missing
        name = match[1].lower()
        if match[1] in ("*", "?", "$"):
            return _escape(match[1])
        if name not in request.context:
            missing = True
            return ""
        return _escape(request.context[name])

    filled = _VARIABLE.sub(value, pattern)
    return None if missing else filled


def _escape(text):
    return "".join(f"\0{c}" if c in "*?" else c for c in text)


def _like(pattern, text):
    parts, literal = [], False
    for c in pattern:
        if literal or c not in "\0*?":
            parts.append(re.escape(c))
        else:
            parts.append({"\0": "", "*": ".*", "?": "."}[c])
        literal = c == "\0"
    return re.fullmatch("".join(parts), text, re.DOTALL) is not None


def _condition(operator, key, values, request):
    if operator == "Null":
        return (key not in request.context) == (values[0] == "true")
    every = operator.startswith("ForAllValues:")
    test = _TESTS[operator.removeprefix("ForAllValues:")]
    if key not in request.context:
        return every
    wanted = [filled for v in values if (filled := _fill(v, request)) is not None]
    held = _list(request.context[key])
    assert every or len(held) == 1, f"{key} has several values, and {operator} takes one"
    return all(any(test(w, h) for w in wanted) for h in held)


_TESTS = {
    "StringEquals": lambda wanted, held: wanted.replace("\0", "") == held,
    "StringLike": _like,
    "ArnEquals": _like,
    "ArnLike": _like,
    "Bool": lambda wanted, held: wanted.lower() == held.lower(),
}


def _list(value):
    return value if isinstance(value, list) else [value]
