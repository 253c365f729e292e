#!/usr/bin/env python3
"""Build and run the tree of the worker's image without a Docker engine.

    sudo infra/build_tree.py build TREE --build-arg GIT_COMMIT=...    run every step of worker/Dockerfile
    sudo infra/build_tree.py run TREE [ARGUMENT...]                   run the entry point as the image's user, on a read-only root
    sudo infra/build_tree.py exec TREE COMMAND [ARGUMENT...]          run another command in the same way

The root of this machine replaces the base image, under an overlay. It should therefore equal the base: Debian 12 with
Python 3.11 and venv.

This proves that the steps run, and that the worker starts as process 1, not as root, without capabilities, unable to gain
rights, on a read-only root with an empty /tmp. It doesn't prove that the base image has the same files as this machine, or
that a registry and Fargate accept the result. The script knows the instructions that worker/Dockerfile uses and refuses
others. It needs root, for mounting.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import re
import shlex
import shutil
import signal
import string
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CLONE_NEWNS, CLONE_NEWPID = 0x00020000, 0x20000000
BASE_PATH = "/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin"


@dataclass
class Stage:
    """One stage of the Dockerfile with its settings."""

    folder: Path
    env: dict[str, str] = field(default_factory=lambda: {"PATH": BASE_PATH})
    arguments: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    user: str = "0:0"
    labels: dict[str, str] = field(default_factory=dict)
    volumes: list[str] = field(default_factory=list)
    entrypoint: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)

    def variables(self) -> dict[str, str]:
        """Values of `$name` in this stage."""
        return {**self.arguments, **self.env}


def instructions(text: str) -> list[tuple[str, str]]:
    """Instructions of a Dockerfile, without comments, continued lines joined."""
    kept = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    lines = re.sub(r"\s*\\\n\s*", " ", "\n".join(kept)).splitlines()
    return [(word.upper(), rest.strip()) for word, _, rest in (line.strip().partition(" ") for line in lines) if word]


def build(tree: Path, given: dict[str, str]) -> None:
    """Run all instructions of worker/Dockerfile; the last stage is the image."""
    tree.mkdir(parents=True)
    stages: dict[str, Stage] = {}
    stage: Stage | None = None
    for word, rest in instructions((ROOT / "worker" / "Dockerfile").read_text(encoding="utf-8")):
        print(f"{word} {rest}"[:150], flush=True)  # noqa: T201 (a command's progress)
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            if not base.startswith("python:3.11-"):
                sys.exit(
                    f"base image {base} is not python:3.11-*; the root of this machine can only replace Python 3.11"
                )
            stage = Stage(tree / f"stage-{len(stages)}")
            stages[name or "final"] = stage
            _base(stage)
            continue
        if stage is None:
            sys.exit(f"worker/Dockerfile: {word} comes before the first FROM; put FROM first")
        _step(stage, stages, word, rest, given)
    if stage is None:
        sys.exit("worker/Dockerfile has no FROM; add a base image")
    image = {k: v for k, v in vars(stage).items() if k not in ("folder", "arguments")}
    places = {part: str(stage.folder / part) for part in ("upper", "work")}
    (tree / "image.json").write_text(json.dumps({**image, **places}, indent=1))


def _base(stage: Stage) -> None:
    """Link this machine's Python to its path in the base image."""
    for part in ("upper/usr/local/bin", "work", "root"):
        (stage.folder / part).mkdir(parents=True)
    (stage.folder / "upper/usr/local/bin/python").symlink_to("/usr/bin/python3.11")


def _step(stage: Stage, stages: dict[str, Stage], word: str, rest: str, given: dict[str, str]) -> None:
    filled = string.Template(rest).safe_substitute(stage.variables())
    match word:
        case "ARG":
            name, _, default = rest.partition("=")
            stage.arguments[name] = given.get(name, default)
        case "ENV" | "LABEL":
            pairs = dict(part.split("=", 1) for part in shlex.split(filled))
            (stage.env if word == "ENV" else stage.labels).update(pairs)
        case "WORKDIR":
            stage.workdir = filled
            (stage.folder / "upper" / filled.lstrip("/")).mkdir(parents=True, exist_ok=True)
        case "USER":
            stage.user = filled
        case "VOLUME":
            stage.volumes = json.loads(rest)
        case "ENTRYPOINT":
            stage.entrypoint = json.loads(rest)
        case "HEALTHCHECK":
            stage.health = json.loads(rest.partition(" CMD ")[2])
        case "STOPSIGNAL":
            if rest != "SIGTERM":
                sys.exit(f"worker/Dockerfile: STOPSIGNAL is {rest}; a worker stops on SIGTERM only")
        case "COPY":
            _copy(stage, stages, shlex.split(filled))
        case "RUN":
            command = ["/bin/sh", "-c", rest]
            if status := _contained(stage, command):
                sys.exit(f"RUN {rest}: exit status {status}")
        case _:
            sys.exit(f"worker/Dockerfile: {word} is not supported; add it to infra/build_tree.py")


def _copy(stage: Stage, stages: dict[str, Stage], words: list[str]) -> None:
    source = ROOT
    if words[0].startswith("--from="):
        source = stages[words.pop(0).removeprefix("--from=")].folder / "upper"
    *names, target = words
    to = stage.folder / "upper" / (Path(stage.workdir) / target).relative_to("/")
    for name in names:
        path = source / name.lstrip("/")
        if path.is_dir():
            shutil.copytree(path, to, symlinks=True, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            to.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, to)


def _contained(stage: Stage, command: list[str]) -> int:
    """Exit status of a build step, run as root in a stage."""
    root = stage.folder / "root"

    def enter() -> None:
        _unshare(CLONE_NEWNS)
        _mount("--make-rprivate", "/")
        layers = f"lowerdir=/,upperdir={stage.folder}/upper,workdir={stage.folder}/work"
        _mount("-t", "overlay", "overlay", "-o", layers, str(root))
        _mount("--rbind", "/dev", f"{root}/dev")
        _mount("-t", "proc", "proc", f"{root}/proc")
        _mount("-t", "tmpfs", "tmpfs", f"{root}/tmp")  # noqa: S108 (an empty one, private to the build)
        os.chroot(root)
        os.chdir(stage.workdir)

    # As in a container: the environment of the image, and the machine's settings for pip, which a builder has too.
    env = {**{k: v for k, v in os.environ.items() if k.startswith("PIP_")}, **stage.variables(), "HOME": "/root"}
    return subprocess.run(command, env=env, preexec_fn=enter, check=False).returncode


def run(tree: Path, command: list[str], *, entrypoint: bool) -> int:
    """Exit status of a command in the image, run as its user.

    The root is read-only, and the command is process 1 of its own namespace. SIGTERM and SIGINT are passed on to it.
    """
    image = json.loads((tree / "image.json").read_text())
    user, group = image["user"].split(":")
    drop = [
        "setpriv",
        "--reuid",
        user,
        "--regid",
        group,
        "--clear-groups",
        "--inh-caps=-all",
        "--bounding-set=-all",
        "--",
    ]
    whole = [*drop, *(image["entrypoint"] if entrypoint else []), *command]
    passed = ("AWS_", "PACIFICO_", "ECS_")
    env = {**image["env"], **{k: v for k, v in os.environ.items() if k.startswith(passed)}}
    _unshare(CLONE_NEWNS)
    _mount("--make-rprivate", "/")
    _unshare(CLONE_NEWPID)  # the next process is process 1
    child = os.fork()
    if child == 0:
        root = Path(image["upper"]).parent / "root"
        layers = f"lowerdir=/,upperdir={image['upper']},workdir={image['work']}"
        _mount("-t", "overlay", "overlay", "-o", f"ro,{layers}", str(root))
        _mount("--rbind", "/dev", f"{root}/dev")
        _mount("-t", "proc", "proc", f"{root}/proc")
        for volume in image["volumes"]:
            _mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", f"{root}{volume}")
        os.chroot(root)
        os.chdir(image["workdir"])
        os.execvpe(whole[0], whole, {**env, "PATH": image["env"]["PATH"]})  # noqa: S606 (the entry point, or the caller's command)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda got, _frame: os.kill(child, got))
    while True:
        try:
            _, status = os.waitpid(child, 0)
        except InterruptedError:
            continue
        return os.waitstatus_to_exitcode(status) % 256


def _unshare(flags: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags):
        sys.exit(f"can't create a namespace: {os.strerror(ctypes.get_errno())}; run as root")


def _mount(*arguments: str) -> None:
    subprocess.run(["/bin/mount", *arguments], check=True)


def main() -> int:
    """Exit status of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    builder = commands.add_parser("build")
    builder.add_argument("tree", type=Path)
    builder.add_argument("--build-arg", action="append", default=[], metavar="NAME=VALUE")
    for name in ("run", "exec"):
        runner = commands.add_parser(name)
        runner.add_argument("tree", type=Path)
        runner.add_argument("arguments", nargs=argparse.REMAINDER)
    given = parser.parse_args()
    if given.command == "build":
        build(given.tree.resolve(), dict(pair.split("=", 1) for pair in given.build_arg))
        return 0
    return run(given.tree.resolve(), given.arguments, entrypoint=given.command == "run")


if __name__ == "__main__":
    sys.exit(main())
