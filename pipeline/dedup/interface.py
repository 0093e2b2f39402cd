"""What curate hands to deduplication, what its stages hand to each other, and what it hands to writing."""

import pyarrow as pa


def _schema(**columns: pa.DataType) -> pa.Schema:
    return pa.schema([pa.field(name, kind, nullable=False) for name, kind in columns.items()])


# Curate, one row a survivor: id, exact key (SHA-256 of the normalised text), length in code points.
SKETCH = _schema(id=pa.binary(16), exact=pa.binary(32), characters=pa.int64())

# Curate, one row a survivor and band, in the order of the keys; one batch a band of each run of survivors. `row` is
# the survivor's place in SKETCH. Texts without words have no rows.
BANDS = _schema(key=pa.uint64(), row=pa.uint32())

# Candidates, one row a document in preference order: its place among all sketches, and the rank of the first of its exact
# copies (its own, if there is none before it).
ORDER = _schema(document=pa.uint32(), exact=pa.uint32())

# Candidates: pairs of ranks (later << 32 | earlier), sorted and distinct; one batch a band.
PAIRS = _schema(pair=pa.uint64())

# Candidates, for one artifact: places in its SKETCH of the documents that are compared, ascending.
WANTED = _schema(row=pa.uint32())

# Shingle, one row a document of WANTED: the sorted, distinct hashes of its shingles.
SHINGLES = _schema(row=pa.uint32(), hashes=pa.large_list(pa.field("item", pa.uint64(), nullable=False)))

# Choose, one row a document that lost: to which kept document, of which source, at which similarity (millionths); `bands`
# that both have in common, null for exact duplicates. `kept_release`: the other release that has the kept document, if not
# this one; `kept_source` is then a source of that.
LOSERS = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("kept_id", pa.string(), nullable=False),
        pa.field("kept_source", pa.string(), nullable=False),
        pa.field("kept_release", pa.string()),
        pa.field("similarity", pa.int64(), nullable=False),
        pa.field("bands", pa.int64()),
    ]
)

# Choose, one row a document that lost, in the file of the source that its kept document is of.
MEMBERS = pa.schema([LOSERS.field(name) for name in ("kept_id", "id", "reason", "similarity")]).append(
    pa.field("source", pa.string(), nullable=False)
)

EXACT, NEAR = "exact_duplicate", "near_duplicate"
