"""Mutants of a module: its syntax tree with one small change each."""

from __future__ import annotations

import ast
import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Div, ast.Mod: ast.Mult,
    ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip
Where = tuple[tuple[str, int | None], ...]
"""Fields and positions that lead from the module to a node."""


@dataclass(frozen=True)
class Mutant:
    """Module with one change."""

    line: int
    change: str
    """What was changed into what, on one line."""
    number: int
    """Position among the mutants of the module."""
    source: str
    where: Where
    edit: Callable[[ast.AST], None]

    @property
    def tree(self) -> ast.Module:
        """Syntax tree of the changed module."""
        tree = ast.parse(self.source)
        self.edit(_at(tree, self.where))
        return ast.fix_missing_locations(tree)


def mutants(source: str) -> list[Mutant]:
    """All mutants of a module, in the order of its syntax tree.

    Comparisons, arithmetic, numbers, True and False, and, or, not, conditions and returned values are changed. Annotations,
    messages of errors, docstrings, and code for type checkers alone are left as they are.
    """
    tree = ast.parse(source)
    found: list[Mutant] = []
    for node, where in _nodes(tree):
        for change, edit in _edits(node):
            changed = copy.deepcopy(node)
            edit(changed)
            before, after = (ast.unparse(n).partition("\n")[0][:90] for n in (node, changed))
            found.append(Mutant(node.lineno, f"{change}: {before}  ->  {after}", len(found), source, where, edit))
    return found


def _nodes(tree: ast.AST, where: Where = ()) -> Iterator[tuple[ast.expr | ast.stmt, Where]]:
    """Nodes that may be changed, with the way to each."""
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns", "decorator_list", "type_params") or (
            isinstance(tree, ast.Raise) and name == "exc"
        ):
            continue
        children = enumerate(value) if isinstance(value, list) else [(None, value)]
        for position, child in children:
            if not isinstance(child, ast.AST) or _is_left(child):
                continue
            way = (*where, (name, position))
            if isinstance(child, ast.expr | ast.stmt):
                yield child, way
            yield from _nodes(child, way)


def _is_left(node: ast.AST) -> bool:
    """Whether a node and all in it stay as they are."""
    if isinstance(node, ast.JoinedStr):
        return True
    if isinstance(node, ast.If):
        return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    return False


def _at(tree: ast.AST, where: Where) -> ast.AST:
    node = tree
    for name, position in where:
        value = getattr(node, name)
        node = value if position is None else value[position]
    return node


def _edits(node: ast.AST) -> Iterator[tuple[str, Callable[[ast.AST], None]]]:
    """Changes of a node, as functions that change a copy of it."""
    match node:
        case ast.Compare(ops=ops):
            for k, op in enumerate(ops):
                if type(op) in COMPARISONS:
                    yield "comparison", lambda n, k=k: n.ops.__setitem__(k, COMPARISONS[type(n.ops[k])]())
        case ast.BinOp(op=op) | ast.AugAssign(op=op) if type(op) in ARITHMETIC:
            yield "arithmetic", lambda n: setattr(n, "op", ARITHMETIC[type(n.op)]())
        case ast.Constant(value=bool()):
            yield "constant", lambda n: setattr(n, "value", not n.value)
        case ast.Constant(value=int() | float()):
            yield "constant", lambda n: setattr(n, "value", n.value + 1)
        case ast.BoolOp():
            yield "boolean", lambda n: setattr(n, "op", ast.Or() if isinstance(n.op, ast.And) else ast.And())
        case ast.UnaryOp(op=ast.Not()):
            yield "boolean", lambda n: setattr(n, "operand", ast.UnaryOp(ast.Not(), n.operand))
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test) if not isinstance(
            test, ast.Compare | ast.Constant
        ):
            yield "boolean", lambda n: setattr(n, "test", ast.UnaryOp(ast.Not(), n.test))
        case ast.Return(value=value) if value is not None and not (
            isinstance(value, ast.Constant) and value.value is None
        ):
            yield "return", lambda n: setattr(n, "value", ast.Constant(None))
