"""Output files: whole or not at all, links followed, devices written through."""

import os
import threading
from pathlib import Path

import pytest

from pacifico.errors import InputError
from pacifico.output_files import atomic_files


def test_a_file_appears_when_the_block_succeeds(tmp_path):
    target = tmp_path / "a.txt"
    with atomic_files(target) as (part,):
        part.write_text("new")
        assert not target.exists()
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


def test_a_failure_keeps_the_old_file(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")

    def fail():
        with atomic_files(target) as (part,):
            part.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_symbolic_link_stays_a_link(tmp_path):
    real, link = tmp_path / "real.txt", tmp_path / "link.txt"
    real.write_text("old")
    link.symlink_to(real)
    with atomic_files(link) as (part,):
        part.write_text("new")
    assert link.is_symlink()
    assert real.read_text() == "new"


def test_a_device_is_written_through():
    before = Path(os.devnull).stat().st_rdev
    with atomic_files(Path(os.devnull)) as (part,):
        part.write_text("gone")
    assert Path(os.devnull).stat().st_rdev == before


def test_a_named_pipe_is_written_through(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    with atomic_files(pipe) as (part,):
        part.write_text("through")
    reader.join(10)
    assert read == ["through"]
    assert pipe.is_fifo()


def test_a_folder_and_a_missing_folder_are_refused(tmp_path):
    with pytest.raises(InputError, match="is a folder; give a file name"), atomic_files(tmp_path):
        pass
    with pytest.raises(InputError, match="does not exist; create it first"), atomic_files(tmp_path / "no" / "a.txt"):
        pass


def test_several_files_are_replaced_together(tmp_path):
    paths = tmp_path / "a", tmp_path / "b"
    paths[0].write_text("before")
    with atomic_files(*paths, suffix=".x") as parts:
        assert all(p.name.startswith(".") and p.suffix == ".x" and p.parent == tmp_path for p in parts)
        for part in parts:
            part.write_text("after")
    assert [p.read_text() for p in paths] == ["after", "after"]
    assert sorted(tmp_path.iterdir()) == list(paths)


def test_the_longest_file_name_can_be_written(tmp_path):
    path = tmp_path / ("n" * 250)
    with atomic_files(path, suffix=".gpkg") as (part,):
        part.write_text("x")
    assert path.read_text() == "x"
