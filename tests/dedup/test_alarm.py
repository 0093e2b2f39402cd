"""What a build says that stops because too much of a source is dropped."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.dedup import alarm
from pipeline.errors import TaskError


def test_a_url_that_fills_the_screen_is_cut(tmp_path: Path) -> None:
    pq.write_table(
        pa.table(
            {
                "id": ["a", "b"],
                "url": ["https://example.org/" + "w" * 5000, "https://example.org/b"],
                "text": ["x", "y"],
            }
        ),
        tmp_path / "rows.parquet",
    )
    cluster = {"kept": {"id": "a", "release": None}, "example": {"id": "b"}, "copies": 3}
    result = {"seen": {"one": 4}, "dropped": {"one": 3}, "largest": {"one": [cluster]}, "elsewhere": {"one": 0}}
    with pytest.raises(TaskError) as found:
        alarm.check({"one": 0.5}, result, lambda entry: [tmp_path / "rows.parquet"])
    said = str(found.value)
    assert "https://example.org/www" in said
    assert "one of them: https://example.org/b\n" in said
    assert max(map(len, said.splitlines())) < 350
