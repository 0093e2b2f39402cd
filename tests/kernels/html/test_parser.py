"""Trees: what the parser gives besides names and texts, its bounds, and what must not take long."""

import threading

import numpy as np
import pytest

from pipeline.kernels import jit_linked
from pipeline.kernels.html import quirks, references, state
from pipeline.kernels.html.capacity import count_bytes
from pipeline.kernels.html.names import ATTRIBUTE, ATTRIBUTES, TAG, TAGS, lookup_table, tag_set
from pipeline.kernels.html.parser import BYTES_A_STEP, CLONES, STEPS, TAGS_A_CLONE, Parser, Tree, parse
from pipeline.kernels.html.tree import example
from tests.kernels.html.trees import lines


def shown(page: str) -> list[str]:
    """A tree as lines, two spaces for each level."""
    return ["  " * depth + text for depth, text in lines(parse(page.encode("utf-8", "surrogatepass")))]


def test_nodes_are_in_document_order_with_their_ends() -> None:
    tree = parse(b"<p>a<b>c</b></p>d")
    assert [tree.name(node) if tree.kind[node] == 1 else "" for node in range(tree.count)] == [
        "", "html", "head", "body", "p", "", "b", "", "",
    ]  # fmt: skip
    assert tree.kind[: tree.count].tolist() == [9, 1, 1, 1, 1, 3, 1, 3, 3]
    assert tree.parent[: tree.count].tolist() == [-1, 0, 1, 1, 3, 4, 4, 6, 3]
    assert tree.end[: tree.count].tolist() == [9, 9, 3, 9, 8, 6, 8, 8, 9]
    assert [tree.text_of(node) for node in (5, 7, 8)] == ["a", "c", "d"]


def test_attributes_have_their_number_and_the_first_of_a_name_counts() -> None:
    tree = parse(b"<p CLASS=a class=b data-x=1 DATA-X=2 hidden title='&amp;&#0;\r\n' =y=z>")
    rows = tree.attributes[tree.first_attribute[4] : tree.last_attribute[4]]
    assert rows[:, 0].tolist() == [ATTRIBUTE["class"], 0, ATTRIBUTE["hidden"], ATTRIBUTE["title"], 0]
    assert tree.attributes_of(4) == {"class": "a", "data-x": "1", "hidden": "", "title": "&\ufffd\n", "=y": "z"}


@pytest.mark.parametrize("count", [5, 8, 9, 30, 3000])
def test_of_many_attributes_the_first_of_a_name_counts(count: int) -> None:
    names = [f"data-{number}" for number in range(count)]
    page = "<p " + " ".join(f"{name}=1 {name.upper()}=2 class={name}" for name in names) + ">"
    tree = parse(page.encode())
    assert tree.attributes_of(4) == dict.fromkeys(names, "1") | {"class": "data-0"}
    assert parse(page.encode()).attributes_of(4) == tree.attributes_of(
        4
    )  # sets of the page before are not mistaken for its own


def test_attributes_of_a_second_body_are_added_without_replacing_any() -> None:
    page = "<html a=1><body b=1 c=1><body c=2 d=2><html a=2 e=2>"
    assert shown(page) == [
        "<html>",
        '  a="1"',
        '  e="2"',
        "  <head>",
        "  <body>",
        '    b="1"',
        '    c="1"',
        '    d="2"',
    ]


def test_names_that_are_not_in_the_table_are_told_apart() -> None:
    assert shown("<X-A><x-b></x-A>c") == ["<html>", "  <head>", "  <body>", "    <x-a>", "      <x-b>", '    "c"']
    assert shown("<p\0>a") == ["<html>", "  <head>", "  <body>", "    <p\ufffd>", '      "a"']
    assert shown("<annotation-xml-longer>")[3] == "    <annotation-xml-longer>"


def test_a_declarative_shadow_root_stays_a_template_with_its_attribute() -> None:
    tree = parse(b"<div><template shadowrootmode=open><p>shown</template>")
    node = tree.tag[: tree.count].tolist().index(TAG["template"])
    assert tree.attributes_of(node) == {"shadowrootmode": "open"}
    assert tree.attributes[tree.first_attribute[node], 0] == ATTRIBUTE["shadowrootmode"]
    assert tree.text_of(node + 2) == "shown"


@pytest.mark.parametrize(
    ("doctype", "is_quirks"),
    [
        ("", True),
        ("<!doctype html>", False),
        ("<!DOCTYPE HTML PUBLIC '-//W3C//DTD HTML 4.01//EN' 'http://www.w3.org/TR/html4/strict.dtd'>", False),
        (
            "<!doctype html public '-//W3C//DTD HTML 4.01 Transitional//EN' 'http://www.w3.org/TR/html4/loose.dtd'>",
            False,
        ),
        ("<!doctype html public '-//W3C//DTD HTML 4.01 Transitional//EN'>", True),
        ("<!doctype html public '-//W3C//DTD HTML 3.2 Final//EN' 'x'>", True),
        ("<!doctype html public 'html'>", True),
        ("<!doctype html public 'html2'>", False),
        ("<!doctype html system 'http://www.ibm.com/data/dtd/v11/ibmxhtml1-transitional.dtd'>", True),
        ("<!doctype html system 'about:legacy-compat'>", False),
        ("<!doctype svg>", True),
        ("<!doctype html x>", True),
        ("<!-- --> \n<!doctype html>", False),
        ("x<!doctype html>", True),
    ],
)
def test_quirks_mode_is_decided_by_the_doctype(doctype: str, is_quirks: bool) -> None:
    """In quirks mode a <table> does not close a <p>."""
    tree = parse(f"{doctype}<p><table>".encode())
    assert tree.quirks == is_quirks
    table = tree.tag[: tree.count].tolist().index(TAG["table"])
    assert tree.name(int(tree.parent[table])) == ("p" if is_quirks else "body")


def test_public_identifiers_of_quirks_mode_are_those_that_html5lib_has() -> None:
    import html5lib

    for prefix in quirks._PUBLIC_PREFIXES:
        parser = html5lib.HTMLParser()
        parser.parse(f'<!doctype html public "{prefix}x" "y">')
        assert parser.compatMode == "quirks", prefix
        assert parse(f'<!doctype html public "{prefix.upper()}x" "y">'.encode()).quirks
    assert len(quirks._PUBLIC_PREFIXES) == 55


def test_a_newline_at_the_beginning_of_pre_and_textarea_is_left_out() -> None:
    assert shown("<pre>\r\n\na</pre>")[3:] == ["    <pre>", '      "\na"']
    assert shown("<pre>&#10;a</pre>")[3:] == ["    <pre>", '      "a"']
    assert shown("<pre><b>\na")[3:] == ["    <pre>", "      <b>", '        "\na"']
    assert shown("<textarea>\n\na")[3:] == ["    <textarea>", '      "\na"']


def test_text_that_is_no_utf8_passes_unchanged() -> None:
    tree = parse(b"a\xff\xc3<p>\xe6\xbc")
    assert bytes(tree.text[: tree.length[4] + tree.length[6]]) == b"a\xff\xc3\xe6\xbc"


@pytest.mark.parametrize(
    "page",
    [b"", b"\xef\xbb\xbf", b"<", b"</", b"<!", b"<!-", b"<!--", b"&", b"&#", b"&#x", b"<a", b"<a b", b"<a b='", b"\0"],
)
def test_a_page_that_ends_at_once_has_a_head_and_a_body(page: bytes) -> None:
    tree = parse(page)
    assert [tree.name(node) for node in (1, 2, 3)] == ["html", "head", "body"]


def test_every_position_that_a_page_may_end_at_is_safe() -> None:
    page = (
        b"<!doctype html public 'a' 'b'><html a><!-- c --><title>&amp;</title><script><!--<script>a</script>--></script>"
        b"<body b='&lt'><table>x<tr><td>&#x41;<svg><![CDATA[ d ]]><p>\r\n<pre>\n</pre><textarea>\n</textarea></table>"
        b"<template><col></template>&notit;"
    )
    whole = shown(page.decode())
    for end in range(len(page)):
        assert parse(page[:end]).count >= 4
    assert shown(page.decode()) == whole


def test_each_thread_has_buffers_of_its_own() -> None:
    mine, others = parse(b"<p>one"), list[Tree]()
    thread = threading.Thread(target=lambda: others.append(parse(b"<p>two")))
    thread.start()
    thread.join()
    assert (mine.text_of(5), others[0].text_of(5)) == ("one", "two")
    assert parse(b"<p>three") is mine


def test_a_page_after_a_larger_one_is_not_touched_by_it() -> None:
    parser = Parser()
    parser.parse(b"<ul class=a>" + b"<li x=y>text & more<b>" * 5000)
    tree = parser.parse(b"<p>one")
    assert (tree.count, tree.text_of(5), tree.bounded) == (6, "one", False)


def test_a_page_of_a_gibibyte_is_refused() -> None:
    class Large(bytes):
        def __len__(self) -> int:
            return 1 << 30

    with pytest.raises(ValueError, match="less than 1 GiB"):
        Parser().parse(Large())


def test_linked_kernels_refuse_python() -> None:
    with pytest.raises(TypeError, match="called by kernels only"):
        references.put_code_point(1, 2, 3)


def test_linked_kernels_call_one_another_with_the_types_of_their_annotations() -> None:
    @jit_linked.linked
    def item(number: int, twice: bool) -> int:
        return number * 2 if twice else number

    @jit_linked.linked
    def both(number: int) -> int:
        return item(np.uint8(number), True) + item(np.int32(number), False)

    entry = jit_linked._jit(pipeline_class=jit_linked._compiler(jit_linked._Linked))(lambda number: both(number))
    assert entry(1000) == 2 * (1000 % 256) + 1000
    assert [len(kernel.overloads) for kernel in (item, both)] == [1, 1]


def test_the_tables_of_names_are_whole() -> None:
    assert len(TAGS) == len(set(TAGS)) == max(TAG.values())
    assert len(ATTRIBUTES) == len(set(ATTRIBUTES)) == max(ATTRIBUTE.values()) < 64  # bits of the names that a tag has
    assert np.flatnonzero(tag_set("td th")).tolist() == [TAG["td"], TAG["th"]]
    assert tag_set(["td", "th"]).tolist() == tag_set("td th").tolist()
    with pytest.raises(ValueError, match="longer than 16"):
        lookup_table(["a-name-of-17-byte"])
    with pytest.raises(ValueError, match="must be short"):
        lookup_table([str(number) for number in range(300)])


def test_the_tree_that_kernels_are_compiled_with_is_one_that_the_parser_could_give() -> None:
    made, parsed = example(), parse(b"<body><p class=a>One, 2.")
    assert lines(made) == [line for line in lines(parsed) if line[1] != "<head>"]
    for name in (
        "kind",
        "tag",
        "namespace",
        "parent",
        "end",
        "start",
        "length",
        "first_attribute",
        "attributes",
        "text",
        "source",
    ):
        ours, theirs = getattr(made, name), getattr(parsed, name)
        assert (ours.dtype, ours.ndim, ours.flags.c_contiguous, ours.flags.writeable) == (
            theirs.dtype, theirs.ndim, theirs.flags.c_contiguous, theirs.flags.writeable,
        ), name  # fmt: skip


# ---- what hostile pages cost: work is counted, not time

N = 20_000
HOSTILE = {
    **{f"nested {name}": f"<{name}>x" * N for name in ("div", "p", "a", "b", "ul", "li", "table", "td", "font", "article", "dd",
       "svg", "math", "template", "select", "button", "object", "x-y", "nobr", "h1", "ruby", "form")},
    "font div": "<font><div>" * N,
    "p font": "".join(f"<p><font color={number}>" for number in range(N)),
    "formatting in p": "<p><b><i><u><s><tt><em><big><code>" * N,
    "misnested": "<b><i><u><p></b></i></u></p>" * N,
    "a in divs": "<a>" + "<div>" * 400 + "<a></a>" * N,
    "unknown ends": "<q-q>" + "<x-x>" * 500 + "<z-z></y-y>" * N,
    "known ends": "<i><div>" + "<span>" * 500 + "</i>" * N,
    "foreign ends": "<svg>" + "<g>" * 500 + "</x>" * N,
    "items in spans": "<li><ul>" + "<span>" * 480 + "<li></li>" * N,
    "p beyond an object": "<p><object>" + "<span>" * 480 + "<div></div>" * N,
    "text in tables": "<table>" + "<b>x<tr>" * N,
    "tables in b": "<b><table>" * N,
    "ends of p": "</p>" * N,
    "text in a frameset": "<frameset>" + "x y " * N,
    "bodies": "".join(f"<body a{number}=1>" for number in range(N)),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_nodes_clones_and_steps_of_a_hostile_page_are_in_proportion_to_its_size(name: str) -> None:
    data = HOSTILE[name].encode()
    parser = Parser()
    tree = parser.parse(data)
    opened, closed, *_ = count_bytes(tree.source, len(data))
    tags = min(opened, closed)
    after = parser._state[0]
    clones = tags // TAGS_A_CLONE + CLONES - after["clones_left"] if after["open_limit"] == state.MAX_OPEN else 0
    steps = len(data) // BYTES_A_STEP + STEPS - after["work_left"]
    assert after["node_count"] <= 7 * tags + 10 + tags // TAGS_A_CLONE + CLONES
    assert clones <= tags // TAGS_A_CLONE + CLONES + 4
    # Once the budget is used up, a tag's searches are among NARROW_OPEN elements, a few times.
    assert steps <= len(data) // BYTES_A_STEP + STEPS + 8 * state.MAX_OPEN + 6 * state.NARROW_OPEN * tags


def test_names_that_collide_by_design_are_bounded() -> None:
    """As for names that are made to share a slot: after _MAX_PROBES steps an attribute is left out, and the tree says so."""
    from pipeline.kernels.html import tag_token

    assert tag_token._MAX_PROBES == 64
    count = 30_000
    tree = parse(("<p " + " ".join(f"x{number}" for number in range(count)) + ">").encode())
    assert (tree.last_attribute[4] - tree.first_attribute[4], tree.bounded) == (count, False)


@pytest.mark.parametrize(("page", "depth"), [("<div>" * 1000 + "x", 512), ("<b>" * 400, 402), ("<p>" * 1000, 3)])
def test_open_elements_are_bounded_as_in_browsers(page: str, depth: int) -> None:
    tree = parse(page.encode())
    depths = [0] * tree.count
    for node in range(1, tree.count):
        depths[node] = depths[int(tree.parent[node])] + (tree.kind[node] == 1)
    assert max(depths) == depth
    assert tree.bounded == (depth == 512)
