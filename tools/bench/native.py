"""Functions as machine code: for what has to cost less than what is measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def native(function: Function) -> Function:
    """`function`, compiled when it is first called."""
    compile_it: Any = numba.njit
    return cast(Function, compile_it(function))
