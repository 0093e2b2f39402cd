"""Which 32 bytes are a public key of Ed25519 that may be trusted (RFC 8032, sections 5.1.3 and 5.1.7).

Libraries load any 32 bytes, and verify with whatever point they decode to. With a point of small order, signatures hold that
nobody with a secret has made; and a point may have two encodings, that is, two ids. So a key is taken only if it is
- the one encoding of its point: y below p, and no sign bit on x = 0;
- a point of the curve;
- a point of the subgroup of prime order, other than its neutral element: every key that is made from a secret is one.

Public values alone are computed with here: nothing has to take the same time for all.
"""

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493  # the order of the subgroup
D = -121665 * pow(121666, -1, P) % P
ROOT = pow(2, (P - 1) // 4, P)  # a square root of -1

_Point = tuple[int, int, int, int]  # X, Y, Z, T: x = X/Z, y = Y/Z, x*y = T/Z (RFC 8032, 5.1.4)


def weakness(raw: bytes) -> str | None:
    """What is wrong with these bytes as a public key; None if nothing is."""
    if len(raw) != 32:
        return f"has {len(raw)} bytes, not 32"
    number = int.from_bytes(raw, "little")
    sign, y = number >> 255, number & (1 << 255) - 1
    if y >= P:
        return "is not the one encoding of its point"
    x = _root((y * y - 1) * pow(D * y * y + 1, -1, P) % P)
    if x is None:
        return "is no point of the curve"
    if x == 0 and sign:
        return "is not the one encoding of its point"
    point = (x, y, 1, x * y % P)
    if _is_neutral(point) or not _is_neutral(_times(L, point)):
        return "is not of the subgroup of prime order, as every key made from a secret is"
    return None


def _root(square: int) -> int | None:
    """A square root modulo p, which is 5 modulo 8 (RFC 8032, 5.1.3). Either will do: both points have the same order."""
    root = pow(square, (P + 3) // 8, P)
    for candidate in (root, root * ROOT % P):
        if candidate * candidate % P == square:
            return candidate
    return None


def _plus(one: _Point, other: _Point) -> _Point:
    """The sum of two points, by the formulas of RFC 8032, 5.1.4: they hold for all pairs."""
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c = 2 * one[3] * other[3] * D % P
    d = 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(scalar: int, point: _Point) -> _Point:
    result: _Point = (0, 1, 1, 0)
    for bit in bin(scalar)[2:]:
        result = _plus(result, result)
        if bit == "1":
            result = _plus(result, point)
    return result


def _is_neutral(point: _Point) -> bool:
    return point[0] == 0 and point[1] == point[2]
