"""The columns of a release's Parquet files, with their null flags. Docs: `docs/format.md`.

`data` holds the corpus. `kept` is row-aligned with it and says where each text came from and how it was judged;
`dropped` has one row for every record that was read and is not in the corpus. Ratios and scores are integers, the
value x 1,000,000 rounded half to even. Digests are lower-case hex; those of a name that ends in `_hmac` are keyed
(`trust.keyed`). Rows of the work folder have plain digests in their place.
"""

from collections.abc import Sequence

import pyarrow as pa

MILLION = 1_000_000


def _fields(*columns: tuple[str, pa.DataType, bool]) -> list[pa.Field]:
    return [pa.field(name, kind, nullable=nullable) for name, kind, nullable in columns]


STRING, INT = pa.string(), pa.int64()

DATA = pa.schema(
    _fields(
        ("id", STRING, False),
        ("text", STRING, False),
        ("source", STRING, False),
        ("url", STRING, False),
        ("title", STRING, True),
        ("license", STRING, False),
        ("language", STRING, False),
    )
)

# One check of one rule: the measured value against the bounds that apply (None: open on that side).
DECISION = pa.struct(_fields(("reason", STRING, False), ("value", INT, False), ("low", INT, True), ("high", INT, True)))
DECISIONS = pa.list_(pa.field("item", DECISION, nullable=False))
REASONS = pa.list_(pa.field("item", STRING, nullable=False))


# One change of a text by a rule: runs of the text that are gone (None where the rule cannot say), characters fewer.
def _edit(before: str, after: str) -> pa.DataType:
    return pa.struct(
        _fields(
            ("edit", STRING, False),
            ("spans", INT, True),
            ("characters", INT, False),
            (before, STRING, False),
            (after, STRING, False),
        )
    )


EDIT, WORK_EDIT = _edit("before_hmac", "after_hmac"), _edit("sha256_before", "sha256_after")
EDITS, WORK_EDITS = (pa.list_(pa.field("item", kind, nullable=False)) for kind in (EDIT, WORK_EDIT))


# What was cut from a page for one reason: blocks, and characters of them that are no white space.
CUT = pa.struct(_fields(("reason", STRING, False), ("blocks", INT, False), ("characters", INT, False)))
CUTS = pa.list_(pa.field("item", CUT, nullable=False))


# A kept document and those that were dropped as its copies: how many, itself counted too, and which, the most alike first.
MEMBER = pa.struct(_fields(("id", STRING, False), ("source", STRING, False), ("similarity", INT, False)))
CLUSTERS = pa.schema(
    [
        *_fields(
            ("id", STRING, False),
            ("source", STRING, False),
            ("documents", INT, False),
            ("exact_duplicates", INT, False),
            ("near_duplicates", INT, False),
        ),
        pa.field("members", pa.list_(pa.field("item", MEMBER, nullable=False)), nullable=False),
    ]
)


# What a takedown leaves of a document: `position`, the place of its leaf in the content root of its file of kept or dropped
# rows (for kept ones of texts, too), and the hashes of its leaves; for one that stood for others its cluster's, too.
REMOVED = pa.schema(
    _fields(
        ("id", STRING, False),
        ("source", STRING, False),
        ("purl", STRING, False),
        ("artifact_sha256", STRING, False),
        ("fate", STRING, False),
        ("position", INT, False),
        ("leaf", STRING, False),
        ("data_leaf", STRING, True),
        ("cluster_position", INT, True),
        ("cluster_leaf", STRING, True),
    )
)


def _origin() -> list[pa.Field]:
    return _fields(
        ("id", STRING, False),
        ("source", STRING, False),
        ("purl", STRING, False),
        ("artifact_sha256", STRING, False),
        ("member", STRING, True),
        ("offset", INT, True),
        ("length", INT, True),
        ("record", INT, False),
        ("path", STRING, True),
    )


# The digests of a document: in the work folder plain; in the release keyed, and of a kept text plain too.
WORK = ("record_sha256", "text_sha256", "exact_sha256")
KEYED = ("record_hmac", "text_hmac", "exact_hmac")
PLAIN = ("text_sha256", "exact_sha256")


def _document(nullable: bool, digests: Sequence[str], plain: Sequence[str] = ()) -> list[pa.Field]:
    record, text, exact = digests
    return _fields(
        (record, STRING, nullable),
        ("record_bytes", INT, nullable),
        ("url", STRING, nullable),
        ("charset", STRING, True),
        ("extractor", STRING, True),
        ("visible_characters", INT, True),
        ("kept_characters", INT, True),
        *((name, STRING, nullable) for name in plain),
        (text, STRING, nullable),
        ("text_bytes", INT, nullable),
        (exact, STRING, nullable),
        ("language", STRING, nullable),
        ("language_score", INT, nullable),
    )


def measures(names: Sequence[str]) -> pa.DataType:
    """The struct of a document's integer features, one field a feature, in the kernel's order."""
    return pa.struct(_fields(*((name, INT, False) for name in names)))


def kept(features: Sequence[str]) -> pa.Schema:
    return _kept(_document(False, KEYED, PLAIN), EDITS, features)


def dropped(features: Sequence[str]) -> pa.Schema:
    """`stage`: read (could not be read), extract (holds no document), judge (a rule), dedup (a copy of a kept one).

    `kept_release`: the id of another release that has the kept document; null where it is in this one.
    """
    return _dropped(_document(True, KEYED), EDITS, features)


def work_kept(features: Sequence[str]) -> pa.Schema:
    """Rows of the work folder that may be kept: with plain digests, not to be published."""
    return _kept(_document(False, WORK), WORK_EDITS, features)


def work_dropped(features: Sequence[str]) -> pa.Schema:
    """Rows of the work folder that are dropped: with plain digests, not to be published."""
    return _dropped(_document(True, WORK), WORK_EDITS, features)


def _kept(document: list[pa.Field], edits: pa.DataType, features: Sequence[str]) -> pa.Schema:
    return pa.schema(
        [
            *_origin(),
            *document,
            pa.field("cuts", CUTS, nullable=False),
            pa.field("edits", edits, nullable=False),
            pa.field("measures", measures(features), nullable=False),
            pa.field("decisions", DECISIONS, nullable=False),
        ]
    )


def _dropped(document: list[pa.Field], edits: pa.DataType, features: Sequence[str]) -> pa.Schema:
    return pa.schema(
        [
            *_origin(),
            *document,
            pa.field("cuts", CUTS, nullable=False),
            pa.field("edits", edits, nullable=False),
            pa.field("measures", measures(features), nullable=True),
            pa.field("decisions", DECISIONS, nullable=False),
            pa.field("failed", REASONS, nullable=False),
            *_fields(
                ("stage", STRING, False),
                ("reason", STRING, False),
                ("detail", STRING, True),
                ("value", INT, True),
                ("low", INT, True),
                ("high", INT, True),
                ("kept_id", STRING, True),
                ("kept_source", STRING, True),
                ("kept_release", STRING, True),
                ("similarity", INT, True),
                ("bands", INT, True),
            ),
        ]
    )
