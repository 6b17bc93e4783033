"""Machine code of laws: what it may not do."""

from __future__ import annotations

import os

import numpy as np
import pytest
from numba.core.errors import NumbaError
from numpy.typing import NDArray

from runtime.compiled import compiled, prepared

interpreted = bool(os.environ.get("NUMBA_DISABLE_JIT"))
pytestmark = pytest.mark.skipif(interpreted, reason="laws are interpreted")


def _fill(column: NDArray[np.float64]) -> None:
    column[:] = 2.0


def _allocate(column: NDArray[np.float64]) -> None:
    column[:] = np.ones(len(column))


def test_a_law_writes_the_columns_of_its_caller() -> None:
    column = np.zeros(3)
    prepared(compiled(_fill), (column,))(column)
    assert column.tolist() == [2.0, 2.0, 2.0]


def test_a_law_that_allocates_is_not_compiled() -> None:
    with pytest.raises(NumbaError):
        prepared(compiled(_allocate), (np.zeros(3),))
