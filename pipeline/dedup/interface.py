"""What curate hands to deduplication, and what deduplication hands to writing."""

import pyarrow as pa

# One row a survivor: id, exact key (SHA-256 of the normalised text), length in code points.
SKETCH = pa.schema(
    [
        pa.field("id", pa.binary(16), nullable=False),
        pa.field("exact", pa.binary(32), nullable=False),
        pa.field("characters", pa.int64(), nullable=False),
    ]
)

# One row a document that lost: to which kept document, of which source, at which similarity (millionths).
LOSERS = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("kept_id", pa.string(), nullable=False),
        pa.field("kept_source", pa.string(), nullable=False),
        pa.field("similarity", pa.int64(), nullable=False),
    ]
)
