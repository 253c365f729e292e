"""Parts of a matrix, and the digests of their content."""

import numpy as np
from scipy.sparse import csc_array

from pacifico.layout.racking.matrix_parts import MatrixParts

BLOCKS = np.array([
    [1.0, 0.0, 2.0, 0.0, 0.0],
    [0.0, 3.0, 0.0, 0.0, 0.0],
    [0.0, 0.0, 0.0, 0.0, 0.0],
    [4.0, 0.0, 0.0, 0.0, 0.0],
    [0.0, 0.0, 0.0, 1.0, 2.0],
    [0.0, 0.0, 0.0, 4.0, 0.0],
])  # fmt: skip
LIMITS = np.array([5.0, 6.0, 7.0, 8.0, 5.0, 8.0])


def keys(matrix, bounds=None, limits=LIMITS):
    bounds = np.zeros((matrix.shape[1], 1)) if bounds is None else bounds
    return MatrixParts.of(csc_array(matrix)).keys(csc_array(matrix), bounds, limits)


def test_rows_and_columns_that_share_entries_are_one_part():
    parts = MatrixParts.of(csc_array(BLOCKS))
    found = {(tuple(parts.rows(p)), tuple(parts.columns(p))) for p in range(len(parts.size))}
    assert found == {((0, 3), (0, 2)), ((1,), (1,)), ((4, 5), (3, 4))}
    assert parts.of_row[2] == -1
    assert sorted(parts.size.tolist()) == [1, 2, 2]


def test_equal_parts_have_equal_keys_wherever_they_are():
    found = keys(BLOCKS)
    assert found[0] == found[2] != found[1]


def test_another_entry_limit_or_bound_is_another_key():
    before = keys(BLOCKS)
    entry = BLOCKS.copy()
    entry[3, 0] = 4.5
    limit, bound = LIMITS.copy(), np.zeros((5, 1))
    limit[3], bound[2] = 9.0, 1.0
    for after in (keys(entry), keys(BLOCKS, limits=limit), keys(BLOCKS, bound)):
        assert after[0] != before[0]
        assert after[1:] == before[1:]


def test_a_moved_entry_is_another_key():
    moved = BLOCKS.copy()
    moved[5] = [0.0, 0.0, 0.0, 0.0, 4.0]
    assert keys(moved)[2] != keys(BLOCKS)[2]
