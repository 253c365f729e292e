import numpy as np
import pytest

from pacifico import array_types


@pytest.mark.parametrize(
    ("alias", "dtype"),
    [
        (array_types.FloatArray, np.float64),
        (array_types.IntArray, np.int64),
        (array_types.Int32Array, np.int32),
        (array_types.FlagArray, np.uint8),
        (array_types.BoolArray, np.bool_),
    ],
)
def test_each_alias_is_an_array_of_its_type(alias, dtype):
    assert alias.__origin__ is np.ndarray
    assert alias.__args__[1].__args__ == (dtype,)
