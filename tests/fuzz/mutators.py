"""Mutators that keep the structure of an input, so that changes reach behind the parser."""

from __future__ import annotations

import io
import json
import re
import tomllib
import zipfile
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping

    Bytes = Callable[[bytes], bytes]
    Mutator = Callable[[bytes, random.Random, Bytes], bytes]

PLAIN_SHARE = 0.2
"""Share of changes that ignore the structure."""
MOST_PLACES = 3000
"""A tree with more values is not made larger."""
VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2**31, 2**63, -(2**64), 10**400, 1e308, -1e308, 1e-320, 0.1, 89.999, 180, -180.0, 360, 1e16,
    float("nan"), float("inf"), "", " ", "x", "0", "-1", "\n", "\x00", "\x1b[2J", "\u202e", "\u2028", "\ud800", "é" * 300,
    "x" * 5000, "2026-01-01T00:00:00Z", [], {}, [[]], [None], [[0, 0]], [[[0, 0], [0, 1], [1, 1], [0, 0]]], {"": None},
)  # fmt: skip


def mutate_json(data: bytes, rng: random.Random, mutate_bytes: Bytes) -> bytes:
    """JSON with one or a few values changed."""
    if rng.random() < PLAIN_SHARE:
        return mutate_bytes(data)
    try:
        tree = json.loads(data)
        for _ in range(rng.choice((1, 1, 1, 2, 4))):
            tree = change(tree, rng, mutate_bytes)
        return json.dumps(tree, ensure_ascii=rng.random() < 0.8).encode("utf-8", "surrogatepass")
    except (ValueError, RecursionError):
        return mutate_bytes(data)


def mutate_toml(data: bytes, rng: random.Random, mutate_bytes: Bytes) -> bytes:
    """TOML with one or a few values changed."""
    if rng.random() < PLAIN_SHARE:
        return mutate_bytes(data)
    try:
        tree = tomllib.loads(data.decode())
        for _ in range(rng.choice((1, 1, 2))):
            tree = change(tree, rng, mutate_bytes)
        if isinstance(tree, dict):
            return "".join(f"{_toml_key(k)} = {toml_value(v)}\n" for k, v in tree.items()).encode("utf-8", "replace")
    except (ValueError, RecursionError):
        pass
    return mutate_bytes(data)


def toml_value(value: Any) -> str:
    """Value as inline TOML; null becomes an empty text."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml_key(k)} = {toml_value(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    if isinstance(value, float):
        return repr(value)
    return json.dumps("" if value is None else value, default=str)


def _toml_key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key)


def mutate_xml(data: bytes, rng: random.Random, mutate_bytes: Bytes) -> bytes:
    """XML with tags and texts dropped, doubled, exchanged or changed."""
    parts = re.findall(rb"<[^>]*>|[^<]+", data)
    if len(parts) < 2 or rng.random() < PLAIN_SHARE:
        return mutate_bytes(data)
    for _ in range(rng.choice((1, 1, 2, 4))):
        if len(parts) < 2:
            break
        i, j = sorted(rng.sample(range(len(parts)), 2))
        match rng.randrange(7):
            case 0:
                del parts[i]
            case 1:
                parts[i:i] = parts[i : min(j, i + 40)] * rng.choice((1, 1, 2, 50))
            case 2:
                parts[i], parts[j] = parts[j], parts[i]
            case 3:
                parts[i] = b"<!-- " + parts[i] + b" -->"
            case 4:
                parts[i] = _changed_numbers(parts[i], rng)
            case 5:
                parts[i] = mutate_bytes(parts[i])
            case _:
                texts = [k for k, p in enumerate(parts) if not p.startswith(b"<") and p.strip()]
                if texts:
                    k = rng.choice(texts)
                    parts[k] = rng.choice((_changed_numbers(parts[k], rng), mutate_bytes(parts[k])))
    return b"".join(parts)


def _changed_numbers(text: bytes, rng: random.Random) -> bytes:
    """Text with one of its numbers replaced."""
    numbers = list(re.finditer(rb"-?\d+(\.\d+)?", text))
    if not numbers:
        return text
    place = rng.choice(numbers)
    new = rng.choice(
        (
            b"0",
            b"-0",
            b"1e999",
            b"NaN",
            b"90",
            b"-90",
            b"180",
            b"-180",
            b"181",
            b"1e-320",
            b"",
            b",",
            b"9" * 400,
            b"1e5",
        )
    )
    return text[: place.start()] + new + text[place.end() :]


def mutate_zip(inside: Mapping[str, Mutator]) -> Mutator:
    """Mutator of archives: changes a member, its name, or the archive's own bytes.

    Parameters
    ----------
    inside : mapping
        Mutators of members by extension; others are changed as bytes.
    """

    def mutate(data: bytes, rng: random.Random, mutate_bytes: Bytes) -> bytes:
        if rng.random() < PLAIN_SHARE / 2:
            return mutate_bytes(data)
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                members = [(i.filename, archive.read(i)) for i in archive.infolist() if i.file_size < 1_000_000]
        except Exception:  # noqa: BLE001 (any archive that Python can't open is changed as bytes)
            return mutate_bytes(data)
        if not members:
            return mutate_bytes(data)
        k = rng.randrange(len(members))
        name, content = members[k]
        roll = rng.random()
        if roll < 0.8:
            members[k] = (name, inside.get(name.rpartition(".")[2].lower(), _as_bytes)(content, rng, mutate_bytes))
        elif roll < 0.86:
            del members[k]
        elif roll < 0.93:
            members.append(
                (rng.choice((f"a/{name}", name.upper(), f"../{name}", f"x{name}", f"__MACOSX/._{name}")), content)
            )
        else:
            members[k] = (mutate_bytes(name.encode()).decode("utf-8", "replace").replace("\x00", "0") or "x", content)
        return archive_of(members)

    return mutate


def _as_bytes(data: bytes, rng: random.Random, mutate_bytes: Bytes) -> bytes:
    del rng
    return mutate_bytes(data)


def archive_of(members: list[tuple[str, bytes]]) -> bytes:
    """Zip archive of members, the same bytes each time."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        names: set[str] = set()
        for name, content in members:
            if name not in names:
                names.add(name)
                archive.writestr(zipfile.ZipInfo(name[:200], (2026, 1, 1, 0, 0, 0)), content)
    return out.getvalue()


def change(tree: Any, rng: random.Random, mutate_bytes: Bytes) -> Any:
    """Tree of JSON values with one node changed."""
    places = list(islice(_places(tree), MOST_PLACES + 1))
    if not places:
        return rng.choice(VALUES)
    if len(places) > MOST_PLACES:
        return tree
    holder, key = rng.choice(places)
    old = holder[key]
    match rng.randrange(9):
        case 0 | 1:
            holder[key] = rng.choice(VALUES)
        case 2:
            del holder[key]
        case 3:
            other, place = rng.choice(places)
            holder[key] = json.loads(json.dumps(other[place])) if other is not holder else other[place]
        case 4 if isinstance(holder, list):
            holder[key:key] = [old] * rng.choice((1, 2, 3, 100))
        case 4 | 5 if isinstance(holder, dict):
            del holder[key]
            holder[
                rng.choice(
                    (key.upper(), key + "x", "", "\n", key[:-1], mutate_bytes(key.encode()).decode("utf-8", "replace"))
                )
            ] = old
        case 6:
            for _ in range(rng.choice((1, 1, 2, 30, 900))):
                old = [old] if rng.random() < 0.7 else {"a": old}
            holder[key] = old
        case _ if isinstance(old, str):
            holder[key] = mutate_bytes(old.encode("utf-8", "replace")).decode("utf-8", "replace")
        case _ if isinstance(old, int | float) and not isinstance(old, bool):
            holder[key] = rng.choice((-old, old + 1, old - 1, old * 10, old / 3, old + 1e-9, str(old), float(old)))
        case _:
            holder[key] = rng.choice(VALUES)
    return tree


def _places(tree: Any) -> Any:
    """Each value of a tree, as its holder and key."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
        for key in keys:
            yield node, key
            waiting.append(node[key])
