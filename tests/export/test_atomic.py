import pytest

from pacifico.errors import InputError
from pacifico.export.atomic import atomic_files


def test_a_failed_block_leaves_old_files_and_no_temporary_ones(tmp_path):
    kept, new = tmp_path / "kept.csv", tmp_path / "new.csv"
    kept.write_text("before")

    def write_half():
        with atomic_files(kept, new) as (first, _):
            first.write_text("half")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_half()
    assert kept.read_text() == "before"
    assert list(tmp_path.iterdir()) == [kept]


def test_a_finished_block_replaces_all_files(tmp_path):
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


def test_a_folder_or_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="is a folder; give a file name"), atomic_files(tmp_path):
        pass
    with pytest.raises(InputError, match="does not exist; create it first"), atomic_files(tmp_path / "none" / "a"):
        pass
