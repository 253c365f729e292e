"""Public functions and methods explain parameters, result, errors and use."""

import inspect
import re

import pytest

import pacifico
from pacifico.layout.editing.editor import Editor

CLASSES = (pacifico.Plan, pacifico.Site, Editor)


def public():
    for name in pacifico.__all__:
        member = getattr(pacifico, name)
        if inspect.isfunction(member):
            yield name, member
    for owner in CLASSES:
        for name, member in inspect.getmembers(owner, inspect.isfunction):
            if not name.startswith("_"):
                yield f"{owner.__name__}.{name}", member


MEMBERS = dict(public())


def section(text, title):
    """Body of a numpydoc section; empty without it."""
    parts = re.split(r"\n(\w[\w ]*)\n-{3,}\n", text)
    return dict(zip(parts[1::2], parts[2::2], strict=True)).get(title, "")


@pytest.mark.parametrize("name", MEMBERS)
def test_it_has_all_sections(name):
    member = MEMBERS[name]
    text = inspect.getdoc(member) or ""
    signature = inspect.signature(member)
    given = [p for p in signature.parameters.values() if p.name not in ("self", "cls") and p.kind is not p.VAR_KEYWORD]
    explained = section(text, "Parameters")
    assert [p.name for p in given if not re.search(rf"^[\w, ]*\b{p.name}\b", explained, re.MULTILINE)] == []
    assert section(text, "Returns") or signature.return_annotation == "None"
    assert ">>>" in section(text, "Examples")


def test_objects_show_themselves_in_notebooks():
    for owner in CLASSES[:2]:
        assert callable(owner._repr_html_)
