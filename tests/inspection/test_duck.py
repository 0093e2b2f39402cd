"""What the database may open that reads releases: their files, whoever asks, and nothing else."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from pipeline.errors import RecipeError
from pipeline.inspection import diff, diff_rows, duck
from pipeline.inspection.browse.engine import Engine
from pipeline.inspection.browse.faults import Changed
from pipeline.inspection.browse.release import open_release
from tests.trust import small_release as small

Run = Callable[[str], object]


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small.write(tmp_path_factory.mktemp("duck") / 'it\'s "mine"; --', small.corpus())


def of_browser(release: Path) -> Run:
    opened = open_release(release)
    return Engine(opened.paths(opened.files("kept"))).rows


def of_diff(release: Path) -> Run:
    side = diff.load(release)
    return diff_rows.Comparison((release, release), (side.manifest, side.manifest), ()).connection.execute


@pytest.mark.parametrize("kind", [of_browser, of_diff])
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_parquet('{secret}')", "SELECT * FROM read_csv('{secret}')", "SELECT * FROM read_text('{secret}')",
        "SELECT * FROM '{secret}'", "SELECT * FROM glob('{folder}/*')", "COPY (SELECT 1) TO '{folder}/new.csv'",
        "ATTACH '{folder}/new.db'", "INSTALL httpfs", "LOAD httpfs", "SET enable_external_access = true",
        "SET allowed_paths = ['/etc/passwd']", "SELECT * FROM read_parquet('{folder}/../*/*.parquet')",
        "SET memory_limit = '100GB'", "SET temp_directory = '{folder}'", "EXPORT DATABASE '{folder}/all'",
        "SELECT * FROM read_text('https://127.0.0.1:9/')",
    ],
)  # fmt: skip
def test_it_opens_the_files_of_the_release_and_nothing_else(
    release: Path, tmp_path: Path, kind: Callable[[Path], Run], sql: str
) -> None:
    secret = tmp_path / "secret.parquet"
    secret.write_bytes((release / "data" / "notes" / "train-00000-of-00001.parquet").read_bytes())
    with pytest.raises((duckdb.PermissionException, duckdb.InvalidInputException, Changed)):
        kind(release)(sql.format(secret=secret, folder=tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["secret.parquet"]


def test_it_reads_the_files_that_it_is_given_whatever_their_path(release: Path) -> None:
    opened = open_release(release)
    files = opened.paths(opened.files("kept"))
    with duck.connect(files) as connection:
        rows = connection.execute("SELECT count(*) FROM read_parquet($files)", {"files": files}).fetchall()
    assert rows == [(opened.rows("kept"),)]
    with pytest.raises(RecipeError, match="NUL"):
        duck.connect(["a\0b"])


SORT = """SELECT s FROM (SELECT hash(i) AS h, repeat('x', 100) || i AS s FROM range(1500000) AS t(i))
          ORDER BY h LIMIT 1 OFFSET 1400000"""


def test_beyond_its_memory_it_goes_on_in_the_folder_that_it_is_given_and_ends_without_one(tmp_path: Path) -> None:
    with duck.connect([], "60MB", str(tmp_path), settings=["SET threads = 2"]) as connection:
        assert len(connection.execute(SORT).fetchall()) == 1
        assert [path.name for path in tmp_path.iterdir()]
    with (
        duck.connect([], "60MB", settings=["SET threads = 2"]) as connection,
        pytest.raises(duckdb.OutOfMemoryException),
    ):
        connection.execute(SORT)
