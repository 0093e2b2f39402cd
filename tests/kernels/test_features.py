"""The features kernel against plain Python, over real words and hostile Unicode."""

import random
import re
from collections import Counter

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.kernels import codepoints, features, few_words, hashing, lines, words

KNOWN = codepoints.flags()


def has(character: str, flag: int) -> bool:
    return bool(KNOWN[ord(character)] & flag)


def duplicates(items: list[str]) -> tuple[int, int]:
    seen: set[str] = set()
    repeated = [item for item in items if item in seen or seen.add(item)]  # type: ignore[func-returns-value]
    return len(repeated), sum(map(len, repeated))


def top(tokens: list[str], n: int) -> int:
    grams = Counter(" ".join(tokens[i : i + n]) for i in range(len(tokens) - n + 1))
    return next((len(gram) * count for gram, count in grams.most_common(1)), 0)  # the first seen on ties


def repeated(tokens: list[str], n: int) -> int:
    seen: set[str] = set()
    total = i = 0
    while i <= len(tokens) - n:
        gram = "".join(tokens[i : i + n])
        if gram in seen:
            total += len(gram)
            i += n
        else:
            seen.add(gram)
            i += 1
    return total


def unicode_words(text: str) -> list[str]:
    found: list[str] = []
    for whole in text.split():
        kind = None
        for character in whole:
            if has(character, codepoints.EXTENDING) and kind:
                found[-1] += character
                continue
            own = (
                "single" if has(character, codepoints.SINGLE) else
                "katakana" if has(character, codepoints.KATAKANA) else "other"
            )  # fmt: skip
            if own == kind and own != "single":
                found[-1] += character
            else:
                found.append(character)
            kind = own
    return found


def of_words(tokens: list[str], prefix: str) -> dict[str, int]:
    contents = [word for word in tokens if any(has(c, codepoints.CONTENT) for c in word)]
    return {
        f"{prefix}words": len(tokens),
        f"{prefix}content_words": len(contents),
        f"{prefix}content_characters": sum(map(len, contents)),
        f"{prefix}alphabetic_words": sum(any(has(c, codepoints.LETTER) for c in word) for word in tokens),
        **{f"{prefix}top_{n}_gram_characters": top(tokens, n) for n in (2, 3, 4)},
        **{f"{prefix}duplicated_{n}_gram_characters": repeated(tokens, n) for n in range(5, 11)},
    }


def oracle(text: str) -> dict[str, int]:
    broken = text.splitlines()
    filled = [line for line in text.split("\n") if line.strip()]
    paragraphs, split_lines = re.split(r"\n{2,}", text.strip()), re.split(r"\n+", text)
    return {
        "characters": len(text),
        "letters": sum(has(c, codepoints.LETTER) for c in text),
        "uppercase": sum(has(c, codepoints.UPPERCASE) for c in text),
        "digits": sum(has(c, codepoints.DIGIT) for c in text),
        "symbols": sum(has(c, codepoints.SYMBOL) for c in text),
        "spaces": sum(c.isspace() for c in text),
        "lines": len(broken),
        "longest_line": max(map(len, broken), default=0),
        **of_words(text.split(), ""),
        "stop_words": len(set(text.split()) & set(words.STOP_WORDS)),
        "hashes": text.count("#"),
        "ellipses": text.count("...") + text.count("…"),
        "bullet_lines": sum(line.lstrip().startswith(("•", "-")) for line in broken),
        "ellipsis_lines": sum(line.rstrip().endswith(("...", "…")) for line in broken),
        "paragraphs": len(paragraphs),
        "duplicate_paragraphs": duplicates(paragraphs)[0],
        "duplicate_paragraph_characters": duplicates(paragraphs)[1],
        "split_lines": len(split_lines),
        "duplicate_lines": duplicates(split_lines)[0],
        "duplicate_line_characters": duplicates(split_lines)[1],
        "filled_lines": len(filled),
        "terminated_lines": sum(has(line[-1], codepoints.TERMINAL) for line in filled),
        "short_lines": sum(len(line) <= lines.SHORT_LINE for line in filled),
        "duplicate_filled_line_characters": duplicates(filled)[1],
        "newlines": text.count("\n"),
        **of_words(unicode_words(text), "unicode_"),
    }


PIECES = ["the ", "of", "and", "with\n", "haves ", "...", "..", ".", "…", "#", "-", "•", " ", "\n", "\r\n", "\r", "\t",
          "\u2028", "\x85", "\x1c", "\u3000", "\u200b", "漢字", "ไทย", "é", "e\u0301", "\U0001f600", "\U00020000",
          "\U000e0001", "\x00", "\u0600", "١", "a", "1", "+", "\ufeff", "\n\n", "カタカナ", "ー", "ひらがな", "\u0e31",
          "\u200d", "\u1780\u17d2\u1798", "\u1019\u103c", "ｶﾞ", "Ǆ", "ǅ", "።", "word ", "other words "]  # fmt: skip
hostile = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=5)), max_size=60).map("".join)
# Two or three letters and a space or newline: nearly every n-gram repeats, often with its words parted elsewhere.
repetitive = st.one_of(
    st.text(alphabet="ab ", max_size=300),
    st.text(alphabet="ab \n", max_size=300),
    st.text(alphabet="a漢ア \n", max_size=200),
    st.lists(st.sampled_from(["a ", "aa ", "ab cd ef gh ij kl mn op ", "abcdefgh ", "abcdefghi jklmnopqrst ", "é ", "\n"]),
             max_size=80).map("".join),
)  # fmt: skip


def check(texts: list[str]) -> None:
    expected = [{name: counts[name] for name in features.FEATURES} for counts in map(oracle, texts)]
    assert features.measure(pa.array(texts, pa.string())).to_pylist() == expected


@given(st.lists(hostile, max_size=8))
def test_every_count_equals_plain_python(texts: list[str]) -> None:
    check(texts)


@given(st.lists(repetitive, max_size=4))
def test_every_count_equals_plain_python_where_much_repeats(texts: list[str]) -> None:
    check(texts)


@given(st.lists(st.one_of(hostile, repetitive), min_size=1, max_size=6), st.data())
def test_a_slice_of_either_string_type_is_measured_as_its_copy(texts: list[str], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(texts)))
    length = data.draw(st.integers(0, len(texts) - start))
    expected = features.measure(pa.array(texts[start : start + length], pa.string()))
    for kind in (pa.string(), pa.large_string()):
        assert features.measure(pa.array(texts, kind).slice(start, length)).equals(expected)


def test_texts_longer_than_the_scratch_that_is_kept_leave_no_trace_in_the_next() -> None:
    long = "a漢 b\n" * 300_000
    short = ["", "a b", "a\nb\n\na\nb", "漢字 カナ"]
    alone = features.measure(pa.array(short, pa.string())).to_pylist()
    together = features.measure(pa.array([*short, long, *short, long, *short])).to_pylist()
    assert together[:4] == together[5:9] == together[10:] == alone
    assert together[4] == together[9]


def test_the_last_text_of_a_buffer_is_measured_without_reading_past_it() -> None:
    text = "Read ahead " * 7
    raw = pa.py_buffer(text.encode())
    offsets = pa.py_buffer(memoryview(bytes(4) + len(text).to_bytes(4, "little")))
    tight = pa.StringArray.from_buffers(1, offsets, raw)
    assert features.measure(tight).to_pylist() == [{name: oracle(text)[name] for name in features.FEATURES}]


@pytest.mark.parametrize(
    "text",
    [
        "x" * 100_000,
        "漢" * 50_000,
        " " * 100_000,
        "\n" * 10_000,
        "." * 10_001,
        "a " * 3_000,
        "a\n" * 3_000,
        "the same line again\n" * 300,
        "\r\n" * 3_000,
        " ".join(chr(97 + i * i * 7 % 26) for i in range(4_000)),
        "one long word " * 200 + "w" * 70 + " tail",
        "".join(chr(0x4E00 + i * i % 97) for i in range(3_000)),
    ],
    ids=lambda text: repr(text[:12]),
)
def test_texts_made_to_be_hard_are_counted_as_plain_python_counts_them(text: str) -> None:
    check([text, text[1:], text[:-1]])


def ngram_texts() -> st.SearchStrategy[str]:
    """Phrases of 3 to 90 bytes drawn again and again, so that places share prefixes on both sides of every length looked at."""
    phrase = st.lists(
        st.sampled_from(["a", "bc", "def", "word", "longer", "é", "sixteenletterslo", "z" * 33]), min_size=2, max_size=9
    )
    return st.lists(phrase, min_size=1, max_size=5).flatmap(
        lambda phrases: st.lists(st.sampled_from(phrases), max_size=30).map(
            lambda drawn: " ".join(" ".join(p) for p in drawn)
        )
    )


@given(ngram_texts(), st.booleans())
def test_repeated_phrases_are_counted_however_their_words_are_parted(text: str, shuffled: bool) -> None:
    check([text + " " + text.replace("word", "wo rd") if shuffled else text])


FEW = ["a", "b", "c", "é", "zz", "d", "e", "f", "g", "h", "i", "ж", "j", "k", "l", "m", "n", "o", "p", "q"]


def texts_of_few_words() -> st.SearchStrategy[str]:
    """2,000 words and more of up to 20 different ones, drawn or in turn; in turn, all n-grams tie but for those at the end."""
    drawn = st.tuples(st.integers(1, len(FEW)), st.integers(0, 1 << 30)).map(
        lambda given: random.Random(given[1]).choices(FEW[: given[0]], k=2100)
    )
    in_turn = st.lists(st.sampled_from(FEW), min_size=1, max_size=20).map(lambda cycle: (cycle * 2100)[:2100])
    end = st.lists(st.sampled_from(FEW), max_size=30)
    return st.tuples(st.one_of(drawn, in_turn), end).map(lambda parts: " ".join(parts[0] + parts[1]))


@settings(max_examples=60)
@given(texts_of_few_words())
def test_texts_of_a_few_different_words_are_counted_as_plain_python_counts_them(text: str) -> None:
    check([text])


@pytest.mark.parametrize("words_of_text", [few_words.LEAST - 1, few_words.LEAST])
@pytest.mark.parametrize("different", [6, 7, 8, 9, 15, 16, 17, 18])  # 8^4 and 16^3 counts have room beside 2,048 words
def test_the_largest_tables_of_few_words_are_counted_as_plain_python_counts_them(
    different: int, words_of_text: int
) -> None:
    drawn = random.Random(different).choices(FEW[:different], k=words_of_text - different)
    check([" ".join(FEW[:different] + drawn)])


@pytest.mark.parametrize("different", [32, 33, few_words.MOST, few_words.MOST + 1])
def test_a_long_text_of_single_letters_has_the_top_n_grams_of_plain_python(different: int) -> None:
    letters = [chr(0xA1 + k) for k in range(different)]
    letters[:94] = [chr(33 + k) for k in range(min(94, different))]
    tokens = letters + random.Random(different).choices(letters, k=524_300 - different)
    row = features.measure(pa.array([" ".join(tokens)])).to_pylist()[0]
    assert [row[f"top_{n}_gram_characters"] for n in (2, 3, 4)] == [top(tokens, n) for n in (2, 3, 4)]


def test_of_few_words_a_4_gram_of_3_grams_that_are_there_twice_is_found() -> None:
    tokens = ["a", "a"]
    seen: set[tuple[str, ...]] = set()
    while len(tokens) < 2100:  # no 3-gram twice: always the last word that makes a new one (Martin 1934)
        tokens.append(next(word for word in reversed(FEW[:16]) if (*tokens[-2:], word) not in seen))
        seen.add(tuple(tokens[-3:]))
    check([" ".join(tokens), " ".join([*tokens, *tokens[1000:1004]])])


def test_of_few_words_the_most_frequent_n_gram_may_come_last() -> None:
    tokens = random.Random(1).choices(FEW[:6], k=2100)
    check([" ".join([*tokens, *["q", "zz", "é"] * 300])])


def test_ngrams_are_compared_without_separators_as_the_reference_does() -> None:
    row = features.measure(pa.array(["ab c d e f a bc d e f"])).to_pylist()[0]
    assert row["duplicated_5_gram_characters"] == 6
    assert row["top_2_gram_characters"] == 6  # "d e", twice


PINNED = [  # text; quality; repetition; FineWeb; Unicode words
    [
        0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0,
        1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ],
    [
        107, 71, 10, 2, 8, 26, 7, 32,
        24, 21, 78, 20, 5, 1, 1, 2, 1,
        3, 0, 0, 6, 1, 15, 14, 20, 30, 0, 0, 0, 0, 0, 0,
        5, 2, 4, 15, 7,
        24, 21, 78, 20, 14, 20, 30, 0, 0, 0, 0, 0, 0,
    ],
    [
        31, 26, 0, 0, 2, 3, 2, 16,
        4, 4, 28, 4, 1, 0, 0, 0, 0,
        1, 0, 0, 2, 0, 0, 19, 23, 31, 0, 0, 0, 0, 0, 0,
        2, 1, 2, 0, 1,
        23, 21, 26, 21, 6, 10, 14, 5, 6, 7, 0, 0, 0,
    ],
]  # fmt: skip


def test_values_of_known_texts_do_not_change() -> None:
    english = (
        "# The title\n\n- The first of two lines...\n- and the SECOND, with 42 words.\n\n" + "The end of that\n" * 2
    )
    chinese = "今天天气很好。今天天气很好。\nカタカナ and ภาษาไทย"
    rows = [list(row.values()) for row in features.measure(pa.array(["", english, chinese])).to_pylist()]
    assert rows == PINNED


def test_a_feature_has_one_name_and_the_columns_stand_in_their_order() -> None:
    measured = features.measure(pa.array(["a"]))
    assert tuple(measured.schema.names) == features.FEATURES
    assert len(set(features.FEATURES)) == len(features.FEATURES) == 50
    assert all(kind == pa.int64() for kind in measured.schema.types)


def test_scratch_for_more_items_is_never_smaller() -> None:
    for bits in (hashing.sketch_bits, hashing.table_bits):
        rooms = [bits(items) for items in [*range(1, 3000), *range(hashing.MANY - 9, 8 * hashing.MANY, 9973)]]
        assert rooms == sorted(rooms)
    assert all(1 << hashing.table_bits(items) > items for items in (1, 63, 64, hashing.MANY - 1, hashing.MANY, 10**8))


def test_no_texts_give_no_rows() -> None:
    assert features.measure(pa.array([], pa.string())).num_rows == 0


def test_a_null_text_is_refused() -> None:
    with pytest.raises(ValueError, match="1 of 2 texts are null"):
        features.measure(pa.array(["a", None]))


def test_texts_must_be_strings() -> None:
    with pytest.raises(TypeError, match="int64"):
        features.measure(pa.array([1]))


@pytest.mark.parametrize(
    "bad", [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\x80"]
)
def test_a_text_that_is_no_utf8_is_refused_by_its_row(bad: bytes) -> None:
    texts = view([b"good", b"too", b"x" + bad, b"end"])
    with pytest.raises(ValueError, match="text 2 of 4 is no valid UTF-8"):
        features.measure(texts)
    with pytest.raises(ValueError, match="text 1 of 2 is no valid UTF-8"):
        features.measure(texts.slice(1, 2))
    assert features.measure(texts.slice(0, 2)).num_rows == 2


def view(parts: list[bytes]) -> pa.StringArray:
    """A string array over any bytes, as a broken file may give it."""
    return pa.Array.from_buffers(pa.string(), len(parts), pa.array(parts, pa.binary()).buffers())


def test_an_offset_inside_a_code_point_is_refused() -> None:
    with pytest.raises(ValueError, match="text 0 of 2 is no valid UTF-8"):
        features.measure(view(["é".encode()[:1], "é".encode()[1:]]))
