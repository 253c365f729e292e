"""The structure that CONTRIBUTING promises: no import circles, small modules and functions, a test file for each module."""

from __future__ import annotations

import ast
import statistics
from collections import Counter, defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted(p for room in ("pacifico", "worker") for p in (ROOT / room).rglob("*.py"))
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in MODULES}

MOST_MODULES = 20
MOST_LINES = 400
MOST_FUNCTION_LINES = 60
MOST_ARGUMENTS, MOST_KERNEL_ARGUMENTS = 10, 15
USUAL_ARGUMENTS = 5
MEDIAN_WORDS, MOST_WORDS = 9, 14


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def shown(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(ROOT)} {getattr(node, 'name', '')}"


def is_kernel(path: Path) -> bool:
    return path.name.startswith("_") and path.name.endswith("kernels.py")


def functions():
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield path, node


def argument_count(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    a = node.args
    named = [*a.posonlyargs, *a.args, *a.kwonlyargs, *filter(None, (a.vararg, a.kwarg))]
    return len([arg for arg in named if arg.arg not in ("self", "cls")])


def imports() -> dict[str, set[str]]:
    """Modules of ours that each module imports anywhere: in functions and for annotations too."""
    known = {name_of(path) for path in MODULES}
    found: dict[str, set[str]] = defaultdict(set)
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                full = [f"{node.module}.{alias.name}" for alias in node.names]
                names = [name if name in known else node.module for name in full]
            else:
                continue
            found[name_of(path)].update(n for n in names if n in known and n != name_of(path))
    return found


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Modules left when those without imports of ours, or without importers, are taken away again and again."""
    left = {m: set(targets) for m, targets in graph.items()}
    while True:
        imported = {t for targets in left.values() for t in targets}
        ends = [m for m, targets in left.items() if not targets & left.keys() or m not in imported]
        if not ends:
            return [sorted(left)] if left else []
        for module in ends:
            del left[module]


def test_circles_are_found():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == [["b", "c"]]
    assert circles({"a": {"b"}, "b": {"c"}}) == []


def test_no_module_imports_itself_through_others():
    assert circles(imports()) == []


def test_folders_hold_few_modules():
    counts = Counter(p.parent.relative_to(ROOT) for p in MODULES)
    assert {folder: n for folder, n in counts.items() if n > MOST_MODULES} == {}


def test_modules_are_short():
    lines = {p.relative_to(ROOT): len(p.read_text(encoding="utf-8").splitlines()) for p in MODULES}
    assert {path: n for path, n in lines.items() if n > MOST_LINES} == {}


def test_functions_are_short():
    long = {
        shown(path, node): node.end_lineno - node.lineno + 1
        for path, node in functions()
        if not is_kernel(path) and node.end_lineno - node.lineno + 1 > MOST_FUNCTION_LINES
    }
    assert long == {}


def test_functions_take_few_arguments():
    counts = {shown(path, node): (argument_count(node), is_kernel(path)) for path, node in functions()}
    too_many = {
        name: n for name, (n, kernel) in counts.items() if n > (MOST_KERNEL_ARGUMENTS if kernel else MOST_ARGUMENTS)
    }
    assert too_many == {}
    usual = [n <= USUAL_ARGUMENTS for n, kernel in counts.values() if not kernel]
    assert sum(usual) >= 0.9 * len(usual)


def test_first_docstring_lines_are_short():
    words = []
    for tree in TREES.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                text = ast.get_docstring(node)
                words += [len(text.splitlines()[0].split())] if text else []
    assert statistics.median(words) <= MEDIAN_WORDS
    assert sum(n <= MOST_WORDS for n in words) >= 0.9 * len(words)


@pytest.mark.parametrize(
    "path", [p for p in MODULES if not p.name.startswith("_")], ids=lambda p: str(p.relative_to(ROOT))
)
def test_each_module_has_its_tests(path):
    inside = path.relative_to(ROOT / "pacifico") if path.is_relative_to(ROOT / "pacifico") else path.relative_to(ROOT)
    tests = ROOT / "tests" / inside.with_name(f"test_{path.name}")
    assert tests.is_file(), f"{path.relative_to(ROOT)} has no {tests.relative_to(ROOT)}"


def test_tests_import_public_names():
    private = []
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in ("pacifico", "worker"):
                private += [f"{path.relative_to(ROOT)}: {a.name}" for a in node.names if a.name.startswith("_")]
    assert [p for p in private if not p.endswith(("kernels", "__version__", "_version"))] == []
