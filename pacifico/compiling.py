"""Compile numba kernels ahead of their first use, in several processes.

numba compiles a kernel when it is first called and keeps it in its cache. On a fresh install that takes a minute before the
first layout, on one processor: threads don't help, because numba compiles under a lock. Processes do, through the cache. Wheels for one
platform hold compiled kernels, see `pacifico.shipped`.

`data/kernels.json` lists the kernels with their argument types, which kernels each calls, and whether the first layout does without
it. Such kernels are compiled when they are called, as are those that the list misses, or all at once when pacifico is installed.

`python -m pacifico.compiling` compiles all kernels, and with `--ship FOLDER` writes them to a folder for a wheel. With `--serve` it is
one of the processes: it compiles the kernels that it reads, one line each.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from pacifico._version import __version__
from pacifico.processor import choose_processor
from pacifico.shipped import take_shipped, target, write_shipped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

MOST_PROCESSES = 8
"""Most processes at a time; more would wait for kernels that they call."""
_TICK_S = 0.5


@dataclass
class Kernel:
    """A kernel to compile for some argument types."""

    name: str
    """Module and function, `module:name`."""
    types: list[Any]
    """Its argument types, see `numba_type`."""
    cost: int
    """Length of its bytecode, a measure of the time it takes."""
    calls: list[str]
    """Kernels that it calls."""
    later: bool = False
    """Whether a solar layout with a target does without it."""
    urgency: int = field(default=0, compare=False)
    """Cost of the longest chain of kernels that wait for it, its own included."""


def kernels(*, everything: bool = False) -> list[Kernel]:
    """Kernels, callees before callers."""
    listed = json.loads(files("pacifico.data").joinpath("kernels.json").read_text(encoding="utf-8"))
    found = [kernel for kernel in (Kernel(**entry) for entry in listed) if everything or not kernel.later]
    urgency: dict[str, int] = {}
    for kernel in reversed(found):
        kernel.urgency = kernel.cost + urgency.get(kernel.name, 0)
        for name in kernel.calls:
            urgency[name] = max(urgency.get(name, 0), kernel.urgency)
    return found


def is_compiled(*, everything: bool = False) -> bool:
    """Whether `compile_kernels` has run for this code, these packages and this cache."""
    return _record(everything=True).is_file() or (not everything and _record(everything=False).is_file())


def compile_kernels(
    *, on_progress: Callable[[float], None] | None = None, processes: int | None = None, everything: bool = False
) -> bool:
    """Compile the kernels of a layout, unless that was done before.

    Parameters
    ----------
    on_progress : callable, optional
        Called with the share of the work that is done [0-1], in the caller's thread; never where nothing is compiled.
    processes : int, optional
        Most processes at a time; by default one for each processor.
    everything : bool, default False
        Whether to compile the kernels too that a solar layout with a target does without.

    Returns
    -------
    bool
        Whether anything was compiled.

    Examples
    --------
    >>> compile_kernels(on_progress=lambda share: print(f"{share:.0%}"))  # doctest: +SKIP
    """
    if os.environ.get("NUMBA_DISABLE_JIT", "0") != "0" or is_compiled(everything=everything):
        return False
    with contextlib.suppress(OSError):  # a cache that can't be written: kernels are compiled for this process
        if take_shipped([kernel.name for kernel in kernels(everything=True)], source_hash()):
            _write(_record(everything=True))
            return False
    work = _Work(kernels(everything=everything))
    count = min(processes or _processors(), MOST_PROCESSES)
    threads = [threading.Thread(target=work.serve, name="compile") for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        for share in work.shares(threads):
            if on_progress is not None:
                on_progress(share)
    finally:
        work.stop()
        for thread in threads:
            thread.join()
    if work.complete:
        with contextlib.suppress(OSError):  # a cache that can't be written is looked through again
            _write(_record(everything=everything))
    return True


class _Work:
    """Kernels that wait for a process, given out callees first.

    Parameters
    ----------
    waiting : list of Kernel
        Kernels to compile.
    """

    def __init__(self, waiting: list[Kernel]) -> None:
        self._waiting = sorted(waiting, key=lambda k: -k.urgency)
        self._open = [kernel.name for kernel in waiting]
        self._total = sum(kernel.cost for kernel in waiting)
        self._done = 0
        self._processes: list[subprocess.Popen[str]] = []
        self._changed = threading.Condition()

    @property
    def complete(self) -> bool:
        """Whether every kernel was compiled or refused."""
        return not self._open

    def serve(self) -> None:
        """Compile kernels in a process of its own until none waits."""
        # a process that has died breaks the pipe once more when it is closed
        with contextlib.suppress(BrokenPipeError), _process() as process:
            self._processes.append(process)
            while (kernel := self._next()) is not None and _ask(process, kernel):
                with self._changed:
                    self._open.remove(kernel.name)
                    self._done += kernel.cost
                    self._changed.notify_all()

    def shares(self, threads: Sequence[threading.Thread]) -> Iterator[float]:
        """Yield the share that is done now and then, until all is or the threads have ended."""
        while self._open and any(thread.is_alive() for thread in threads):
            with self._changed:
                self._changed.wait(timeout=_TICK_S)
            yield self._done / self._total

    def stop(self) -> None:
        """Give out no more kernels, and end the processes: on Ctrl-C one may be amid a long kernel."""
        with self._changed:
            self._waiting.clear()
            self._changed.notify_all()
        for process in self._processes:
            process.kill()

    def _next(self) -> Kernel | None:
        """Take the most urgent kernel whose callees are compiled."""
        with self._changed:
            while self._waiting:
                for kernel in self._waiting:
                    if not set(kernel.calls) & set(self._open):
                        self._waiting.remove(kernel)
                        return kernel
                self._changed.wait(timeout=_TICK_S)
            return None


def _process() -> subprocess.Popen[str]:
    """Start a process that compiles."""
    return subprocess.Popen(
        [sys.executable, "-m", "pacifico.compiling", "--serve"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
    )


def _ask(process: subprocess.Popen[str], kernel: Kernel) -> bool:
    """Have a process compile a kernel; return whether it answered.

    What it can't compile is compiled, or fails, when it is called.
    """
    if process.stdin is None or process.stdout is None:
        return False
    try:
        process.stdin.write(json.dumps([kernel.name, kernel.types]) + "\n")
        process.stdin.flush()
        return bool(process.stdout.readline())
    except BrokenPipeError:
        return False


def serve(lines: Iterable[str], answer: Callable[[str], None]) -> None:
    """Compile the kernel of each line; answer 'done', or what went wrong."""
    gc.set_threshold(
        100_000, 20, 100
    )  # much that numba makes lives long: by default an eighth of its time is garbage collection
    for line in lines:
        name, types = json.loads(line)
        try:
            resolve_name(name).compile(tuple(numba_type(t) for t in types))
        except Exception as error:  # noqa: BLE001 (numba raises many kinds; the call of the kernel will raise it again)
            answer(f"{type(error).__name__}: {error}".splitlines()[0])
        else:
            answer("done")


def numba_type(text: Any) -> Any:
    """Argument type of numba.

    Parameters
    ----------
    text : str or dict
        A name such as "float64"; {"array": [item, dimensions, layout]}, with "readonly": true where nothing may write to
        it; {"tuple": "module:class", "of": [types]}.
    """
    from numba import types  # noqa: PLC0415 (0.5 s)

    if isinstance(text, str):
        return types.boolean if text == "bool" else getattr(types, text)
    if "array" in text:
        item, dimensions, layout = text["array"]
        return types.Array(numba_type(item), dimensions, layout, readonly=text.get("readonly", False))
    named: Any = types.BaseTuple
    return named.from_types(tuple(numba_type(t) for t in text["of"]), resolve_name(text["tuple"]))


def _processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _cache() -> Path:
    """Folder for the record of compiled kernels: numba's own, if writable."""
    if own := os.environ.get("NUMBA_CACHE_DIR"):
        return Path(own)
    package = Path(__file__).parent
    return package / "__pycache__" if os.access(package, os.W_OK) else Path(tempfile.gettempdir())


def _record(*, everything: bool) -> Path:
    """File that stands for compiled kernels, named after all that numba's cache depends on."""
    parts = [__version__, *target(source_hash()).values()]
    stamp = hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]
    return _cache() / f"pacifico-kernels-{stamp}{'-all' if everything else ''}"


def _write(record: Path) -> None:
    """Write an empty file."""
    record.parent.mkdir(parents=True, exist_ok=True)
    record.write_text("", encoding="utf-8")


def source_hash() -> str:
    """Hash of the source code of all kernels."""
    modules = sorted({kernel.name.partition(":")[0] for kernel in kernels(everything=True)})
    package = Path(__file__).parent
    sources = [package.joinpath(*m.split(".")[1:]).with_suffix(".py").read_text(encoding="utf-8") for m in modules]
    return hashlib.sha256("|".join(sources).encode()).hexdigest()


def ship(folder: Path) -> None:
    """Compile all kernels into a folder for a wheel.

    Parameters
    ----------
    folder : path
        Folder to write; it must not exist.

    Raises
    ------
    RuntimeError
        If this machine lacks a feature of the common type of processor, or a kernel was not compiled.
    """
    choose_processor()
    if "NUMBA_CPU_NAME" not in os.environ:
        raise RuntimeError("this machine is not of a common type of processor: compile kernels to ship on another one")
    with tempfile.TemporaryDirectory() as cache:
        os.environ["NUMBA_CACHE_DIR"] = cache
        compile_kernels(on_progress=_show, everything=True)
        if not is_compiled(everything=True):
            raise RuntimeError("some kernels were not compiled: a process that compiles has died")
        write_shipped([kernel.name for kernel in kernels(everything=True)], source_hash(), folder)


def _show(share: float) -> None:
    """Show the compiled share in a terminal."""
    if sys.stderr.isatty():
        end = "\n" if share == 1 else ""
        print(f"\rcompiling kernels, once: {share:4.0%}", end=end, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    if sys.argv[1:] == ["--serve"]:
        serve(sys.stdin, lambda text: print(text, flush=True))  # noqa: T201 (the answer)
    elif sys.argv[1:2] == ["--ship"]:
        ship(Path(sys.argv[2]))
    else:
        compile_kernels(on_progress=_show, everything=True)
