"""The three ways in which a kernel is compiled.

Of what numba makes of a function, most is the wrapper by which Python calls it, and one by which C does. A build calls some
thirty kernels from Python and none from C; without the other wrappers, an empty cache is filled in two thirds of the time.

`entry`: called from Python. `inner`: called by other kernels only. `inlined`: copied into its callers.
None of them checks bounds (except with `PELLUCID_KERNEL_BOUNDSCHECK=1`, for fuzzing), all of them release the GIL.
"""

import functools
from collections.abc import Callable
from typing import Any

import numba

from pipeline.kernels import BOUNDSCHECK

_jit = functools.partial(numba.njit, cache=True, nogil=True, boundscheck=BOUNDSCHECK, no_cfunc_wrapper=True)

entry = _jit()
inlined = _jit(inline="always")


def inner(function: Callable[..., Any]) -> Any:
    """A kernel without a wrapper for Python, which gets a TypeError: what numba itself would call then is a null pointer."""
    kernel = _jit(no_cpython_wrapper=True)(function)

    def note(compiled: Any) -> None:  # and not enter it among what Python finds by the types of its arguments
        kernel.overloads[tuple(compiled.signature.args)] = compiled

    def refuse(*arguments: Any, **named: Any) -> None:
        raise TypeError(f"{function.__module__}.{function.__name__} is called by kernels only; make it a jit.entry")

    kernel.add_overload, kernel._compile_for_args = note, refuse
    return kernel
