"""The three ways in which a kernel is compiled.

Of what numba makes of a function, most is the wrapper by which Python calls it, and one by which C does. A build calls some
thirty kernels from Python and none from C; without the other wrappers, an empty cache is filled in two thirds of the time.

`entry`: called from Python. `inner`: called by other kernels only. `inlined`: copied into its callers.
None of them checks bounds, all of them release the GIL.
"""

import functools

import numba

_jit = functools.partial(numba.njit, cache=True, nogil=True, boundscheck=False, no_cfunc_wrapper=True)

entry = _jit()
inner = _jit(no_cpython_wrapper=True)
inlined = _jit(inline="always")
