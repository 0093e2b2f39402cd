"""Values in leaves: typed and length-prefixed, so that no two different rows of values have the same bytes.

A value is one byte for its type and then:
    00  null
    01  integer: 8 bytes, two's complement, big-endian
    02  string: its length in bytes (4 bytes, big-endian), its UTF-8 bytes
    03  list: the number of items (4 bytes, big-endian), the items as values
    04  struct: the number of fields (4 bytes, big-endian), the fields as values, in the order of the schema
    05  digest: 32 bytes

Here one at a time, for leaves of which there are few; `leaves` does it for a column at a time.
"""

NULL, INTEGER, STRING, LIST, STRUCT, DIGEST = range(6)


def value(item: int | str | bytes | None) -> bytes:
    """One value: integer, string, digest (32 bytes) or null. Raises ValueError for a digest of another length."""
    if item is None:
        return bytes([NULL])
    if isinstance(item, int):
        return bytes([INTEGER]) + item.to_bytes(8, "big", signed=True)
    if isinstance(item, str):
        encoded = item.encode()
        return bytes([STRING]) + len(encoded).to_bytes(4, "big") + encoded
    if len(item) != 32:
        raise ValueError(f"a digest of {len(item)} bytes; wanted: 32")
    return bytes([DIGEST]) + item


def tag(kind: str) -> bytes:
    """The bytes that a leaf of this kind begins with: `pellucid/KIND/v1` and a NUL byte."""
    return f"pellucid/{kind}/v1\0".encode("ascii")
