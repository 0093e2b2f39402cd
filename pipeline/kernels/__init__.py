"""Numba kernels over Arrow buffers; each has a plain-Python oracle in the tests."""
