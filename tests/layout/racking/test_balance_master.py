"""Mixes of solutions: volumes against one linear program with rows of balance."""

import numpy as np
import pytest
from fixtures.racking import STRAIGHT, array, problem
from scipy.optimize import linprog
from scipy.sparse import csr_array, hstack

from pacifico.layout.racking.balance_master import Balance, GroupedProgram
from pacifico.layout.racking.grading_lp import EXCESS_M3_PER_M, make_program
from pacifico.layout.racking.lattice import free_depth


def whole_program(ground, arrays):
    """Program over every node, in two groups: west and east of 40 m."""
    p = problem(ground, STRAIGHT, arrays)
    nodes = np.arange(len(p.node_ground))
    depth = free_depth(p.lattice, nodes, p.keep_off, 2.0)
    program = make_program(p, nodes, np.ones(len(nodes), dtype=bool), depth)
    return GroupedProgram(program, (p.lattice.map_places(nodes)[0] > 40).astype(np.int64))


def optimum(grouped, shrink):
    """Least volume by one call of HiGHS with a row of balance for each group."""
    program, group = grouped.program, grouped.group
    n, other = len(program.nodes), program.tubes.shape[1] + program.excess.shape[1]
    in_group = np.array([group == g for g in (0, 1)], dtype=np.float64)
    return linprog(
        np.r_[
            np.full(2 * n, program.area_m2),
            np.zeros(program.tubes.shape[1]),
            np.full(program.excess.shape[1], EXCESS_M3_PER_M),
        ],
        A_ub=hstack([program.ground, -program.ground, program.tubes, program.excess], format="csr"),
        b_ub=program.limits,
        A_eq=hstack([csr_array(-in_group), csr_array((1 - shrink) * in_group), csr_array((2, other))], format="csr"),
        b_eq=np.zeros(2),
        bounds=[(0, d) for d in program.depth] * 2
        + [tuple(b) for b in program.tube_bounds]
        + [(0, None)] * program.excess.shape[1],
    ).fun


@pytest.mark.parametrize("shrink", [0.0, 0.12, 0.4])
def test_volumes_are_those_of_one_program_with_rows_of_balance(shrink):
    ground = lambda x, y: 100 + 0.03 * x + 1.5 * np.sin(x / 23.0 + 0.4) * np.cos(y / 11.0)  # noqa: E731
    grouped = whole_program(ground, [array((12.0, 5.0), name="a"), array((60.0, 5.0), rows=3, name="b")])
    found = Balance([grouped], 2, shrink, {}).corrections()
    best = optimum(grouped, shrink)
    (correction,) = found.corrections
    assert np.abs(correction).sum() * 25 == pytest.approx(best, rel=1e-3)
    assert found.bound_m3 <= best * (1 + 1e-6)
    assert found.bound_m3 == pytest.approx(best, rel=1e-3)
    assert np.abs(found.imbalance_m3).max() < 1e-3 * best


def test_equal_volumes_need_one_solution():
    """A wave as high as deep balances by itself."""
    ground = lambda x, y: 2.0 * np.sin(y / 8.0)  # noqa: E731
    grouped = whole_program(ground, [array((0.0, 0.0), name="a")])
    known = {}
    found = Balance([grouped], 2, 0.0, known).corrections()
    assert np.abs(found.imbalance_m3).max() < 1e-3 * np.abs(found.corrections[0]).sum() * 25
    assert found.bound_m3 == pytest.approx(np.abs(found.corrections[0]).sum() * 25, rel=1e-3)
