"""How this package compiles its loops: one place for Numba's options.

Compiled code is cached beside its source (or in NUMBA_CACHE_DIR), so only the first call on a machine waits
for the compiler. The interpreter lock is released, so that several threads may each work on a part; Numba's
own threads are not used, for they are not safe in a server with threads of its own. Division by zero gives
infinities, as in NumPy, instead of raising in mid-loop.
"""

from collections.abc import Callable
from typing import TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Compile, with every operation rounded as written: the same input gives the same bits."""
    return cast(Function, njit(cache=True, nogil=True, error_model="numpy")(function))


def compiled_fast(function: Function) -> Function:
    """Compile, and let the compiler reorder sums: for loops whose last bits do not matter."""
    return cast(Function, njit(cache=True, nogil=True, error_model="numpy", fastmath=True)(function))
