"""Parts of a sparse matrix that share no entry."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray, IntArray


@dataclass(frozen=True)
class MatrixParts:
    """Rows and columns of a matrix by part."""

    of_row: IntArray
    """Part of each row; -1 for rows without an entry."""
    of_column: IntArray
    """Part of each column."""
    row_order: IntArray
    """Rows part by part, those without an entry first."""
    column_order: IntArray
    """Columns part by part."""
    first_row: IntArray
    """Where the rows of each part begin in their order, and the end."""
    first_column: IntArray
    """Where the columns of each part begin in their order, and the end."""

    @classmethod
    def of(cls, matrix: Any) -> MatrixParts:
        """Parts of a sparse matrix."""
        rows, columns = matrix.shape
        pairs = matrix.tocoo()
        graph = coo_array((np.ones(pairs.nnz), (pairs.row, pairs.col + rows)), shape=(rows + columns, rows + columns))
        label = connected_components(graph, directed=False)[1]
        used, of_column = np.unique(label[rows:], return_inverse=True)
        at = np.minimum(np.searchsorted(used, label[:rows]), len(used) - 1)
        of_row = np.where(used[at] == label[:rows], at, -1)
        by_row, by_column = (np.argsort(p, kind="stable") for p in (of_row, of_column))
        parts = np.arange(len(used) + 1)
        firsts = np.searchsorted(of_row[by_row], parts), np.searchsorted(of_column[by_column], parts)
        return cls(of_row, of_column, by_row, by_column, *firsts)

    @property
    def size(self) -> IntArray:
        """Number of columns of each part."""
        return np.diff(self.first_column)

    def columns(self, part: int) -> IntArray:
        """Columns of a part, ascending."""
        return self.column_order[self.first_column[part] : self.first_column[part + 1]]

    def rows(self, part: int) -> IntArray:
        """Rows of a part, ascending."""
        return self.row_order[self.first_row[part] : self.first_row[part + 1]]

    def keys(self, matrix: Any, bounds: FloatArray, limits: FloatArray) -> list[bytes]:
        """Digest of each part's content: parts of the same entries, bounds and limits have the same.

        Parameters
        ----------
        matrix : csc_array
            Matrix whose parts these are.
        bounds : ndarray
            What else distinguishes columns, shape (columns, k).
        limits : ndarray
            Limit of each row.
        """
        sorted_columns = matrix[:, self.column_order]
        about = np.column_stack([bounds, np.diff(matrix.indptr)])[self.column_order]
        rank = np.empty(len(self.row_order), np.int64)
        part = np.maximum(self.of_row[self.row_order], 0)
        rank[self.row_order] = np.arange(len(rank)) - self.first_row[part]
        entries = np.column_stack([rank[sorted_columns.indices], sorted_columns.data])
        first_entry = sorted_columns.indptr[self.first_column]
        pieces = (about, self.first_column), (entries, first_entry), (limits[self.row_order], self.first_row)
        keys = []
        for p in range(len(self.first_row) - 1):
            digest = blake2b(digest_size=16)
            for table, first in pieces:
                digest.update(table[first[p] : first[p + 1]].tobytes())
            keys.append(digest.digest())
        return keys
