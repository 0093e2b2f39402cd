"""Leaves: a column at a time they are what the specification says a value at a time, and rows that differ differ in them."""

import hashlib
import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.release import schemas
from pipeline.trust import leaves, merkle, values
from tests.trust import small_release as small

KINDS = {
    "data": schemas.DATA, "kept": schemas.kept(small.FEATURES), "dropped": schemas.dropped(small.FEATURES),
    "clusters": schemas.CLUSTERS,
}  # fmt: skip


def plain_value(item: Any, kind: pa.DataType | None = None) -> bytes:
    """docs/format.md, "Values": one at a time, from Python values; `kind` where items or fields have an order."""
    if item is None:
        return b"\x00"
    if isinstance(item, int):
        return b"\x01" + item.to_bytes(8, "big", signed=True)
    if isinstance(item, str):
        return b"\x02" + len(item.encode()).to_bytes(4, "big") + item.encode()
    if isinstance(item, bytes):
        return b"\x05" + item
    assert kind is not None
    if isinstance(item, list):
        return b"\x03" + len(item).to_bytes(4, "big") + b"".join(plain_value(one, kind.value_type) for one in item)
    fields = [kind.field(index) for index in range(kind.num_fields)]
    return b"\x04" + len(fields).to_bytes(4, "big") + b"".join(plain_value(item[f.name], f.type) for f in fields)


def plain_leaf(kind: str, schema: pa.Schema, row: dict[str, Any]) -> bytes:
    """docs/format.md, "Leaves": one row at a time."""
    found, nested, names = f"pellucid/{kind}/v1\0".encode(), b"", {}
    for field in schema:
        item = row[field.name]
        if pa.types.is_list(field.type) or pa.types.is_struct(field.type):
            inner = field.type.value_type if pa.types.is_list(field.type) else field.type
            names[field.name] = (
                [inner.field(i).name for i in range(inner.num_fields)] if pa.types.is_struct(inner) else []
            )
            nested += plain_value(item, field.type)
        elif field.name == "text":
            found += plain_value(hashlib.sha256(item.encode()).digest())
        else:
            found += plain_value(item)
    if names:
        head = json.dumps(names, sort_keys=True, separators=(",", ":")).encode()
        found += hashlib.sha256(hashlib.sha256(head).digest() + nested).digest()
    return found


def values_of(field: pa.Field) -> st.SearchStrategy[Any]:
    kind = field.type
    if pa.types.is_string(kind):
        found: st.SearchStrategy[Any] = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
    elif pa.types.is_int64(kind):
        found = st.integers(-(2**63), 2**63 - 1)
    elif pa.types.is_list(kind):
        found = st.lists(values_of(kind.value_field), max_size=3)
    else:
        found = st.fixed_dictionaries({kind.field(i).name: values_of(kind.field(i)) for i in range(kind.num_fields)})
    return st.none() | found if field.nullable else found


def rows_of(kind: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    schema = KINDS[kind]
    return st.lists(st.fixed_dictionaries({field.name: values_of(field) for field in schema}), max_size=5)


def hashed(kind: str, batch: pa.RecordBatch) -> list[bytes]:
    texts = (
        [hashlib.sha256(text.encode()).digest() for text in batch.column("text").to_pylist()] if kind == "data" else []
    )
    assert [merkle.leaf_hash(data) for data in leaves.leaf_data(kind, batch, texts)] == leaves.leaf_hashes(
        kind, batch, texts
    )
    return leaves.leaf_hashes(kind, batch, texts)


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_a_row_has_the_leaf_of_the_specification_whatever_it_holds(kind: str, data: st.DataObject) -> None:
    rows = data.draw(rows_of(kind))
    batch = pa.RecordBatch.from_pylist(rows, KINDS[kind])
    assert hashed(kind, batch) == [hashlib.sha256(b"\0" + plain_leaf(kind, KINDS[kind], row)).digest() for row in rows]


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_the_leaf_of_a_row_is_the_same_in_a_slice_of_a_batch(kind: str, data: st.DataObject) -> None:
    rows = data.draw(rows_of(kind))
    start = data.draw(st.integers(0, len(rows)))
    batch = pa.RecordBatch.from_pylist(rows, KINDS[kind])
    assert hashed(kind, batch.slice(start)) == hashed(kind, batch)[start:]


@given(data=st.data())
def test_rows_that_differ_in_any_column_have_different_leaves(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(KINDS)))
    schema = KINDS[kind]
    (row,) = data.draw(rows_of(kind).filter(lambda rows: len(rows) >= 1).map(lambda rows: rows[:1]))
    field = data.draw(st.sampled_from(list(schema)))
    other = {**row, field.name: data.draw(values_of(field).filter(lambda value: value != row[field.name]))}
    one, two = hashed(kind, pa.RecordBatch.from_pylist([row, other], schema))
    assert one != two


def test_a_row_of_one_kind_is_never_one_of_another_and_measures_are_bound_to_their_names() -> None:
    kept = {"id": "a", "source": "b", "documents": 1, "exact_duplicates": 2, "near_duplicates": 3, "members": []}
    batch = pa.RecordBatch.from_pylist([kept], schemas.CLUSTERS)
    assert leaves.leaf_hashes("clusters", batch) != leaves.leaf_hashes("removed", batch)
    one, two = (
        pa.RecordBatch.from_pylist(
            [{"measures": {name: 1}}], pa.schema([pa.field("measures", schemas.measures([name]))])
        )
        for name in ("words", "lines")
    )
    assert leaves.leaf_hashes("kept", one) != leaves.leaf_hashes("kept", two)


def test_the_leaf_of_a_known_row_is_pinned() -> None:
    rows = small.corpus()["manual"]["kept"][:1]
    batch = pa.RecordBatch.from_pylist([{name: rows[0].get(name) for name in schemas.DATA.names}], schemas.DATA)
    assert hashed("data", batch)[0].hex() == "0cf6ddd9f2ae171259f930aef80a16f87c5fc54d1216627cd65e84f396de65d7"


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=40))
def test_the_content_root_of_a_table_does_not_depend_on_how_it_is_cut_into_batches(texts: list[bytes]) -> None:
    rows = [
        {
            "id": text.hex(),
            "text": text.hex(),
            "source": "s",
            "url": "u",
            "title": None,
            "license": "MIT",
            "language": "en",
        }
        for text in texts
    ]
    digests = pa.array([hashlib.sha256(row["text"].encode()).hexdigest() for row in rows], pa.string())
    table = pa.Table.from_pylist(rows, schemas.DATA).append_column("text_sha256", digests)
    halves = pa.concat_tables([table.slice(0, len(rows) // 2), table.slice(len(rows) // 2)])
    naive = merkle.root_hash([merkle.leaf_hash(plain_leaf("data", schemas.DATA, row)) for row in rows])
    assert leaves.content_root("data", table) == leaves.content_root("data", halves) == naive


def test_a_column_without_a_canonical_form_is_refused() -> None:
    for column in (pa.array([1.5]), pa.array([True]), pa.array([1], pa.int32())):
        with pytest.raises(TypeError, match="no canonical form"):
            leaves.leaf_hashes("kept", pa.RecordBatch.from_arrays([column], ["x"]))
    with pytest.raises(ValueError, match="0 digests of texts for 1 rows"):
        leaves.leaf_hashes("data", pa.RecordBatch.from_pydict({"text": ["a"]}))
    with pytest.raises(ValueError, match="a digest of 31 bytes"):
        values.value(b"x" * 31)
    with pytest.raises(ValueError, match="a digest of 33 bytes"):
        values.value(b"x" * 33)


def test_a_list_that_is_null_is_refused_and_a_null_in_a_struct_of_integers_is_not_a_number() -> None:
    nothing = pa.RecordBatch.from_arrays([pa.array([[1], None], pa.list_(pa.int64()))], ["x"])
    with pytest.raises(TypeError, match="may be null"):
        leaves.leaf_hashes("kept", nothing)
    kind = pa.struct([("a", pa.int64()), ("b", pa.int64())])
    one, other = (
        leaves.leaf_hashes("kept", pa.RecordBatch.from_arrays([pa.array([{"a": 1, "b": last}], kind)], ["x"]))
        for last in (None, 0)
    )
    assert one != other
    rows = pa.RecordBatch.from_arrays([pa.array([{"a": None, "b": None}, None], kind)], ["x"])
    assert len(set(leaves.leaf_hashes("kept", rows))) == 2


@given(st.none() | st.integers(-(2**63), 2**63 - 1) | st.text(st.characters(exclude_categories=["Cs"])))
def test_a_single_value_is_that_of_the_specification(item: int | str | None) -> None:
    assert values.value(item) == plain_value(item)
