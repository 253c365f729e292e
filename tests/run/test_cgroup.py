"""Control groups, on a folder that stands for the mounted ones."""

from __future__ import annotations

import pytest

from pacifico.run.cgroup import Cgroup

FILES = ("cgroup.procs", "cgroup.kill", "memory.max", "memory.swap.max", "memory.oom.group", "memory.events")


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A mounted cgroup v2, in which this process has a group of its own; new groups get their files."""
    (tmp_path / "own").mkdir()
    (tmp_path / "cgroup.controllers").write_text("memory")
    (tmp_path / "self").write_text("1:name=systemd:/x\n0::/own\n")
    mkdir = type(tmp_path).mkdir

    def with_files(path, *arguments, **more):
        mkdir(path, *arguments, **more)
        for name in FILES:
            (path / name).write_text("")

    monkeypatch.setattr(type(tmp_path), "mkdir", with_files)
    return tmp_path


def made(root):
    group = Cgroup.create(4242, root=root, own=root / "self")
    return group, next((root / "own").glob("pacifico-*"), None)


def test_a_process_is_moved_into_a_group_of_its_own(root):
    group, folder = made(root)
    assert group.pids() == {4242}
    group.limit_memory(300_000_000)
    group.kill()
    texts = {name: (folder / name).read_text() for name in FILES if name != "memory.events"}
    assert texts == {
        "cgroup.procs": "4242", "cgroup.kill": "1", "memory.max": "300000000", "memory.swap.max": "0", "memory.oom.group": "1",
    }  # fmt: skip


def test_a_kill_at_the_limit_is_seen(root):
    group, folder = made(root)
    assert not group.out_of_memory
    (folder / "memory.events").write_text("oom 1\noom_kill 1\n")
    assert group.out_of_memory


def test_without_the_memory_controller_the_group_still_holds_its_processes(root):
    group, folder = made(root)
    for name in FILES:
        if name.startswith("memory"):
            (folder / name).unlink()
    group.limit_memory(1)
    assert group.pids() == {4242}
    assert not group.out_of_memory


def test_where_none_is_granted_there_is_none(tmp_path):
    assert Cgroup.create(1, root=tmp_path, own=tmp_path / "self") is None
    (tmp_path / "cgroup.controllers").write_text("memory")
    (tmp_path / "self").write_text("4:memory:/old\n")
    assert Cgroup.create(1, root=tmp_path, own=tmp_path / "self") is None
    (tmp_path / "self").write_text("0::/not/there\n")
    assert Cgroup.create(1, root=tmp_path, own=tmp_path / "self") is None


def test_a_group_that_takes_no_process_is_removed(tmp_path):
    (tmp_path / "cgroup.controllers").write_text("memory")
    (tmp_path / "self").write_text("0::/\n")
    assert Cgroup.create(1, root=tmp_path, own=tmp_path / "self") is None
    assert list(tmp_path.glob("pacifico-*")) == []


def test_groups_of_killed_processes_are_removed(root):
    left = root / "own" / "pacifico-4194999-abc"
    left.mkdir()
    for name in FILES:
        (left / name).unlink()
    made(root)
    assert not left.exists()
