"""The architecture picture agrees with the Terraform files."""

from __future__ import annotations

import importlib.util
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

INFRA = Path(__file__).parents[2] / "infra"


@pytest.fixture(scope="module")
def draw():
    spec = importlib.util.spec_from_file_location("infra_draw", INFRA / "draw.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_picture_is_up_to_date(draw):
    assert (INFRA / "architecture.svg").read_text() == draw.picture(draw.read()), "run `python infra/draw.py`"


def test_picture_contains_every_kind_of_resource(draw):
    words = " ".join(ET.fromstring((INFRA / "architecture.svg").read_text()).itertext())
    for text in draw.read().values():
        for kind, _ in draw.resources(text):
            assert re.search(rf"\b{kind.removeprefix('aws_')}\b", words), kind


def test_file_without_a_place_is_refused(draw):
    with pytest.raises(SystemExit, match=r"no place for new\.tf"):
        draw.picture({**draw.read(), "new.tf": 'resource "aws_sqs_queue" "x" {\n}\n'})


def test_new_reference_adds_an_arrow(draw):
    files = draw.read()
    more = {**files, "budget.tf": files["budget.tf"] + "\nlocals {\n  x = aws_sqs_queue.layout_jobs.arn\n}\n"}
    assert draw.picture(more).count("<path d=") == draw.picture(files).count("<path d=") + 1
