"""What `bench/run.py` measures: the rows of its tables, in order."""

from dataclasses import dataclass

# Bytes of the seeded samples that slow peers get, so that a repetition takes 5 to 20 s. ALL: every document.
SMALL, MIDDLE, LARGE, ALL = 4e6, 20e6, 60e6, float("inf")


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement. `work` is the worker's name for it; `ours` the work of ours that it is compared with, if any."""

    table: str
    what: str
    peer: str
    worker: str
    work: str
    size: float = ALL
    ours: str | None = None

    @property
    def label(self) -> str:
        return f"{self.table}: {self.what}: {self.peer}"


ENVIRONMENTS = {"run_datatrove": "peers", "run_dolma": "dolma"}  # all other workers: the project's own
PACKAGES = {"run_datatrove": "datatrove", "run_dolma": "dolma", "run_fasttext": "fasttext-community"}

FEATURES, C4, LANGUAGE, CHAIN, CURATE = "Features", "C4", "Language", "The whole chain", "Curate as a whole"
ALL_THREE = "Gopher quality + Gopher repetition + FineWeb"
DEFAULT, WHITESPACE = "datatrove, default words", "datatrove, white-space words"
TITLES = {
    FEATURES: "Features: what the rules are judged by",
    C4: "C4: removal of lines",
    LANGUAGE: "Language: lid.176.ftz on the first 1,000 characters",
    CHAIN: "The whole chain: language, Gopher repetition, Gopher quality, C4, FineWeb",
    CURATE: "Curate as a whole: read, language, edit, measure, judge, exact key, write",
}


def _datatrove(table: str, what: str, work: str, default: float, whitespace: float, ours: str) -> tuple[Row, ...]:
    return (
        Row(table, what, DEFAULT, "run_datatrove", f"{work}/default", default, ours),
        Row(table, what, WHITESPACE, "run_datatrove", f"{work}/whitespace", whitespace, ours),
    )


ROWS = (
    Row(FEATURES, "all features", "ours", "run_ours", "features"),
    Row(FEATURES, "all features, judged by the three rule sets", "ours", "run_ours", "features_judged"),
    *_datatrove(FEATURES, "Gopher quality", "gopher_quality", SMALL, LARGE, "features"),
    *_datatrove(FEATURES, "Gopher repetition", "gopher_repetition", SMALL, MIDDLE, "features"),
    *_datatrove(FEATURES, "FineWeb", "fineweb", MIDDLE, ALL, "features"),
    *_datatrove(FEATURES, ALL_THREE, "features", SMALL, MIDDLE, "features_judged"),
    Row(FEATURES, "gopher_v1", "Dolma", "run_dolma", "gopher_v1", MIDDLE, "features"),
    Row(FEATURES, ALL_THREE, "plain Python", "run_plain", "features", MIDDLE, "features"),
    Row(FEATURES, "read Parquet, SHA-256, tokenise", "the limit", "run_limits", "tokenise", ALL, "features"),
    Row(C4, "line edit and verdict", "ours", "run_ours", "c4"),
    *_datatrove(C4, "C4QualityFilter", "c4", MIDDLE, ALL, "c4"),
    Row(C4, "c4_v2 (marks, does not edit)", "Dolma", "run_dolma", "c4_v2", ALL, "c4"),
    Row(LANGUAGE, "label and probability", "ours", "run_ours", "language"),
    Row(LANGUAGE, "model.predict, strings cut beforehand", "fastText", "run_fasttext", "predict", ALL, "language"),
    Row(
        LANGUAGE,
        "the C++ binding alone, strings cut beforehand",
        "fastText",
        "run_fasttext",
        "binding",
        ALL,
        "language",
    ),
    Row(CHAIN, "edit, measure, judge every rule on every document", "ours", "run_ours", "chain"),
    *_datatrove(CHAIN, "filters in turn, up to the first that drops", "chain", SMALL, MIDDLE, "chain"),
    Row(CURATE, "Parquet in, survivors and ledger out", "ours", "run_curate", "parquet"),
    Row(CURATE, "read Parquet, SHA-256, zstd level 3", "the limit", "run_limits", "compress", ALL, "parquet"),
    Row(CURATE, ".jsonl.gz in, then dedup and write", "ours", "run_curate", "json_lines"),
    Row(CURATE, "gunzip, parse, SHA-256, zstd level 3", "the limit", "run_limits", "json_lines", ALL, "json_lines"),
)

HOSTILE = "Hostile shapes"
HOSTILE_WORKS = ("features", "c4", "exact")
MEMORY = "Memory"
