# ruff: noqa
# mypy: ignore-errors
"""The HTML tree builder of html_tree_numba.py: names, rule tables, open elements, formatting list, insertion modes."""

import html.entities
import numpy as np, numba as nb
from pipeline.kernels.html.names import TAGS, ATTRIBUTES as ATTRS, TAG as TID, ATTRIBUTE as AID

for _t in TAGS:
    globals()["T_" + _t.replace("-", "_")] = TID[_t]
AID_TYPE, AID_ENCODING, AID_COLOR, AID_SIZE = AID["type"], AID["encoding"], AID["color"], AID["size"]
NT = len(TAGS) + 1


def names(words):
    """open addressing, by the first 16 bytes of a name"""
    K = np.zeros((1024, 2), np.uint64)
    V = np.zeros(1024, np.int64)
    for i, w in enumerate(words):
        b = w.encode().ljust(16, b"\0")
        k = [int.from_bytes(b[:8], "little"), int.from_bytes(b[8:], "little")]
        s = (k[0] * 0x9E3779B97F4A7C15 + k[1] * 0xC2B2AE3D27D4EB4F & 2**64 - 1) >> 54
        while V[s]:
            s = s + 1 & 1023
        K[s], V[s] = k, i + 1
    return K, V


TK, TV = names(TAGS)
AK, AV = names(ATTRS)


def tset(s):
    a = np.zeros(NT, np.bool_)
    a[[TID[t] for t in s.split()]] = True
    return a


# what a start tag does in the body
(
    C_BLOCK,
    C_HEAD,
    C_FMT,
    C_A,
    C_NOBR,
    C_VOID,
    C_VOID2,
    C_HR,
    C_LI,
    C_DD,
    C_OBJ,
    C_TABLE,
    C_META,
    C_TITLE,
    C_STYLE,
    C_SCRIPT,
    C_TPL,
    C_TAREA,
    C_RAW,
    C_SELECT,
    C_OPT,
    C_RB,
    C_RT,
    C_FOREIGN,
    C_TPART,
    C_FORM,
    C_PLAIN,
    C_BUTTON,
    C_ROOT,
    C_IMAGE,
) = range(1, 31)
CL = np.zeros(NT, np.uint8)
for _c, _s in enumerate(
    [
        "address article aside blockquote center details dialog dir div dl fieldset figcaption figure footer header hgroup main menu nav ol p "
        "search section summary ul pre listing",
        "h1 h2 h3 h4 h5 h6",
        "b big code em font i s small strike strong tt u",
        "a",
        "nobr",
        "area br embed img keygen wbr input",
        "param source track",
        "hr",
        "li",
        "dd dt",
        "applet marquee object",
        "table",
        "base basefont bgsound link meta",
        "title",
        "style noframes",
        "script",
        "template",
        "textarea",
        "xmp iframe noembed",
        "select",
        "option optgroup",
        "rb rtc",
        "rt rp",
        "svg math",
        "caption col colgroup frame head tbody td tfoot th thead tr",
        "form",
        "plaintext",
        "button",
        "html body frameset",
        "image",
    ]
):
    CL[tset(_s)] = _c + 1
SPECIAL = tset(
    "address applet area article aside base basefont bgsound blockquote body br button caption center col colgroup dd details dir div dl dt embed "
    "fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html iframe img input keygen li link listing main marquee menu "
    "meta nav noembed noframes noscript object ol p param plaintext pre script search section select source style summary table tbody td template textarea tfoot "
    "th thead title tr track ul wbr xmp"
)
SCOPE = tset("applet caption html table td th marquee object template select")
IMPLIED = tset("dd dt li optgroup option p rb rp rt rtc")
BREAKOUT = tset(
    "b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li listing menu meta nobr ol p pre ruby s small span "
    "strong strike sub sup table tt u ul var"
)
TBL = tset("table tbody tfoot thead tr")
SECTION = tset("tbody tfoot thead")
CELLS = tset("td th")
BLOCKEND = tset(
    "address article aside blockquote button center details dialog dir div dl fieldset figcaption figure footer header hgroup listing main menu nav ol pre search section summary ul select"
)
MTIP = tset("mi mo mn ms mtext")
SVIP = tset("foreignobject desc title")
HEADTAGS = tset("base basefont bgsound link meta title style noframes script template")


def references():
    """the trie of the named character references: [node, byte code] -> node; [node] -> offset, length of what it stands for"""
    code = np.zeros(256, np.uint8)
    code[list(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz;")] = np.arange(1, 64)
    nodes, val, out = [{}], [(0, 0)], b""
    for name, s in html.entities.html5.items():
        x = 0
        for c in name.encode():
            if c not in nodes[x]:
                nodes[x][c] = len(nodes)
                nodes.append({})
                val.append((0, 0))
            x = nodes[x][c]
        val[x] = (len(out), len(s.encode()))
        out += s.encode()
    R = np.zeros((len(nodes), 64), np.int16)
    for x, d in enumerate(nodes):
        for c, y in d.items():
            R[x, code[c]] = y
    return R, np.array(val, np.int32), np.frombuffer(out, np.uint8), code


R, RV, RO, CODE = references()
W1252 = np.array(
    [
        ord(bytes([c]).decode("cp1252", "replace")) if bytes([c]).decode("cp1252", "ignore") else c
        for c in range(128, 160)
    ],
    np.int32,
)
# columns of N (a node under way), of A (an attribute), places in S (the state)
KIND, TAG, NS, PAR, FIRST, LAST, NXT, PRV, OFF, LN, A0, A1, NH = range(13)
(
    SP,
    FP,
    NN,
    NA,
    MODE,
    TP,
    HEAD,
    FORM,
    FOSTER,
    TTAG,
    TOFF,
    TLN,
    TH,
    TA0,
    TA1,
    TSELF,
    RAWM,
    SKIPNL,
    FSOK,
    NTM,
    BUDGET,
    FLAG,
    QUIRKS,
) = range(23)
TMS, CN, ST, FM, NSTATE = (
    40,
    600,
    1000,
    2000,
    2200,
)  # template modes, open elements by tag, stack, formatting list (-1: marker)
(
    INITIAL,
    BHTML,
    BHEAD,
    INHEAD,
    HEADNS,
    AHEAD,
    BODY,
    TABLE,
    TBODY,
    ROW,
    CELL,
    CAPTION,
    COLGROUP,
    ABODY,
    FSET,
    TEMPLATE,
) = range(16)
MAXD, MAXF = 512, 64
OPT = dict(nogil=True, cache=True, boundscheck=False, _nrt=False)
_i, _s, _b = nb.int32[:, ::1], nb.int64[::1], nb.uint8[::1]


def fn(f):
    """one signature: the state (N, S, X, A) if the function takes it, then bytes for 'b', integers for the others"""
    ty = dict(
        N=_i,
        S=_s,
        X=_b,
        A=_i,
        b=_b,
        R=nb.types.Array(nb.int16, 2, "C", readonly=True),
        RV=nb.types.Array(nb.int32, 2, "C", readonly=True),
        RO=nb.types.Array(nb.uint8, 1, "C", readonly=True),
    )
    v = f.__code__.co_varnames[: f.__code__.co_argcount]
    return nb.njit(tuple(ty.get(a, nb.int64) for a in v), no_cpython_wrapper=True, no_cfunc_wrapper=True, **OPT)(f)


@fn
def low(c):
    return c + 32 if 65 <= c <= 90 else c


@fn
def isws(c):
    return c == 32 or c == 10 or c == 9 or c == 12 or c == 13


@fn
def name_id(b, p, n, which):
    if n > 16:
        return 0
    k1 = np.uint64(0)
    k2 = np.uint64(0)
    for j in range(n):
        c = np.uint64(low(b[p + j]))
        if j < 8:
            k1 |= c << np.uint64(8 * j)
        else:
            k2 |= c << np.uint64(8 * (j - 8))
    s = np.int64((k1 * np.uint64(0x9E3779B97F4A7C15) + k2 * np.uint64(0xC2B2AE3D27D4EB4F)) >> np.uint64(54))
    if which == 0:
        while TV[s]:
            if TK[s, 0] == k1 and TK[s, 1] == k2:
                return TV[s]
            s = s + 1 & 1023
    else:
        while AV[s]:
            if AK[s, 0] == k1 and AK[s, 1] == k2:
                return AV[s]
            s = s + 1 & 1023
    return 0


@fn
def put(S, X, c):
    p = S[TP]
    if c < 0x80:
        X[p] = c
        p += 1
    elif c < 0x800:
        X[p] = 0xC0 | c >> 6
        X[p + 1] = 0x80 | c & 63
        p += 2
    elif c < 0x10000:
        X[p] = 0xE0 | c >> 12
        X[p + 1] = 0x80 | c >> 6 & 63
        X[p + 2] = 0x80 | c & 63
        p += 3
    else:
        X[p] = 0xF0 | c >> 18
        X[p + 1] = 0x80 | c >> 12 & 63
        X[p + 2] = 0x80 | c >> 6 & 63
        X[p + 3] = 0x80 | c & 63
        p += 4
    S[TP] = p


@fn
def charref(S, X, R, RV, RO, b, p, attr):
    """b[p] is '&': writes what the reference stands for, returns the place after it"""
    q = p + 1
    v = 0
    if b[q] == 35:
        q += 1
        hexa = b[q] | 32 == 120
        if hexa:
            q += 1
        q0 = q
        while True:
            c = np.int64(b[q])
            if 48 <= c <= 57:
                d = c - 48
            elif hexa and 97 <= c | 32 <= 102:
                d = (c | 32) - 87
            else:
                break
            if v < 0x110000:
                v = v * (16 if hexa else 10) + d
            q += 1
        if q == q0:
            put(S, X, 38)
            return p + 1
        if b[q] == 59:
            q += 1
        if 0x80 <= v <= 0x9F:
            v = np.int64(W1252[v - 0x80])
        if v == 0 or v > 0x10FFFF or 0xD800 <= v <= 0xDFFF:
            v = 0xFFFD
        put(S, X, v)
        return q
    x = 0
    best = 0
    be = q
    while CODE[b[q]]:
        x = np.int64(R[x, CODE[b[q]]])
        if x == 0:
            break
        q += 1
        if RV[x, 1]:
            best = x
            be = q
    if best and attr and b[be - 1] != 59 and (b[be] == 61 or (CODE[b[be]] and b[be] != 59)):
        best = 0
    if best == 0:
        put(S, X, 38)
        return p + 1
    for j in range(RV[best, 1]):
        X[S[TP] + j] = RO[RV[best, 0] + j]
    S[TP] += RV[best, 1]
    return be


# ---- nodes, the stack of open elements, the list of active formatting elements
@fn
def unlink(N, x):
    p = N[x, PAR]
    a = N[x, PRV]
    z = N[x, NXT]
    if p < 0:
        return
    if a >= 0:
        N[a, NXT] = z
    else:
        N[p, FIRST] = z
    if z >= 0:
        N[z, PRV] = a
    else:
        N[p, LAST] = a
    N[x, PAR] = N[x, PRV] = N[x, NXT] = -1


@fn
def link(N, x, p, ref):
    """x becomes a child of p, before ref (-1: the last)"""
    a = N[ref, PRV] if ref >= 0 else N[p, LAST]
    N[x, PAR] = p
    N[x, NXT] = ref
    N[x, PRV] = a
    if ref >= 0:
        N[ref, PRV] = x
    else:
        N[p, LAST] = x
    if a >= 0:
        N[a, NXT] = x
    else:
        N[p, FIRST] = x


@fn
def new(N, S, kind, tag, ns, nh, off, ln, a0, a1):
    x = S[NN]
    S[NN] = x + 1
    N[x, KIND] = kind
    N[x, TAG] = tag
    N[x, NS] = ns
    N[x, NH] = nh
    N[x, OFF] = off
    N[x, LN] = ln
    N[x, A0] = a0
    N[x, A1] = a1
    N[x, PAR] = N[x, FIRST] = N[x, LAST] = N[x, NXT] = N[x, PRV] = -1
    return x


@fn
def clone(N, S, x):
    S[BUDGET] -= 1
    return new(N, S, 1, N[x, TAG], 0, N[x, NH], N[x, OFF], N[x, LN], N[x, A0], N[x, A1])


@fn
def top(S):
    return S[ST + S[SP] - 1]


@fn
def istag(N, x, t):
    return N[x, TAG] == t and N[x, NS] == 0


@fn
def push(N, S, x):
    S[ST + S[SP]] = x
    S[SP] += 1
    if N[x, NS] == 0:
        S[CN + N[x, TAG]] += 1


@fn
def drop(N, S, i):
    x = S[ST + i]
    S[SP] -= 1
    if N[x, NS] == 0:
        S[CN + N[x, TAG]] -= 1
    for j in range(i, S[SP]):
        S[ST + j] = S[ST + j + 1]
    return x


@fn
def pop(N, S):
    return drop(N, S, S[SP] - 1)


@fn
def where(S, x):
    i = S[SP] - 1
    while i >= 0 and S[ST + i] != x:
        i -= 1
    return i


@fn
def fdrop(S, i):
    S[FP] -= 1
    for j in range(i, S[FP]):
        S[FM + j] = S[FM + j + 1]


@fn
def ffind(S, x):
    i = S[FP] - 1
    while i >= 0 and S[FM + i] != x:
        i -= 1
    return i


@fn
def fadd(S, x):
    if S[FP] >= MAXF:
        fdrop(S, 0)
    S[FM + S[FP]] = x
    S[FP] += 1


@fn
def to_marker(S):
    while S[FP] > 0:
        S[FP] -= 1
        if S[FM + S[FP]] < 0:
            return


@fn
def place(N, S, target):
    """parent << 32 | node to stand before + 1, for the next node (foster parenting)"""
    if S[FOSTER] and TBL[N[target, TAG]] and N[target, NS] == 0:
        i = S[SP] - 1
        while i > 0:
            y = S[ST + i]
            if istag(N, y, T_template):
                return y << 32
            if istag(N, y, T_table):
                return N[y, PAR] << 32 | y + 1 if N[y, PAR] >= 0 else S[ST + i - 1] << 32
            i -= 1
        return S[ST] << 32
    return target << 32


@fn
def attach(N, S, x, target):
    q = place(N, S, target)
    link(N, x, q >> 32, (q & 0xFFFFFFFF) - 1)


@fn
def open_(N, S, x):
    if S[SP] >= MAXD:
        pop(N, S)
    attach(N, S, x, top(S))
    push(N, S, x)
    return x


@fn
def insert(N, S, ns):
    return open_(N, S, new(N, S, 1, S[TTAG], ns, S[TH], S[TOFF], S[TLN], S[TA0], S[TA1]))


@fn
def implied(N, S, tag):
    return open_(N, S, new(N, S, 1, tag, 0, 0, 0, 0, 0, 0))


@fn
def void(N, S):
    insert(N, S, 0)
    pop(N, S)


@fn
def raw(N, S, k):
    insert(N, S, 0)
    S[RAWM] = k


@fn
def text(N, S, t0, t1):
    if t1 <= t0:
        return
    q = place(N, S, top(S))
    p = q >> 32
    r = (q & 0xFFFFFFFF) - 1
    x = N[r, PRV] if r >= 0 else N[p, LAST]
    if x >= 0 and N[x, KIND] == 3 and N[x, OFF] + N[x, LN] == t0:
        N[x, LN] += t1 - t0
    else:
        link(N, new(N, S, 3, 0, 0, 0, t0, t1 - t0, 0, 0), p, r)


@fn
def ipoint(N, x):
    return (N[x, NS] == 1 and SVIP[N[x, TAG]]) or (N[x, NS] == 2 and MTIP[N[x, TAG]])


@fn
def scope(N, S, t, kind):
    """is t open in scope; kind 0 ordinary, 1 list item, 2 button, 3 table"""
    if S[CN + t] == 0:
        return False
    i = S[SP] - 1
    while i >= 0:
        x = S[ST + i]
        g = N[x, TAG]
        if N[x, NS] == 0:
            if g == t:
                return True
            if kind == 3:
                if g == T_html or g == T_table or g == T_template:
                    return False
            elif SCOPE[g] or (kind == 1 and (g == T_ol or g == T_ul)) or (kind == 2 and g == T_button):
                return False
        elif kind != 3 and (ipoint(N, x) or (N[x, NS] == 2 and g == T_annotation_xml)):
            return False
        i -= 1
    return False


@fn
def gen_implied(N, S, but):
    while IMPLIED[N[top(S), TAG]] and N[top(S), NS] == 0 and N[top(S), TAG] != but:
        pop(N, S)


@fn
def pop_until(N, S, t):
    while S[SP] > 1:
        if istag(N, pop(N, S), t):
            return


@fn
def shut(N, S, t, kind, but):
    """close t if it is in scope"""
    if not scope(N, S, t, kind):
        return False
    gen_implied(N, S, but)
    pop_until(N, S, t)
    return True


@fn
def close_p(N, S):
    shut(N, S, T_p, 2, T_p)


@fn
def clear_to(N, S, m):
    """m 0: back to a table, 1: to a table section, 2: to a row"""
    while S[SP] > 1:
        g = N[top(S), TAG]
        if (
            g == T_html
            or g == T_template
            or (m == 0 and g == T_table)
            or (m == 1 and SECTION[g])
            or (m == 2 and g == T_tr)
        ):
            return
        pop(N, S)


@fn
def any_section(N, S):
    return scope(N, S, T_tbody, 3) or scope(N, S, T_thead, 3) or scope(N, S, T_tfoot, 3)


@fn
def close_cell(N, S):
    gen_implied(N, S, 0)
    while S[SP] > 1:
        x = pop(N, S)
        if CELLS[N[x, TAG]] and N[x, NS] == 0:
            break
    to_marker(S)
    S[MODE] = ROW


@fn
def close_caption(N, S):
    if not shut(N, S, T_caption, 3, 0):
        return False
    to_marker(S)
    S[MODE] = TABLE
    return True


@fn
def same_attrs(N, X, A, x, y):
    n = N[x, A1] - N[x, A0]
    if n != N[y, A1] - N[y, A0]:
        return False
    for i in range(n):
        a = N[x, A0] + i
        z = N[y, A0] + i
        if A[a, 0] != A[z, 0] or A[a, 2] != A[z, 2] or A[a, 4] != A[z, 4]:
            return False
        for j in range(A[a, 4]):
            if X[A[a, 3] + j] != X[A[z, 3] + j]:
                return False
    return True


@fn
def format_(N, S, X, A):
    """insert the element and enter it in the list; of three the same the first goes"""
    x = insert(N, S, 0)
    k = 0
    i = S[FP] - 1
    while i >= 0 and S[FM + i] >= 0:
        if N[S[FM + i], TAG] == N[x, TAG] and same_attrs(N, X, A, S[FM + i], x):
            k += 1
            if k == 3:
                fdrop(S, i)
                break
        i -= 1
    fadd(S, x)


@fn
def reconstruct(N, S):
    i = S[FP] - 1
    if i < 0 or S[FM + i] < 0 or where(S, S[FM + i]) >= 0:
        return
    while i > 0 and S[FM + i - 1] >= 0 and where(S, S[FM + i - 1]) < 0:
        i -= 1
    while i < S[FP]:
        if S[BUDGET] <= 0:
            S[FP] = i
            S[FLAG] = 1
            return
        S[FM + i] = open_(N, S, clone(N, S, S[FM + i]))
        i += 1


@fn
def any_end(N, S):
    t = S[TTAG]
    i = S[SP] - 1
    if S[CN + t] == 0:
        return
    while i > 0:
        x = S[ST + i]
        if istag(N, x, t) and N[x, NH] == S[TH]:
            gen_implied(N, S, t)
            while S[SP] > i:
                pop(N, S)
            return
        if (N[x, NS] == 0 and SPECIAL[N[x, TAG]]) or ipoint(N, x):
            return
        i -= 1


@fn
def adopt(N, S):
    """the adoption agency"""
    t = S[TTAG]
    if istag(N, top(S), t) and ffind(S, top(S)) < 0:
        pop(N, S)
        return
    for _ in range(8):
        fi = S[FP] - 1
        while fi >= 0 and S[FM + fi] >= 0 and N[S[FM + fi], TAG] != t:
            fi -= 1
        if fi < 0 or S[FM + fi] < 0:
            any_end(N, S)
            return
        fe = S[FM + fi]
        si = where(S, fe)
        if si < 0:
            fdrop(S, fi)
            return
        if not scope(N, S, t, 0):
            return
        bi = si + 1
        while bi < S[SP] and not (N[S[ST + bi], NS] == 0 and SPECIAL[N[S[ST + bi], TAG]]):
            bi += 1
        if bi >= S[SP] or S[BUDGET] <= 0:
            while S[SP] > si:
                pop(N, S)
            fdrop(S, fi)
            return
        fb = S[ST + bi]
        anc = S[ST + si - 1]
        book = fi
        last = fb
        ni = bi
        k = 0
        while True:
            k += 1
            ni -= 1
            nd = S[ST + ni]
            if nd == fe:
                break
            li = ffind(S, nd)
            if k > 3 and li >= 0:
                fdrop(S, li)
                book -= li < book
                li = -1
            if li < 0:
                drop(N, S, ni)
                continue
            y = clone(N, S, nd)
            S[FM + li] = y
            S[ST + ni] = y
            if last == fb:
                book = li + 1
            unlink(N, last)
            link(N, last, y, -1)
            last = y
        old = S[FOSTER]
        S[FOSTER] = 1
        unlink(N, last)
        attach(N, S, last, anc)
        S[FOSTER] = old
        y = clone(N, S, fe)
        c = N[fb, FIRST]
        N[y, FIRST] = c
        N[y, LAST] = N[fb, LAST]
        while c >= 0:
            N[c, PAR] = y
            c = N[c, NXT]
        N[fb, FIRST] = N[fb, LAST] = -1
        link(N, y, fb, -1)
        fi = ffind(S, fe)
        fdrop(S, fi)
        book -= fi < book
        for j in range(S[FP], book, -1):
            S[FM + j] = S[FM + j - 1]
        S[FM + book] = y
        S[FP] += 1
        drop(N, S, where(S, fe))
        bi = where(S, fb)
        for j in range(S[SP], bi + 1, -1):
            S[ST + j] = S[ST + j - 1]
        S[ST + bi + 1] = y
        S[SP] += 1
        S[CN + N[y, TAG]] += 1


# ---- the tree builder
@fn
def reset_mode(N, S):
    i = S[SP] - 1
    while i >= 0:
        x = S[ST + i]
        g = N[x, TAG] if N[x, NS] == 0 else 0
        m = -1
        i -= 1
        if CELLS[g]:
            m = CELL
        elif g == T_tr:
            m = ROW
        elif SECTION[g]:
            m = TBODY
        elif g == T_caption:
            m = CAPTION
        elif g == T_colgroup:
            m = COLGROUP
        elif g == T_table:
            m = TABLE
        elif g == T_template:
            m = S[TMS + S[NTM] - 1] if S[NTM] > 0 else BODY
        elif g == T_head:
            m = INHEAD
        elif g == T_body:
            m = BODY
        elif g == T_frameset:
            m = FSET
        elif g == T_html:
            m = AHEAD if S[HEAD] >= 0 else BHEAD
        if m >= 0:
            S[MODE] = m
            return
    S[MODE] = BODY


@fn
def end_template(N, S):
    if S[CN + T_template] == 0:
        return
    pop_until(N, S, T_template)
    to_marker(S)
    if S[NTM] > 0:
        S[NTM] -= 1
    reset_mode(N, S)


@fn
def anything(N, S):
    """'anything else' of the modes before the body"""
    m = S[MODE]
    if m <= BHTML:
        x = new(N, S, 1, T_html, 0, 0, 0, 0, 0, 0)
        link(N, x, 0, -1)
        push(N, S, x)
        S[MODE] = BHEAD
    elif m == BHEAD:
        S[HEAD] = implied(N, S, T_head)
        S[MODE] = INHEAD
    elif m == INHEAD:
        pop(N, S)
        S[MODE] = AHEAD
    elif m == HEADNS:
        pop(N, S)
        S[MODE] = INHEAD
    elif m == AHEAD:
        implied(N, S, T_body)
        S[MODE] = BODY


@fn
def in_head(N, S, c):
    if c == C_META:
        void(N, S)
    elif c == C_TITLE:
        raw(N, S, 1)
    elif c == C_STYLE:
        raw(N, S, 2)
    elif c == C_SCRIPT:
        raw(N, S, 3)
    elif c == C_TPL:
        insert(N, S, 0)
        fadd(S, -1)
        S[FSOK] = 0
        if S[NTM] < 512:
            S[TMS + S[NTM]] = TEMPLATE
            S[NTM] += 1
        S[MODE] = TEMPLATE


@fn
def hidden_input(S, X, A):
    for a in range(S[TA0], S[TA1]):
        if A[a, 0] == AID_TYPE and A[a, 4] == 6 and low(X[A[a, 3]]) == 104 and low(X[A[a, 3] + 5]) == 110:
            return True
    return False


@fn
def body_start(N, S, X, A):
    t = S[TTAG]
    c = CL[t]
    if c == C_BLOCK or c == C_HEAD or c == C_HR or (c == C_TABLE and not S[QUIRKS]) or c == C_PLAIN or t == T_xmp:
        close_p(N, S)
    if c == 0 or C_FMT <= c <= C_VOID or c == C_OBJ or t == T_xmp or C_FOREIGN == c or c == C_IMAGE:
        if c != C_A:
            reconstruct(N, S)
    if c == 0:
        insert(N, S, 0)
    elif c == C_BLOCK:
        insert(N, S, 0)
        if t == T_pre or t == T_listing:
            S[SKIPNL] = 1
            S[FSOK] = 0
    elif c == C_HEAD:
        if N[top(S), NS] == 0 and T_h1 <= N[top(S), TAG] <= T_h6:
            pop(N, S)
        insert(N, S, 0)
    elif c == C_FMT:
        format_(N, S, X, A)
    elif c == C_A:
        j = S[FP] - 1
        while j >= 0 and S[FM + j] >= 0:
            x = S[FM + j]
            j -= 1
            if N[x, TAG] == T_a:
                adopt(N, S)
                k = ffind(S, x)
                if k >= 0:
                    fdrop(S, k)
                k = where(S, x)
                if k > 0:
                    drop(N, S, k)
                break
        reconstruct(N, S)
        format_(N, S, X, A)
    elif c == C_NOBR:
        if scope(N, S, T_nobr, 0):
            adopt(N, S)
            reconstruct(N, S)
        format_(N, S, X, A)
    elif c == C_VOID:
        void(N, S)
        if t != T_input or not hidden_input(S, X, A):
            S[FSOK] = 0
    elif c == C_VOID2:
        void(N, S)
    elif c == C_HR:
        void(N, S)
        S[FSOK] = 0
    elif c == C_LI or c == C_DD:
        S[FSOK] = 0
        i = S[SP] - 1
        while i > 0 and S[CN + T_li] + S[CN + T_dd] + S[CN + T_dt]:
            x = S[ST + i]
            g = N[x, TAG]
            i -= 1
            if N[x, NS] == 0:
                if (c == C_LI and g == T_li) or (c == C_DD and (g == T_dd or g == T_dt)):
                    gen_implied(N, S, g)
                    pop_until(N, S, g)
                    break
                if SPECIAL[g] and g != T_address and g != T_div and g != T_p:
                    break
        close_p(N, S)
        insert(N, S, 0)
    elif c == C_OBJ:
        insert(N, S, 0)
        fadd(S, -1)
        S[FSOK] = 0
    elif c == C_TABLE:
        insert(N, S, 0)
        S[FSOK] = 0
        S[MODE] = TABLE
    elif C_META <= c <= C_TPL:
        in_head(N, S, c)
    elif c == C_TAREA:
        raw(N, S, 1)
        S[SKIPNL] = 1
        S[FSOK] = 0
    elif c == C_RAW:
        raw(N, S, 2)
        S[FSOK] = 0
    elif c == C_SELECT:
        if scope(N, S, T_select, 0):
            pop_until(N, S, T_select)
            return
        reconstruct(N, S)
        insert(N, S, 0)
        S[FSOK] = 0
    elif c == C_OPT:
        if S[CN + T_select]:
            gen_implied(N, S, T_optgroup if t == T_option else 0)
        elif istag(N, top(S), T_option):
            pop(N, S)
        reconstruct(N, S)
        insert(N, S, 0)
    elif c == C_RB or c == C_RT:
        if scope(N, S, T_ruby, 0):
            gen_implied(N, S, T_rtc if c == C_RT else 0)
        insert(N, S, 0)
    elif c == C_FOREIGN:
        insert(N, S, 1 if t == T_svg else 2)
        if S[TSELF]:
            pop(N, S)
    elif c == C_FORM:
        if S[FORM] >= 0 and S[CN + T_template] == 0:
            return
        close_p(N, S)
        x = insert(N, S, 0)
        if S[CN + T_template] == 0:
            S[FORM] = x
    elif c == C_PLAIN:
        raw(N, S, 4)
    elif c == C_BUTTON:
        shut(N, S, T_button, 0, 0)
        reconstruct(N, S)
        insert(N, S, 0)
        S[FSOK] = 0
    elif c == C_ROOT:
        body = S[ST + 1] if S[SP] > 1 and istag(N, S[ST + 1], T_body) else -1
        if t == T_frameset:
            if S[FSOK] and body >= 0:
                unlink(N, body)
                while S[SP] > 1:
                    pop(N, S)
                insert(N, S, 0)
                S[MODE] = FSET
        elif S[CN + T_template] == 0:
            x = S[ST] if t == T_html else body
            if x >= 0 and N[x, A1] == N[x, A0]:
                N[x, A0] = S[TA0]
                N[x, A1] = S[TA1]
            if t == T_body:
                S[FSOK] = 0
    elif c == C_IMAGE:
        S[TTAG] = T_img
        S[TH] = 0
        void(N, S)


@fn
def foreign_start(N, S, X, A):
    """a start tag while the current node is in SVG or MathML; False: by the rules of HTML"""
    x = top(S)
    t = S[TTAG]
    g = N[x, TAG]
    if N[x, NS] == 1 and SVIP[g]:
        return False
    if N[x, NS] == 2 and MTIP[g] and t != T_mglyph and t != T_malignmark:
        return False
    if N[x, NS] == 2 and g == T_annotation_xml:
        if t == T_svg:
            return False
        for a in range(N[x, A0], N[x, A1]):
            if A[a, 0] == AID_ENCODING and (A[a, 4] == 9 or A[a, 4] == 21):
                return False  # text/html, application/xhtml+xml
    out = BREAKOUT[t]
    if t == T_font:
        for a in range(S[TA0], S[TA1]):
            out |= AID_COLOR <= A[a, 0] <= AID_SIZE
    if out:
        while S[SP] > 1 and N[top(S), NS] and not ipoint(N, top(S)):
            pop(N, S)
        return False
    insert(N, S, N[x, NS])
    if S[TSELF]:
        pop(N, S)
    return True


@fn
def start(N, S, X, A):
    if S[SP] and N[top(S), NS] and foreign_start(N, S, X, A):
        return
    t = S[TTAG]
    part = CL[t] == C_TPART and t != T_frame and t != T_head
    while True:
        m = S[MODE]
        if m <= BHTML:
            if t != T_html:
                anything(N, S)
                continue
            x = new(N, S, 1, t, 0, 0, S[TOFF], S[TLN], S[TA0], S[TA1])
            link(N, x, 0, -1)
            push(N, S, x)
            S[MODE] = BHEAD
            return
        if m <= AHEAD:
            if t == T_html:
                body_start(N, S, X, A)
                return
            if t == T_head:
                if m == BHEAD:
                    S[HEAD] = insert(N, S, 0)
                    S[MODE] = INHEAD
                return
            if m == INHEAD:
                if HEADTAGS[t]:
                    in_head(N, S, CL[t])
                    return
                if t == T_noscript:
                    insert(N, S, 0)
                    S[MODE] = HEADNS
                    return
            elif m == HEADNS:
                if HEADTAGS[t] and t != T_base and t != T_title and t != T_script and t != T_template:
                    in_head(N, S, CL[t])
                    return
                if t == T_noscript:
                    return
            elif m == AHEAD:
                if t == T_body:
                    insert(N, S, 0)
                    S[MODE] = BODY
                    S[FSOK] = 0
                    return
                if t == T_frameset:
                    insert(N, S, 0)
                    S[MODE] = FSET
                    return
                if HEADTAGS[t]:
                    push(N, S, S[HEAD])
                    in_head(N, S, CL[t])
                    k = where(S, S[HEAD])
                    if k > 0:
                        drop(N, S, k)
                    return
            anything(N, S)
            continue
        if m == ABODY:
            S[MODE] = BODY
            continue
        if m == FSET:
            if t == T_frameset:
                insert(N, S, 0)
            elif t == T_frame:
                void(N, S)
            elif t == T_noframes:
                in_head(N, S, C_STYLE)
            return
        if m == TEMPLATE:
            if HEADTAGS[t]:
                in_head(N, S, CL[t])
                return
            m = BODY
            if t == T_caption or t == T_colgroup or SECTION[t]:
                m = TABLE
            elif t == T_col:
                m = COLGROUP
            elif t == T_tr:
                m = TBODY
            elif CELLS[t]:
                m = ROW
            if S[NTM] > 0:
                S[TMS + S[NTM] - 1] = m
            S[MODE] = m
            continue
        if m == COLGROUP:
            if t == T_col:
                void(N, S)
                return
            if t == T_template:
                in_head(N, S, C_TPL)
                return
            if t == T_html or not istag(N, top(S), T_colgroup):
                return
            pop(N, S)
            S[MODE] = TABLE
            continue
        if m == BODY or ((m == CELL or m == CAPTION) and not part):
            body_start(N, S, X, A)
            return
        if m == CELL:
            if not (scope(N, S, T_td, 3) or scope(N, S, T_th, 3)):
                return
            close_cell(N, S)
            continue
        if m == CAPTION:
            if not close_caption(N, S):
                return
            continue
        if m == ROW:
            if CELLS[t]:
                clear_to(N, S, 2)
                insert(N, S, 0)
                S[MODE] = CELL
                fadd(S, -1)
                return
            if part:
                if not scope(N, S, T_tr, 3):
                    return
                clear_to(N, S, 2)
                pop(N, S)
                S[MODE] = TBODY
                continue
        elif m == TBODY:
            if t == T_tr:
                clear_to(N, S, 1)
                insert(N, S, 0)
                S[MODE] = ROW
                return
            if CELLS[t]:
                clear_to(N, S, 1)
                implied(N, S, T_tr)
                S[MODE] = ROW
                continue
            if part:
                if not any_section(N, S):
                    return
                clear_to(N, S, 1)
                pop(N, S)
                S[MODE] = TABLE
                continue
        if part:
            clear_to(N, S, 0)
            if t == T_caption:
                fadd(S, -1)
                insert(N, S, 0)
                S[MODE] = CAPTION
                return
            if t == T_colgroup:
                insert(N, S, 0)
                S[MODE] = COLGROUP
                return
            if SECTION[t]:
                insert(N, S, 0)
                S[MODE] = TBODY
                return
            if t == T_col:
                implied(N, S, T_colgroup)
                S[MODE] = COLGROUP
            else:
                implied(N, S, T_tbody)
                S[MODE] = TBODY
            continue
        if t == T_table:
            if not scope(N, S, T_table, 3):
                return
            pop_until(N, S, T_table)
            reset_mode(N, S)
            continue
        if t == T_style or t == T_script or t == T_template:
            in_head(N, S, CL[t])
        elif t == T_input and hidden_input(S, X, A):
            void(N, S)
        elif t == T_form:
            if S[FORM] < 0 and S[CN + T_template] == 0:
                S[FORM] = insert(N, S, 0)
                pop(N, S)
        else:
            S[FOSTER] = 1
            body_start(N, S, X, A)
            S[FOSTER] = 0
        return


@fn
def body_end(N, S):
    t = S[TTAG]
    c = CL[t]
    if t == T_body or t == T_html:
        if S[CN + T_body]:
            S[MODE] = ABODY
    elif BLOCKEND[t] or (t == T_form and S[CN + T_template]):
        shut(N, S, t, 0, 0)
    elif t == T_form:
        x = S[FORM]
        S[FORM] = -1
        if x < 0 or not scope(N, S, T_form, 0):
            return
        gen_implied(N, S, 0)
        k = where(S, x)
        if k > 0:
            drop(N, S, k)
    elif t == T_p:
        if not scope(N, S, T_p, 2):
            implied(N, S, T_p)
        close_p(N, S)
    elif t == T_li:
        shut(N, S, t, 1, t)
    elif c == C_DD:
        shut(N, S, t, 0, t)
    elif c == C_HEAD:
        for g in range(T_h1, T_h6 + 1):
            if scope(N, S, g, 0):
                gen_implied(N, S, 0)
                while S[SP] > 1:
                    x = pop(N, S)
                    if N[x, NS] == 0 and T_h1 <= N[x, TAG] <= T_h6:
                        return
    elif C_FMT <= c <= C_NOBR:
        adopt(N, S)
    elif c == C_OBJ:
        if shut(N, S, t, 0, 0):
            to_marker(S)
    elif t == T_br:
        reconstruct(N, S)
        implied(N, S, T_br)
        pop(N, S)
        S[FSOK] = 0
    elif t == T_template:
        end_template(N, S)
    else:
        any_end(N, S)


@fn
def finish(N, S):
    """an end tag"""
    t = S[TTAG]
    if S[SP] and N[top(S), NS]:
        if t == T_br or t == T_p:
            while S[SP] > 1 and N[top(S), NS] and not ipoint(N, top(S)):
                pop(N, S)
        i = S[SP] - 1
        while i > 0 and N[S[ST + i], NS]:
            if N[S[ST + i], TAG] == t and N[S[ST + i], NH] == S[TH]:
                while S[SP] > i:
                    pop(N, S)
                return
            i -= 1
    while True:
        m = S[MODE]
        if m == BODY:
            body_end(N, S)
            return
        if m == ABODY:
            if t == T_html or t == T_body:
                return
            S[MODE] = BODY
        elif t == T_template and m != HEADNS:
            end_template(N, S)
            return
        elif m <= AHEAD:
            if m == INHEAD and t == T_head:
                pop(N, S)
                S[MODE] = AHEAD
                return
            if m == HEADNS and t == T_noscript:
                pop(N, S)
                S[MODE] = INHEAD
                return
            if not (t == T_br or (m != HEADNS and (t == T_body or t == T_html or (t == T_head and m <= BHEAD)))):
                return
            anything(N, S)
        elif m == TEMPLATE:
            return
        elif m == FSET:
            if t == T_frameset and S[SP] > 1:
                pop(N, S)
            return
        elif m == COLGROUP:
            if t == T_col or not istag(N, top(S), T_colgroup):
                return
            pop(N, S)
            S[MODE] = TABLE
            if t == T_colgroup:
                return
        elif m == CAPTION and (t == T_caption or t == T_table):
            if not close_caption(N, S) or t == T_caption:
                return
        elif m == CELL and CELLS[t]:
            if shut(N, S, t, 3, 0):
                to_marker(S)
                S[MODE] = ROW
            return
        elif m == CELL and TBL[t]:
            if not scope(N, S, t, 3):
                return
            close_cell(N, S)
        elif t == T_body or t == T_html or (CL[t] == C_TPART and (m == CELL or m == CAPTION)):
            return
        elif m == CELL or m == CAPTION:
            body_end(N, S)
            return
        elif m == ROW and TBL[t]:
            if not scope(N, S, t, 3) or not scope(N, S, T_tr, 3):
                return
            clear_to(N, S, 2)
            pop(N, S)
            S[MODE] = TBODY
            if t == T_tr:
                return
        elif m == TBODY and (SECTION[t] or t == T_table):
            if not (scope(N, S, t, 3) if SECTION[t] else any_section(N, S)):
                return
            clear_to(N, S, 1)
            pop(N, S)
            S[MODE] = TABLE
            if SECTION[t]:
                return
        elif t == T_table:
            if scope(N, S, T_table, 3):
                pop_until(N, S, T_table)
                reset_mode(N, S)
            return
        elif CL[t] == C_TPART:
            return
        else:
            S[FOSTER] = 1
            body_end(N, S)
            S[FOSTER] = 0
            return


@fn
def chars(N, S, X, t0, t1):
    ws = t0
    while ws < t1 and isws(X[ws]):
        ws += 1
    while t0 < t1:
        m = S[MODE]
        if S[SP] and N[top(S), NS] and not ipoint(N, top(S)):
            if ws < t1:
                S[FSOK] = 0
            text(N, S, t0, t1)
            return
        if m <= AHEAD or m == COLGROUP:
            if ws > t0:
                if m >= INHEAD:
                    text(N, S, t0, ws)
                t0 = ws
            if t0 >= t1:
                return
            if m <= AHEAD:
                anything(N, S)
                continue
            if not istag(N, top(S), T_colgroup):
                return
            pop(N, S)
            S[MODE] = TABLE
            continue
        if m == FSET:
            while t0 < t1:
                if isws(X[t0]):
                    text(N, S, t0, t0 + 1)
                t0 += 1
            return
        if m == ABODY and ws < t1:
            S[MODE] = BODY
            continue
        if (m == TABLE or m == TBODY or m == ROW) and TBL[N[top(S), TAG]]:
            if ws == t1:
                text(N, S, t0, t1)
                return
            S[FOSTER] = 1
            reconstruct(N, S)
            text(N, S, t0, t1)
            S[FOSTER] = 0
            return
        reconstruct(N, S)
        text(N, S, t0, t1)
        if ws < t1:
            S[FSOK] = 0
        return
