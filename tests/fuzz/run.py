"""Run fuzz harnesses: `python tests/fuzz/run.py [NAME...] --minutes 1 --out .fuzz`.

A crash doesn't end the run: it is written to OUT/NAME/crashes, once for each place of the code that it comes from. An
input that takes too long or too much memory ends libFuzzer's process, and another one goes on.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import os
import random
import re
import subprocess
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MEMORY_MB = 1500
"""Memory of the whole process, as libFuzzer counts it."""
SECONDS = 60
"""Time after which libFuzzer ends an input [s]: the limit is 10 s of the processor, and the machine may be busy."""
LONGEST = 16_384
"""Longest input [bytes]."""
MOST_CRASHES = 3
"""Inputs kept for one place of the code."""


@dataclass(frozen=True)
class Result:
    """What a run of one harness came to."""

    name: str
    minutes: float
    executions: int
    coverage: int
    """Edges of pacifico's bytecode that were reached."""
    crashes: list[str]
    """Files written in this run."""


def main() -> int:
    """Run harnesses one after the other; the status is 1 where one crashed."""
    sys.path[:0] = [str(ROOT), str(HERE.parent)]
    from fuzz.scaffold import NAMES

    parser = argparse.ArgumentParser(description="Run fuzz harnesses.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"harness; all by default: {', '.join(NAMES)}")
    parser.add_argument("--minutes", type=float, default=1.0, help="time of each [min]")
    parser.add_argument("--out", type=Path, default=ROOT / ".fuzz", help="folder of corpora and crashes")
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if unknown := set(given.names) - set(NAMES):
        parser.error(f"unknown harness {', '.join(sorted(unknown))}; choose from {', '.join(NAMES)}")
    if given.child is not None:
        fuzz(given.names[0], given.out, given.child)
        return 0
    results = [supervise(name, given.minutes, given.out) for name in given.names or NAMES]
    print("harness         minutes  executions  edges  crashes")
    for r in results:
        print(f"{r.name:15} {r.minutes:7.1f} {r.executions:11,} {r.coverage:6,} {len(r.crashes):8}")
    for path in (p for r in results for p in r.crashes):
        print(f"crash: {path}")
    return int(any(r.crashes for r in results))


def supervise(name: str, minutes: float, out: Path) -> Result:
    """Run one harness for some minutes, again after each process that ends early."""
    folder = out / name
    for part in ("corpus", "crashes"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    start, executions, coverage = time.monotonic(), 0, 0
    before = set((folder / "crashes").iterdir())
    rounds = 0
    while (left := minutes * 60 - (time.monotonic() - start)) > 2:
        log = folder / f"log-{rounds}.txt"
        with log.open("w") as stream:
            command = [sys.executable, __file__, name, "--out", str(out), "--child", str(int(left))]
            done = subprocess.run(command, stdout=stream, stderr=stream, check=False, cwd=ROOT)
        text = log.read_text(errors="replace")
        executions += max(
            map(int, re.findall(r"(?:^#|stat::number_of_executed_units:\s+)(\d+)", text, re.MULTILINE)), default=0
        )
        coverage = max([coverage, *map(int, re.findall(r"cov: (\d+)", text))])
        rounds += 1
        if done.returncode and time.monotonic() - start < 5 * rounds:
            raise SystemExit(f"{name} can't run:\n{text[-3000:]}")
    crashes = sorted(str(p) for p in set((folder / "crashes").iterdir()) - before if p.suffix != ".txt")
    result = Result(name, (time.monotonic() - start) / 60, executions, coverage, crashes)
    (folder / "result.json").write_text(json.dumps(result.__dict__, indent=1))
    return result


def fuzz(name: str, out: Path, seconds: int) -> None:
    """Run libFuzzer in this process; it ends the process."""
    import atheris

    kernels = [
        ".".join(p.relative_to(ROOT).with_suffix("").parts) for p in (ROOT / "pacifico").rglob("_*kernels.py")
    ]  # numba compiles these, and takes no instrumented bytecode
    scaffold = importlib.import_module("fuzz.scaffold")
    folder, crashes = out / name, Crashes(out / name / "crashes")
    with atheris.instrument_imports(include=["pacifico"], exclude=kernels):
        harness = scaffold.load(name)
        seeds = harness.seeds()
        for data in seeds.values():  # also what readers import when they are used
            scaffold.check(harness, data)
    for seed, data in seeds.items():
        (folder / "corpus" / f"seed-{seed}").write_bytes(data)
    words = folder / "words.txt"
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in harness.words))

    def read(data: bytes) -> None:
        try:
            scaffold.check_within_limits(harness, data)
        except scaffold.BreachError as error:
            crashes.keep(data, error)

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        rng = random.Random(seed)
        try:
            changed = harness.mutate(data, rng, lambda part: atheris.Mutate(part, 2 * len(part) + 16))
        except (ValueError, ArithmeticError, RecursionError):  # such as text of a number with too many digits
            changed = atheris.Mutate(data, most)
        return changed if len(changed) <= most else atheris.Mutate(data, most)

    corpora = [str(folder / "corpus"), *(str(p) for k in ("corpus", "crashes") if (p := HERE / k / name).is_dir())]
    arguments = [
        f"-max_total_time={seconds}", f"-timeout={SECONDS}", f"-rss_limit_mb={MEMORY_MB}", f"-max_len={LONGEST}",
        f"-dict={words}", f"-artifact_prefix={folder / 'crashes'}/", "-print_final_stats=1", f"-report_slow_units={SECONDS}", "-len_control=0", "-verbosity=1",
    ]  # fmt: skip
    atheris.Setup([sys.argv[0], *arguments, *corpora], read, **({"custom_mutator": mutate} if harness.mutate else {}))
    atheris.Fuzz()


def _escaped(word: str) -> str:
    """Word as libFuzzer's dictionaries write it."""
    return "".join(f"\\x{b:02x}" for b in word.encode())


class Crashes:
    """Folder of crashes, a few for each place of the code."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.counts: dict[str, int] = {}

    def keep(self, data: bytes, breach: Exception) -> None:
        """Write an input and its traceback, unless its place has enough of them."""
        cause = breach.__cause__ or breach
        frames = [f for f in traceback.extract_tb(cause.__traceback__) if f"{os.sep}pacifico{os.sep}" in f.filename]
        place = "-".join(f"{Path(f.filename).stem}.{f.lineno}" for f in frames[-1:]) or "text"
        if place == "text":
            place = re.sub(r"[^A-Za-z0-9]+", "-", str(breach)[:60])
        key = f"{type(cause).__name__}-{place}"
        self.counts[key] = self.counts.get(key, 0) + 1
        if self.counts[key] > MOST_CRASHES:
            return
        path = self.folder / f"{key}-{hashlib.sha256(data).hexdigest()[:8]}"
        path.write_bytes(data)
        path.with_name(f"{path.name}.txt").write_text("".join(traceback.format_exception(breach)))


if __name__ == "__main__":
    sys.exit(main())
