"""pyarrow without pandas, which nothing here needs."""

import sys
from importlib.abc import MetaPathFinder


def without_pandas() -> None:
    """Let pyarrow make its first array without importing pandas: a third of a second of every process.

    pyarrow looks for pandas once, when it first makes an array, and keeps the answer (`pandas-shim.pxi`,
    `_check_import`); what does need it, `to_pandas`, imports it then all the same. Who has pandas already keeps it.
    """
    import pyarrow as pa

    refusal = _Refusal()
    sys.meta_path.insert(0, refusal)
    try:
        pa.array([0])
    finally:
        sys.meta_path.remove(refusal)


class _Refusal(MetaPathFinder):
    def find_spec(self, fullname: str, path: object, target: object = None) -> None:
        if fullname == "pandas":
            raise ModuleNotFoundError("not looked for", name=fullname)
