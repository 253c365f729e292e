import pytest

from pacifico import toml_file
from pacifico.errors import InputError
from pacifico.toml_file import read_toml


def read(path):
    return read_toml(path, what="spec file", remedy="give another")


def test_the_content_is_read(tmp_path):
    (tmp_path / "a.toml").write_text("[solar]\ntracker_gcr = 0.4\n")
    assert read(tmp_path / "a.toml") == {"solar": {"tracker_gcr": 0.4}}
    assert read(str(tmp_path / "a.toml")) == {"solar": {"tracker_gcr": 0.4}}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"x", "Expected '='"),
        (b"\xff\xfe", "can't decode byte"),
        (b"x = " + b"9" * 5000, "digits"),
        (b"x = " + b"[" * 20_000, "nested too deeply"),
    ],
)
def test_any_other_content_is_refused_in_one_line(tmp_path, content, problem):
    (tmp_path / "a.toml").write_bytes(content)
    with pytest.raises(InputError, match=rf"^spec file a\.toml.*{problem}.*; give another$"):
        read(tmp_path / "a.toml")


def test_a_missing_file_is_refused_with_its_name(tmp_path):
    with pytest.raises(InputError, match=r"^spec file none\.toml: No such file or directory; give another$"):
        read(tmp_path / "none.toml")


def test_a_large_file_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(toml_file, "MAX_BYTES", 3)
    (tmp_path / "a.toml").write_text("a=1")
    assert read(tmp_path / "a.toml") == {"a": 1}
    (tmp_path / "a.toml").write_text("a= 1")
    with pytest.raises(InputError, match=r"has more than 3e-06 MB, the limit; give another"):
        read(tmp_path / "a.toml")
