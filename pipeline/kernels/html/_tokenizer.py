# ruff: noqa
# mypy: ignore-errors
"""HTML bytes (UTF-8) to a flat tree, visible text in blocks and block features, in numba kernels.

    T = Tree(); T.parse(data)     # T.kind, tag, ns, parent, end, off, ln, a0, a1 [:T.nn] in document order, T.text, T.attrs
    extract(T)                    # T.rows [:T.nb, BCOLS] one row a block, its text in T.vis

The tokenizer and the tree builder follow the HTML standard (scripting off), with two bounds that keep hostile pages linear:
at most 512 open elements, at most 64 active formatting elements (and a budget of clones for a page). Comments are dropped,
texts that meet are one node. Kind: 1 element, 3 text, 9 document. off/ln: the text in T.text, or the name in the source.
An attribute is a row of T.attrs (name id or 0, name offset and length in the source, value offset and length in T.values).
Run: html_tree_numba.py [folder of .html or .html.gz] [folder of html5lib-tests *.dat]
"""

import pipeline.kernels
import numpy as np, numba as nb
from pipeline.kernels.html._builder import *


# ---- the tokenizer
@fn
def tag_token(S, X, A, R, RV, RO, b, p, n):
    """b[p] is the first letter of a tag's name: fills the token, returns the place after '>', or n + 1 where there is none"""
    t0 = p
    h = np.uint32(2166136261)
    while p < n and b[p] != 62 and b[p] != 47 and not isws(b[p]):
        h = np.uint32((h ^ np.uint32(low(b[p]))) * np.uint32(16777619))
        p += 1
    t = name_id(b, t0, p - t0, 0)
    na = S[NA]
    seen = 0
    S[TTAG] = t
    S[TOFF] = t0
    S[TLN] = p - t0
    S[TH] = 0 if t else np.int64(h >> np.uint32(1))
    S[TSELF] = 0
    S[TA0] = na
    while p < n:
        c = b[p]
        if c == 62:
            S[NA] = na
            S[TA1] = na
            return p + 1
        if c == 47 or isws(c):
            p += 1
            S[TSELF] = c == 47 and b[p] == 62
            continue
        a0 = p
        p += 1
        S[TSELF] = 0
        while p < n and b[p] != 61 and b[p] != 62 and b[p] != 47 and not isws(b[p]):
            p += 1
        al = p - a0
        a = name_id(b, a0, al, 1)
        v0 = S[TP]
        while p < n and isws(b[p]):
            p += 1
        if p < n and b[p] == 61:
            p += 1
            while p < n and isws(b[p]):
                p += 1
            q = b[p] if b[p] == 34 or b[p] == 39 else 0
            p += q > 0
            tp = v0
            while p < n:
                c = b[p]
                if c == q if q else (c == 62 or isws(c)):
                    break
                if c == 38:
                    S[TP] = tp
                    p = charref(S, X, R, RV, RO, b, p, 1)
                    tp = S[TP]
                    continue
                if c == 0:
                    S[TP] = tp
                    put(S, X, 0xFFFD)
                    tp = S[TP]
                    p += 1
                    continue
                if c == 13:
                    c = 10
                    p += b[p + 1] == 10
                X[tp] = c
                tp += 1
                p += 1
            S[TP] = tp
            p += q > 0
        if a and (seen >> a) & 1:
            S[TP] = v0
            continue
        seen |= 1 << a
        A[na, 0] = a
        A[na, 1] = a0
        A[na, 2] = al
        A[na, 3] = v0
        A[na, 4] = S[TP] - v0
        na += 1
    return n + 1


@fn
def same_name(b, p, o, n):
    """does b[p:] spell the name at o, and end there"""
    for j in range(n):
        if low(b[p + j]) != low(b[o + j]):
            return False
    return b[p + n] == 62 or b[p + n] == 47 or isws(b[p + n])


@fn
def raw_end(b, p, n, o, ln, k):
    """where the end tag of the raw text element named at o begins (k 3: a script, 4: plaintext, 5: CDATA)"""
    esc = 0
    if k == 4:
        return n
    while p < n:
        c = b[p]
        if k == 5:
            if c == 93 and b[p + 1] == 93 and b[p + 2] == 62:
                return p
        elif c == 60:
            if b[p + 1] == 47:
                if same_name(b, p + 2, o, ln):
                    if esc < 2:
                        return p
                    esc = 1
            elif k == 3:
                if b[p + 1] == 33 and b[p + 2] == 45 and b[p + 3] == 45 and esc == 0:
                    esc = 1
                    p += 2
                    continue
                if esc == 1 and same_name(b, p + 1, o, ln):
                    esc = 2
        elif c == 45 and esc and b[p + 1] == 45:
            while p < n and b[p] == 45:
                p += 1
            if p < n and b[p] == 62:
                esc = 0
            continue
        p += 1
    return n


@nb.njit(**OPT)
def build(N, S, X, A, R, RV, RO, b, n, budget):
    """b has 64 zero bytes after n"""
    S[:] = 0
    S[HEAD] = S[FORM] = -1
    S[FSOK] = S[QUIRKS] = 1
    S[BUDGET] = budget
    new(N, S, 9, 0, 0, 0, 0, 0, 0, 0)
    p = 3 if b[0] == 0xEF and b[1] == 0xBB and b[2] == 0xBF else 0
    while p < n or S[RAWM]:
        k = S[RAWM]
        t0 = S[TP]
        tp = t0
        x = top(S) if k else 0
        e = raw_end(b, p, n, N[x, OFF], N[x, LN], k) if k else n
        fffd = k > 0 or (S[SP] > 0 and N[top(S), NS] > 0 and not ipoint(N, top(S)))
        if S[SKIPNL]:
            S[SKIPNL] = 0
            if p < e and b[p] == 13:
                p += 2 if b[p + 1] == 10 else 1
            elif p < e and b[p] == 10:
                p += 1
        while p < e:
            c = b[p]
            if c == 60 and k == 0:
                c1 = low(b[p + 1])
                if 97 <= c1 <= 122 or c1 == 33 or c1 == 63 or (c1 == 47 and p + 2 < n):
                    break
            elif c == 38 and k < 2:
                S[TP] = tp
                p = charref(S, X, R, RV, RO, b, p, 0)
                tp = S[TP]
                continue
            elif c == 0:
                if fffd:
                    S[TP] = tp
                    put(S, X, 0xFFFD)
                    tp = S[TP]
                p += 1
                continue
            elif c == 13:
                c = 10
                p += b[p + 1] == 10
            X[tp] = c
            tp += 1
            p += 1
        S[TP] = tp
        if tp > t0:
            if k == 0 or k >= 4:
                chars(N, S, X, t0, tp)
            else:
                text(N, S, t0, tp)
        if k:
            S[RAWM] = 0
            if k < 5:
                pop(N, S)
            if p < n:
                p = p + 3 if k == 5 else tag_token(S, X, A, R, RV, RO, b, p + 2, n)
            continue
        if p >= n:
            break
        c = b[p + 1]
        q = p + 2
        if c == 47 and 97 <= low(b[p + 2]) <= 122:
            tp = S[TP]
            na = S[NA]
            p = tag_token(S, X, A, R, RV, RO, b, q, n)
            if p <= n:
                S[NA] = na
                S[TP] = tp
                finish(N, S)
            continue
        if c != 33 and c != 63 and c != 47:
            p = tag_token(S, X, A, R, RV, RO, b, p + 1, n)
            if p <= n:
                start(N, S, X, A)
            continue
        if c == 33 and b[q] == 45 and b[q + 1] == 45:
            q += 2
            if b[q] == 62:
                p = q + 1
                continue
            if b[q] == 45 and b[q + 1] == 62:
                p = q + 2
                continue
            while q < n and not (
                b[q] == 45 and b[q + 1] == 45 and (b[q + 2] == 62 or (b[q + 2] == 33 and b[q + 3] == 62))
            ):
                q += 1
            p = q + 3 if b[q + 2] == 62 else q + 4
            continue
        if c == 33 and b[q] == 91 and b[q + 1] == 67 and b[q + 2] == 68 and b[q + 6] == 91 and S[SP] and N[top(S), NS]:
            S[RAWM] = 5
            p = q + 7
            continue
        if c == 33 and S[SP] == 0 and low(b[q]) == 100 and low(b[q + 1]) == 111:
            S[QUIRKS] = 0  # a doctype
        while q < n and b[q] != 62:
            q += 1
        p = q + 1
    while S[CN + T_template]:
        end_template(N, S)
    while S[MODE] <= AHEAD:
        anything(N, S)


@nb.njit(**OPT)
def linear(N, X, kind, tag, ns, parent, end, off, ln, a0, a1, out):
    """into document order; texts that meet become one"""
    nn = 0
    p = 0
    x = np.int64(0)
    par = np.int64(-1)
    while True:
        if N[x, KIND] == 3 and kind[nn - 1] == 3 and parent[nn - 1] == par:
            ln[nn - 1] += N[x, LN]
        else:
            kind[nn] = N[x, KIND]
            tag[nn] = N[x, TAG]
            ns[nn] = N[x, NS]
            parent[nn] = par
            off[nn] = p if N[x, KIND] == 3 else N[x, OFF]
            ln[nn] = N[x, LN]
            a0[nn] = N[x, A0]
            a1[nn] = N[x, A1]
            nn += 1
            end[nn - 1] = nn
        if N[x, KIND] == 3:
            o = N[x, OFF]
            for j in range(N[x, LN]):
                out[p + j] = X[o + j]
            p += N[x, LN]
        elif N[x, FIRST] >= 0:
            par = np.int64(nn - 1)
            x = np.int64(N[x, FIRST])
            continue
        while x > 0 and N[x, NXT] < 0:
            x = np.int64(N[x, PAR])
            if x >= 0:
                end[par] = nn
                par = np.int64(parent[par])
        if x == 0:
            return nn, p
        x = np.int64(N[x, NXT])


@nb.njit(**OPT)
def counts(b):
    l = 0
    e = 0
    z = 0
    for c in b:
        l += c == 60
        e += (c <= 32) | (c == 47) | (c == 34) | (c == 39)
        z += c == 0
    return l, e, z
