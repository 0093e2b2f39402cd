"""What `bench/run.py` measures: the rows of its tables, in order."""

from dataclasses import dataclass

# Bytes of the seeded samples that slow peers get, so that a repetition takes 5 to 20 s. ALL: every document.
SMALL, MIDDLE, LARGE, ALL = 4e6, 20e6, 60e6, float("inf")

RELEASE, SURVIVORS = "release", "survivors"  # whose documents: the release's, or what curate left before deduplication


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
    documents: str = RELEASE

    @property
    def label(self) -> str:
        return f"{self.table}: {self.what}: {self.peer}"


ENVIRONMENTS = {
    **dict.fromkeys(("run_datatrove", "run_datatrove_dedup", "run_daft", "run_datasketch", "run_rensa"), "peers"),
    **dict.fromkeys(("run_dolma", "run_dolma_dedup"), "dolma"),
}  # all other workers: the project's own
PACKAGES = {
    "run_datatrove": "datatrove", "run_datatrove_dedup": "datatrove", "run_dolma": "dolma", "run_dolma_dedup": "dolma",
    "run_fasttext": "fasttext-community", "run_daft": "daft", "run_datasketch": "datasketch", "run_rensa": "rensa",
}  # fmt: skip

FEATURES, C4, LANGUAGE, CHAIN, CURATE = "Features", "C4", "Language", "The whole chain", "Curate as a whole"
SIGNATURES, NEAR, LINES = "Near duplicates, signatures", "Near duplicates, the whole", "Near duplicates, repeated lines"
ALL_THREE = "Gopher quality + Gopher repetition + FineWeb"
DEFAULT, WHITESPACE = "datatrove, default words", "datatrove, white-space words"
TITLES = {
    FEATURES: "Features: what the rules are judged by",
    C4: "C4: removal of lines",
    LANGUAGE: "Language: lid.176.ftz on the first 1,000 characters",
    CHAIN: "The whole chain: language, Gopher repetition, Gopher quality, C4, FineWeb",
    CURATE: "Curate as a whole: read, language, edit, measure, judge, exact key, write",
    SIGNATURES: "Near duplicates: MinHash signatures, word 5-grams, 112 permutations",
    NEAR: "Near duplicates: signatures, candidates, choice of survivors",
    LINES: "Near duplicates: lines that were seen before",
}


def _datatrove(table: str, what: str, work: str, default: float, whitespace: float, ours: str) -> tuple[Row, ...]:
    return (
        Row(table, what, DEFAULT, "run_datatrove", f"{work}/default", default, ours),
        Row(table, what, WHITESPACE, "run_datatrove", f"{work}/whitespace", whitespace, ours),
    )


def _near(table: str, what: str, peer: str, worker: str, work: str, size: float, ours: str | None) -> Row:
    return Row(table, what, peer, worker, work, size, ours, SURVIVORS)


def _signatures(what: str, peer: str, worker: str, work: str, size: float = ALL) -> Row:
    return _near(SIGNATURES, what, peer, worker, work, size, None if peer == "ours" else "signatures")


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
    _signatures("signatures", "ours", "run_near", "signatures"),
    _signatures("signatures and 14 band keys", "ours", "run_near", "keys"),
    _signatures("the exact sets, sorted", "ours", "run_near", "shingles"),
    _signatures("minhash, murmurhash3 (default)", "Daft", "run_daft", "murmurhash3"),
    _signatures("minhash, xxhash3_64", "Daft", "run_daft", "xxhash3_64"),
    _signatures("RMinHash", "rensa", "run_rensa", "texts", MIDDLE),
    _signatures("RMinHash, 5-grams made beforehand", "rensa", "run_rensa", "shingles", MIDDLE),
    _signatures("MinHash, sha1 (default)", "datasketch", "run_datasketch", "sha1", SMALL),
    _signatures("MinHash, xxh32", "datasketch", "run_datasketch", "xxhash", SMALL),
    _signatures("find and hash the words", "the limit", "run_limits", "words"),
    _near(NEAR, "sketches, candidates, shingle sets, choice", "ours", "run_dedup", "whole", ALL, None),
    _near(NEAR, "its four stages", DEFAULT, "run_datatrove_dedup", "default", SMALL, "whole"),
    _near(NEAR, "its four stages", WHITESPACE, "run_datatrove_dedup", "whitespace", MIDDLE, "whole"),
    _near(LINES, "find and hash every line", "ours", "run_near", "line_hashes", ALL, None),
    _near(LINES, "count every line, remove those of two documents", "ours", "run_near", "lines", ALL, None),
    _near(LINES, "paragraph deduplication, .jsonl.gz in", "Dolma", "run_dolma_dedup", "paragraphs", ALL, "lines"),
    _near(LINES, "of that: gunzip, parse", "the limit", "run_limits", "parse", ALL, None),
)

HOSTILE = "Hostile shapes"
HOSTILE_WORKS = ("features", "c4", "exact")
MEMORY = "Memory"
VERIFY = "Verify"
VERIFY_WORKS = {
    "full": "`pellucid verify`: every check",
    "bytes": "`pellucid verify --bytes`",
    "floor": "the limit: files hashed, Parquet decoded, texts hashed",
    "hash": "of that: SHA-256 of every file",
    "decode": "of that: zstd and Parquet, every column",
}
AS_THEY_ARE = "the texts as they are"
SIZES, NEAR_HOSTILE = "Near duplicates, size", "Near duplicates, hostile shapes"
KEYS, KEY_COUNTS = "Near duplicates, synthetic keys", (1_000_000, 10_000_000)
