"""Sums over a page, and the features of its blocks, against plain Python on pages of some thirty blocks."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

from pipeline.kernels.html import context, features, model, page_features, page_signals, page_sums
from pipeline.kernels.html import word_signals as w
from pipeline.kernels.html.blocks import (
    BOX,
    CHARACTERS,
    CHILDREN,
    DEPTH,
    FIRST_BLOCK,
    LAST_BLOCK,
    LINK_CHARACTERS,
    ORDINAL,
    PARENT,
)
from pipeline.kernels.html.class_signals import TAG_CODE
from pipeline.kernels.html.measure import ROWS, Measurer
from tests.kernels.html.measured import TEXTS, measured, rows_of

PROSE = (
    "It was the best of times and it was the worst of times, so they said to each other that the page has many words in it;"
    " this is one of the sentences. And it is not the last of them, as you can see. "
)
PARAGRAPHS = "".join(f"<p>{PROSE}{text}</p>" for text in TEXTS.values())
PAGE = (
    "<title>The best page of times</title><meta name=description content='worst of times'>"
    "<header class=top><a href=/>Home</a></header><nav><ul>"
    + "".join(f"<li class=item><a href=/{n}>Link {n}</a></li>" for n in range(6))
    + f"</ul></nav><main><article><h1>The best page of times</h1>{PARAGRAPHS}<h2>More</h2><section><p>{PROSE}</p>"
    + f"<p>Short, here.</p><blockquote><p>{PROSE}</p></blockquote></section><h4>Small</h4><p>Home</p></article></main>"
    + "<aside><h3>Related</h3><a href=x>Read more</a><div>Home</div></aside><footer>© 2024 <a href=y>Terms</a></footer>"
)


class Plain:
    """The measured page as Python lists, and features by their names."""

    def __init__(self, page: str) -> None:
        self.tree, found = measured(page)
        self.blocks, self.boxes = found.blocks.table.tolist(), found.blocks.boxes.tolist()
        self.words = found.words[: len(self.blocks)].tolist()
        self.codes = found.signals.classes[:, TAG_CODE].tolist()
        self.texts = found.signals.texts[: len(self.blocks)].tolist()
        self.rows = rows_of(found)
        self.count = len(self.blocks)
        self.n = [row[w.WORDS] for row in self.words]
        self.linked = [row[LINK_CHARACTERS] for row in self.blocks]
        self.characters = [row[CHARACTERS] for row in self.blocks]
        self.prose = [self.is_prose(block) for block in range(self.count)]

    def is_prose(self, block: int) -> bool:
        foreign = 2 * self.words[block][w.FOREIGN] > self.n[block]
        stops = 0.3 if foreign else self.words[block][w.STOPS] / max(self.n[block], 1)
        return self.n[block] >= 10 and self.linked[block] / self.characters[block] < 0.34 and stops > 0.15

    def prose_words(self, first: int, last: int) -> int:
        return sum(n for n, prose in zip(self.n[first:last], self.prose[first:last], strict=True) if prose)

    def around(self, block: int) -> list[int]:
        """Boxes around a block, nearest first; the document last."""
        found = [self.blocks[block][BOX]]
        while self.boxes[found[-1]][PARENT] >= 0:
            found.append(self.boxes[found[-1]][PARENT])
        return found

    def code(self, block: int) -> int:
        return int(self.codes[self.blocks[block][BOX]])

    def feature(self, name: str) -> list[float]:
        values: list[float] = self.rows[:, features.NAMES.index(name)].tolist()
        return values


@pytest.fixture(scope="module")
def plain() -> Plain:
    return Plain(PAGE)


def single(values: list[Any]) -> list[float]:
    """Values as float32 has them."""
    rounded: list[float] = np.array(values, np.float64).astype(np.float32).tolist()
    return rounded


def test_names_are_as_many_as_columns_and_each_is_there_once() -> None:
    for module in (features, page_features, context):
        assert len(module.NAMES) == len(set(module.NAMES)) == module.COUNT
    assert len(page_signals.PAGE_NAMES) == len(set(page_signals.PAGE_NAMES)) == page_signals.PAGE_COLUMNS
    assert model.PAGE + page_features.COUNT == model.COLUMNS


def test_every_column_is_written_and_none_beyond_them() -> None:
    _, found = measured(PAGE)
    matrix = found.matrix
    matrix[:] = np.nan
    found.fill(0, found.blocks.count)
    found.sum_scores(np.zeros(found.blocks.count, np.int32), 1)
    assert not np.isnan(matrix[: found.blocks.count, : features.COUNT]).any()
    assert np.isnan(matrix[: found.blocks.count, features.COUNT :]).all()
    found.fill_context(1, 0, found.blocks.count, features.COUNT)
    assert not np.isnan(matrix[: found.blocks.count, : model.TYPES]).any()
    assert np.isnan(matrix[: found.blocks.count, model.TYPES :]).all()
    assert np.isnan(matrix[found.blocks.count :]).all()


def test_the_page_has_some_thirty_blocks_with_prose_and_without(plain: Plain) -> None:
    assert 25 <= plain.count <= 35
    assert 10 <= sum(plain.prose) < plain.count - 10


def test_places_in_the_page_are_shares_of_blocks_words_and_prose(plain: Plain) -> None:
    count, total, prose = plain.count, sum(plain.n), plain.prose_words(0, plain.count)
    assert plain.feature("position") == single([b / count for b in range(count)])
    assert plain.feature("word_position") == single([sum(plain.n[:b]) / total for b in range(count)])
    assert plain.feature("prose_position") == single([plain.prose_words(0, b) / prose for b in range(count)])
    assert plain.feature("words_before") == [sum(plain.n[:b]) for b in range(count)]
    assert plain.feature("words_after") == [sum(plain.n[b + 1 :]) for b in range(count)]
    assert plain.feature("prose_after") == [plain.prose_words(b + 1, count) for b in range(count)]
    assert plain.feature("from_end") == [count - b for b in range(count)]


def test_copies_are_blocks_with_the_same_words(plain: Plain) -> None:
    tally = Counter(plain.texts)
    assert plain.feature("copies") == [tally[text] for text in plain.texts]
    assert sorted(tally.values())[-2:] == [3, 6]  # "Home", and "Link 0" to "Link 5": digits are alike


def test_distances_to_prose_are_blocks_to_the_nearest_on_each_side(plain: Plain) -> None:
    places = [b for b, prose in enumerate(plain.prose) if prose]
    before = [b - max((p for p in places if p < b), default=b - 999) for b in range(plain.count)]
    after = [min((p for p in places if p > b), default=b + 999) - b for b in range(plain.count)]
    assert plain.feature("prose_distance_before") == before
    assert plain.feature("prose_distance_after") == after


def test_headings_are_the_last_one_before_a_block_and_the_last_major_one(plain: Plain) -> None:
    levels = {4 + k: k + 1 for k in range(6)}
    found = [levels.get(plain.code(b), 0) for b in range(plain.count)]
    assert [level for level in found if level] == [1, 2, 4, 3]
    last = [max((h for h in range(b) if found[h]), default=-1) for b in range(plain.count)]
    major = [max((h for h in range(b) if found[h] in (1, 2)), default=-1) for b in range(plain.count)]
    assert plain.feature("heading_distance") == [b - h if h >= 0 else 999 for b, h in enumerate(last)]
    assert plain.feature("heading_level") == [found[h] if h >= 0 else 0 for h in last]
    assert plain.feature("heading_major_distance") == [b - h if h >= 0 else 999 for b, h in enumerate(major)]
    assert plain.feature("heading_words_since") == [sum(plain.n[h:b]) if h >= 0 else 9999 for b, h in enumerate(last)]
    assert plain.feature("heading_first_heading") == [b - found.index(1) for b in range(plain.count)]
    assert plain.feature("heading_title_block") == [b - found.index(1) for b in range(plain.count)]


def test_a_page_without_headings_and_title_says_so() -> None:
    row = dict(zip(features.NAMES, Plain("<p>a b c").rows[0].tolist(), strict=True))
    names = ("distance", "level", "major_distance", "words_since", "first_heading", "title_block")
    assert [row[f"heading_{name}"] for name in names] == [999, 0, 999, 9999, -999, -999]


@pytest.mark.parametrize("offset", features.NEIGHBOURS)
def test_a_neighbour_says_its_words_links_tag_and_end_and_minus_one_where_there_is_none(
    plain: Plain, offset: int
) -> None:
    for b in range(plain.count):
        other = b + offset
        expected: list[Any] = [-1] * 5
        if 0 <= other < plain.count:
            same = plain.blocks[other][BOX] == plain.blocks[b][BOX]
            share = plain.linked[other] / plain.characters[other]
            expected = [plain.n[other], share, plain.code(other), plain.words[other][w.END], same]
        names = [f"neighbour{offset:+d}_{name}" for name in ("words", "link_share", "tag", "end", "same")]
        assert [plain.feature(name)[b] for name in names] == single(expected)


@pytest.mark.parametrize("size", features.WINDOWS)
def test_a_window_has_the_blocks_on_both_sides_as_far_as_there_are_any(plain: Plain, size: int) -> None:
    for b in range(plain.count):
        near = [other for other in range(plain.count) if abs(other - b) <= size]
        prose = [other for other in near if plain.prose[other]]
        expected = [
            sum(plain.n[other] for other in near) / len(near),
            sum(plain.linked[other] for other in near) / sum(plain.characters[other] for other in near),
            len(prose) / len(near),
            sum(other < b for other in prose),
            sum(other > b for other in prose),
        ]
        names = [f"window{size}_{name}" for name in ("words", "link_share", "prose", "prose_before", "prose_after")]
        assert [plain.feature(name)[b] for name in names] == single(expected)


@pytest.mark.parametrize("level", range(features.LEVELS))
def test_a_level_says_what_the_ancestor_holds(plain: Plain, level: int) -> None:
    total, prose = sum(plain.n), plain.prose_words(0, plain.count)
    for b in range(plain.count):
        boxes = plain.around(b)
        box = boxes[min(level, len(boxes) - 1)]
        row = plain.boxes[box]
        first, last = row[FIRST_BLOCK], row[LAST_BLOCK]
        held, words = range(first, last), sum(plain.n[first:last])
        marks = sum(plain.words[i][w.COMMAS] + plain.words[i][w.SENTENCES] for i in held)
        expected = {
            "share": words / total,
            "prose_share": plain.prose_words(first, last) / prose,
            "words": words,
            "link_share": sum(plain.linked[first:last]) / sum(plain.characters[first:last]),
            "blocks": len(held),
            "words_a_block": words / len(held),
            "prose_blocks": sum(plain.prose[first:last]) / len(held),
            "punctuation": marks / max(words, 1),
            "ordinal": row[ORDINAL],
            "siblings": plain.boxes[max(row[PARENT], 0)][CHILDREN],
            "tag": plain.codes[box],
            "relative": (b - first) / len(held),
        }
        assert [plain.feature(f"level{level}_{name}")[b] for name in expected] == single(list(expected.values()))


@pytest.mark.parametrize("share", page_sums.SHARES)
def test_a_holder_is_the_deepest_box_with_its_share_of_the_prose(plain: Plain, share: float) -> None:
    total = plain.prose_words(0, plain.count)
    holding = [row for row in plain.boxes if plain.prose_words(row[FIRST_BLOCK], row[LAST_BLOCK]) >= share * total]
    holder = max(holding, key=lambda row: row[DEPTH])
    first, last, depth = holder[FIRST_BLOCK], holder[LAST_BLOCK], holder[DEPTH]
    assert depth > 2
    own = [plain.boxes[plain.blocks[b][BOX]][DEPTH] for b in range(plain.count)]
    name = f"holder{int(100 * share)}"
    assert plain.feature(f"{name}_inside") == [first <= b < last for b in range(plain.count)]
    assert plain.feature(f"{name}_relative") == single([(b - first) / (last - first) for b in range(plain.count)])
    assert plain.feature(f"{name}_depth") == [depth] * plain.count
    assert plain.feature(f"{name}_below") == [deep - depth for deep in own]


def test_levels_to_prose_are_the_steps_to_the_first_box_with_other_prose(plain: Plain) -> None:
    levels, shares = [], []
    for b in range(plain.count):
        own = plain.prose_words(b, b + 1)
        spans = [plain.boxes[box][FIRST_BLOCK : LAST_BLOCK + 1] for box in plain.around(b)]
        level = next(i for i, (first, last) in enumerate(spans) if plain.prose_words(first, last) - own >= 30)
        first, last = spans[level]
        levels.append(level)
        shares.append(plain.prose_words(first, last) / sum(plain.n[first:last]))
    assert plain.feature("levels_to_prose") == levels
    assert plain.feature("prose_share_there") == single(shares)


def path_of(plain: Plain, block: int) -> tuple[Any, ...]:
    """The elements (names, classes) of the three boxes around a block, and its first inline element."""
    boxes = [*plain.around(block), 0, 0][:3]
    inline = plain.blocks[block][10]
    return (*(element(plain, box) for box in boxes), plain.tree.name(inline) if inline >= 0 else "")


def element(plain: Plain, box: int) -> tuple[str, str]:
    node = plain.boxes[box][0]
    return (plain.tree.name(node), plain.tree.attributes_of(node).get("class", "")) if box else ("", "")


def parent_of(plain: Plain, block: int) -> tuple[Any, ...]:
    boxes = [*plain.around(block), 0][:2]
    return (element(plain, boxes[0])[0], element(plain, boxes[1]))


@pytest.mark.parametrize(("which", "key"), [("path", path_of), ("parent", parent_of)])
def test_like_blocks_are_those_with_the_same_elements_around(plain: Plain, which: str, key: Any) -> None:
    keys = [key(plain, b) for b in range(plain.count)]
    total = sum(plain.n)
    assert max(Counter(keys).values()) >= 6
    for b in range(plain.count):
        like = [other for other in range(plain.count) if keys[other] == keys[b]]
        words = sum(plain.n[other] for other in like)
        linked, characters = (sum(values[other] for other in like) for values in (plain.linked, plain.characters))
        expected = {
            "count": len(like),
            "words": words / len(like),
            "share": words / total,
            "link_share": linked / characters,
            "first": like[0] / plain.count,
            "span": (like[-1] - like[0]) / plain.count,
        }
        assert [plain.feature(f"alike_{which}_{name}")[b] for name in expected] == single(list(expected.values()))


def test_a_page_of_more_blocks_than_rows_has_the_values_of_blocks_filled_one_by_one() -> None:
    parts = [
        f"<li class=c{n % 7}><a href=x>{text[: 5 + n % 40]}</a> {n}" for n, text in enumerate([*TEXTS.values()] * 120)
    ]
    _, found = measured(f"<title>t</title><ul>{''.join(parts)}</ul><p>{PROSE}")
    assert found.blocks.count > 2 * ROWS
    alone = rows_of(found)
    together = np.empty_like(alone)
    for start in range(0, found.blocks.count, ROWS):
        end = min(start + ROWS, found.blocks.count)
        found.fill(start, end)
        together[start:end] = found.matrix[: end - start, : features.COUNT]
    assert together.tobytes() == alone.tobytes()
    assert np.isfinite(alone).all()


def test_a_page_after_others_has_the_values_that_it_has_alone() -> None:
    pages = [PAGE, "<p>a", PAGE * 40, "<p>" + "x " * 3000, "", "<div>" * 400 + PROSE, "•<p>—<p>🜚", PAGE]
    used = Measurer(model.COLUMNS)
    for page in pages:
        measured(page, used)
        fresh = Measurer(model.COLUMNS)
        measured(page, fresh)
        assert rows_of(used).tobytes() == rows_of(fresh).tobytes()
        assert used.page_row.tobytes() == fresh.page_row.tobytes()
        assert used.page.tobytes() == fresh.page.tobytes()


class Page:
    """The page's own row by names."""

    def __init__(self, page: str) -> None:
        _, found = measured(page)
        self.row = dict(zip(page_features.NAMES, found.page_row.tolist(), strict=True))

    def __getitem__(self, name: str) -> float:
        return self.row[f"page_{name}"]


def test_the_row_of_a_page_sums_what_its_blocks_have(plain: Plain) -> None:
    page, total = Page(PAGE), sum(plain.n)
    expected = {
        "blocks": plain.count,
        "words": total,
        "link_share": sum(plain.linked) / sum(plain.characters),
        "prose_share": sum(plain.prose) / plain.count,
        "prose_words_share": plain.prose_words(0, plain.count) / total,
        "boxes": len(plain.boxes),
        "bytes": len(PAGE.encode()),
        "words_a_block": total / plain.count,
        "dated": sum(row[w.DATED] for row in plain.words) / plain.count,
        "priced": 0,
        "long_blocks": sum(n > 40 for n in plain.n),
        "most_words": max(plain.n),
        "foreign": sum(row[w.FOREIGN] for row in plain.words) / total,
        "phrase_more": 1,
        "phrase_cart": 0,
        "like_blocks": max(Counter(path_of(plain, b) for b in range(plain.count)).values()),
    }
    assert [page[name] for name in expected] == single(list(expected.values()))


@pytest.mark.parametrize(
    ("page", "name", "value"),
    [
        ("<p>a<p>b<li>c", "tag_p", 2),
        ("<title>one two two</title>", "title_words", 2),
        ("<meta name=description content='Ein Satz, ein Wort'>", "description_words", 3),
        ("<meta property=og:description content='a b'>", "description_words", 2),
        ("<meta property=og:type content=Product>", "og_type", 3),
        ("<meta property=og:type content=other>", "og_type", 9),
        ("<meta name=generator content='WordPress 6.1'>", "generator_wordpress", 1),
        ("<link rel=canonical href='https://x.org/Blog/2024/a-b?q'>", "url_blog", 1),
        ("<link rel=canonical href='https://x.org/Blog/2024/a-b?q'>", "url_depth", 3),
        ("<link rel=canonical href='https://x.org/Blog/2024/a-b?q'>", "url_length", 14),
        ("<link rel=canonical href='https://x.org/Blog/2024/a-b?q'>", "url_hyphens", 1),
        ("<link rel=canonical href='https://x.org/Blog/2024/a-b?q'>", "url_digits", 4),
        ("<link rel=canonical href='https://x.org/Blog/2024/a-b?q'>", "url_query", 1),
        ("<meta property=og:url content='http://x.org/shop/'>", "url_shop", 1),
        ("<link rel=stylesheet href='https://x.org/blog/'>", "url_known", 0),
        ('<script type=application/ld+json>[{"@type": "FAQPage"}, {"@type" : "faqPage"}]</script>', "schema_faqpage", 2),
        ('<script type=application/ld+json>{"name": "Product"}</script>', "schema_product", 0),
        ("<div itemscope itemtype='https://schema.org/Product'>", "schema_product", 1),
    ],
)  # fmt: skip
def test_what_a_page_says_of_itself_is_in_its_row(page: str, name: str, value: float) -> None:
    assert Page(page)[name] == value


def test_descriptions_beyond_the_page_table_of_words_are_left_out() -> None:
    words = [f"{a}{b}{c}" for a in "abcdefgh" for b in "abcdefghijklmnop" for c in "abcdefghijklmnop"]
    metas = "".join(
        f"<meta name=description content='{' '.join(words[i : i + 256])}'>" for i in range(0, len(words), 256)
    )
    page = Page(f"{metas}<p>{words[0]} {words[-1]}")
    assert page["description_words"] == w.PAGE_WORDS < 1 << w.TABLE_BITS
    assert len(words) > 1 << w.TABLE_BITS
