"""The linear program in parts has the optimum of the whole, and its prices prove it."""

import numpy as np
import pytest
from fixtures.racking import BENT, STRAIGHT, array, problem
from scipy.optimize import linprog
from scipy.sparse import hstack

from pacifico.layout.racking.grading import least_grading
from pacifico.layout.racking.grading_lp import EXCESS_M3_PER_M, lower_bound, make_program, solve
from pacifico.layout.racking.lattice import free_depth


def hills(x, y):
    return 100 + 0.03 * x + 1.5 * np.sin(x / 23.0 + 0.4) * np.cos(y / 11.0)


def whole_program(p):
    """Program over every node."""
    nodes = np.arange(len(p.node_ground))
    return make_program(p, nodes, np.ones(len(nodes), dtype=bool), free_depth(p.lattice, nodes, p.keep_off, 2.0))


def optimum(program):
    """Least volume by one call of HiGHS on the whole program."""
    n, area = len(program.nodes), program.area_m2
    other = program.tubes.shape[1]
    bounds = (
        [(0, d) for d in program.depth] * 2
        + [tuple(b) for b in program.tube_bounds]
        + [(0, None)] * program.excess.shape[1]
    )
    found = linprog(
        np.r_[np.full(2 * n, area), np.zeros(other), np.full(program.excess.shape[1], EXCESS_M3_PER_M)],
        A_ub=hstack([program.ground, -program.ground, program.tubes, program.excess], format="csr"),
        b_ub=program.limits, bounds=bounds,
    )  # fmt: skip
    return found.fun


@pytest.mark.parametrize("criteria", [STRAIGHT, BENT], ids=["straight", "bent"])
def test_ground_near_the_piles_alone_gives_the_optimum_of_all_ground(criteria):
    p = problem(hills, criteria, [array((12.0, 5.0)), array((60.0, 5.0), rows=3)])
    found = least_grading(p)
    best = optimum(whole_program(p))
    assert found.cut_m3 + found.fill_m3 == pytest.approx(best, rel=1.1e-3)
    assert best >= found.bound_m3 - 1e-3
    assert found.bound_m3 >= best * (1 - 1.1e-3)


def test_any_prices_give_a_bound():
    from dataclasses import replace

    program = whole_program(problem(hills, STRAIGHT, [array((12.0, 5.0))]))
    solution = solve(program)
    exact, _ = lower_bound(program, solution)
    best = optimum(program)
    assert exact == pytest.approx(best, rel=1e-5)
    draw = np.random.default_rng(1)
    for _ in range(5):
        other = replace(solution, prices=solution.prices * draw.uniform(0.5, 1.5, len(solution.prices)))
        assert lower_bound(program, other)[0] <= best + 1e-3


def test_parts_that_do_not_meet_are_solved_apart(monkeypatch):
    import pacifico.layout.racking.grading_lp as lp

    p = problem(hills, STRAIGHT, [array((12.0, 5.0)), array((400.0, 5.0))])
    together = solve(whole_program(p))
    monkeypatch.setattr(lp, "BATCH_COLUMNS", 10)
    apart = solve(whole_program(p))
    assert np.abs(apart.correction).sum() == pytest.approx(np.abs(together.correction).sum(), rel=1e-6)


def test_a_part_that_is_known_is_not_solved_again(monkeypatch):
    import pacifico.layout.racking.grading_lp as lp

    solved = []
    real = lp.linprog
    monkeypatch.setattr(lp, "linprog", lambda *a, **k: (solved.append(len(a[0])), real(*a, **k))[1])
    program, known = whole_program(problem(hills, STRAIGHT, [array((12.0, 5.0))])), {}
    first = solve(program, known)
    assert solved
    solved.clear()
    again = solve(program, known)
    assert not solved
    assert np.array_equal(again.correction, first.correction)
    assert np.array_equal(again.prices, first.prices)
    assert again.excess_m == first.excess_m
