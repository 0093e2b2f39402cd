"""How the kernels of this package are compiled: without numba's runtime, as none of them allocates."""

import functools
import os
from typing import Any

import numba

BOUNDSCHECK = os.environ.get("PELLUCID_KERNEL_BOUNDSCHECK") == "1"
_jit: Any = functools.partial(
    numba.njit, cache=True, nogil=True, boundscheck=BOUNDSCHECK, no_cfunc_wrapper=True, _nrt=False
)

entry = _jit()
inner = _jit(no_cpython_wrapper=True)
