import pytest

from pacifico.export.written import plain, whole


def test_a_block_that_fails_leaves_what_was_there_and_nothing_else(tmp_path):
    kept, new = tmp_path / "kept.csv", tmp_path / "new.csv"
    kept.write_text("before")

    def write_half():
        with whole(kept, new) as (first, _):
            first.write_text("half")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_half()
    assert kept.read_text() == "before"
    assert list(tmp_path.iterdir()) == [kept]


def test_a_block_that_ends_well_replaces_all(tmp_path):
    paths = tmp_path / "a", tmp_path / "b"
    paths[0].write_text("before")
    with whole(*paths, suffix=".x") as parts:
        assert all(p.name.startswith(".") and p.suffix == ".x" and p.parent == tmp_path for p in parts)
        for part in parts:
            part.write_text("after")
    assert [p.read_text() for p in paths] == ["after", "after"]
    assert sorted(tmp_path.iterdir()) == list(paths)


def test_long_names_of_files_can_be_written(tmp_path):
    path = tmp_path / ("n" * 250)
    with whole(path, suffix=".gpkg") as (part,):
        part.write_text("x")
    assert path.read_text() == "x"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a\r\nb\tc", "a b c"),
        ("\x00\x1ba\x7f", "a"),
        ("a\u202eb\u200b", "ab"),
        ("a\ud800b", "a b"),
        ("  a  b ", "a b"),
        ("é 東京 ²", "é 東京 ²"),
        ("x" * 201, "x" * 199 + "…"),
        ("x" * 200, "x" * 200),
        (None, "None"),
    ],
)
def test_plain_text_stands_on_one_line(text, said):
    assert plain(text) == said
