"""pyarrow alone, and with pandas where that is asked for."""

import subprocess
import sys

CODE = """
import sys
import pyarrow as pa
from pipeline.arrow import without_pandas
without_pandas()
pa.array(["text"])
print("pandas" in sys.modules, pa.table({"a": pa.array([1, 2])}).to_pandas()["a"].sum(), "pandas" in sys.modules)
"""


def test_pandas_is_imported_only_by_what_asks_for_it() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "3", "True"]
