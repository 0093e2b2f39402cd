"""The documents of a release: what tools read of them, and that they say what the rows say."""

import json
import re
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from pipeline import reproduce
from pipeline.release import card, documents, languages, plain, summary, survey, tally
from pipeline.trust.verify import verify
from tests.trust import small_release as small


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small release with the documents that a build would give it; nobody writes to it."""
    return small.with_documents(small.write(tmp_path_factory.mktemp("documents"), small.corpus()))


def front(release: Path) -> dict:
    _, matter, _ = (release / "README.md").read_text().split("---\n", 2)
    return yaml.safe_load(matter)


def test_a_release_with_its_documents_verifies(release: Path) -> None:
    assert verify(release, small.TRUSTED).failures == ()


# ---------------------------------------------------------------- Croissant


def test_croissant_names_every_parquet_file_with_its_digest(release: Path) -> None:
    described = json.loads((release / "croissant.json").read_bytes())
    objects = {
        one["contentUrl"]: (one["sha256"], one["contentSize"])
        for one in described["distribution"]
        if one["@type"] == "cr:FileObject"
    }
    files = json.loads((release / "manifest.json").read_bytes())["predicate"]["files"]
    assert objects == {
        file["name"]: (file["sha256"], f"{file['bytes']} B") for file in files if file["name"].endswith(".parquet")
    }


def test_every_column_of_every_file_is_a_field_of_croissant(release: Path) -> None:
    described = json.loads((release / "croissant.json").read_bytes())
    for one in described["recordSet"]:
        (files,) = [part for part in described["distribution"] if part["@id"] == f"{one['@id']}-files"]
        for path in release.glob(files["includes"]):
            assert [field["name"] for field in one["field"]] == pq.read_schema(path).names


# ---------------------------------------------------------------- card


@pytest.mark.parametrize(
    ("configuration", "kind"),
    [(None, "data"), ("provenance", "kept"), ("dropped", "dropped"), ("clusters", "clusters")],
)
def test_each_configuration_of_the_card_loads_with_datasets(
    release: Path, tmp_path: Path, configuration: str | None, kind: str
) -> None:
    from datasets import load_dataset

    loaded = load_dataset(str(release), configuration, split="train", cache_dir=str(tmp_path))
    files = json.loads((release / "manifest.json").read_bytes())["predicate"]["files"]
    assert loaded.num_rows == sum(file["rows"] for file in files if file["kind"] == kind)


def test_the_front_matter_is_a_dataset_card_of_the_hub(release: Path) -> None:
    from huggingface_hub import DatasetCard

    loaded = DatasetCard.load(release / "README.md")
    assert loaded.data.license == ["bsd-3-clause", "cc-by-sa-4.0"]
    assert loaded.data.language == ["en"]
    assert loaded.data.size_categories == ["n<1K"]
    assert [one["config_name"] for one in loaded.data.configs] == ["default", "provenance", "dropped", "clusters"]
    assert not any(key.startswith("extra_gated") for key in front(release))


@pytest.mark.parametrize(
    ("expressions", "wanted"),
    [
        (["MIT"], {"license": "mit"}),
        (["MIT", "MIT", "GPL-3.0-or-later"], {"license": ["mit", "gpl-3.0"]}),
        (["0BSD"], {"license": "other", "license_name": "0BSD", "license_link": "https://spdx.org/licenses/0BSD.html"}),
        (
            ["LicenseRef-x AND MIT"],
            {
                "license": "other",
                "license_name": "LicenseRef-x AND MIT",
                "license_link": "https://spdx.org/licenses/",
            },
        ),
        (
            ["MIT", "0BSD"],
            {"license": "other", "license_name": "several", "license_link": "https://spdx.org/licenses/"},
        ),
    ],
)
def test_the_licence_is_the_hubs_own_where_it_has_one_for_all(expressions: list[str], wanted: dict) -> None:
    assert card._license(expressions) == wanted


def test_only_codes_of_iso_639_are_languages_of_the_card() -> None:
    labels = {"en": 5_000, "als": 50, "sh": 30, "und": 900, "zh-cn": 100, "EN": 90, "eo": 6, "xx\n": 70}
    assert languages.of_corpus(labels) == ["en", "gsw", "hbs"]
    assert languages.of_corpus({}) == []


def of_tally(release: Path, counted: tally.Tally) -> dict[str, bytes]:
    """The documents of the release if its rows had these languages and publishers."""
    stated = json.loads((release / "manifest.json").read_bytes())["predicate"]
    shards = [file for file in stated["files"] if file["rows"] is not None]
    described = {file["kind"]: survey.columns(pq.read_schema(release / file["name"])) for file in shards}
    parts = (stated[key] for key in ("recipe", "totals", "sources"))
    return documents.documents(documents.Facts(*parts, shards, [], described, counted))


def test_labels_that_are_no_code_are_in_no_list_of_languages_but_in_the_summary(release: Path) -> None:
    made = of_tally(release, tally.Tally({"en": 20, "als": 2, "und": 16}, {}))
    matter = yaml.safe_load(made["README.md"].decode().split("---\n", 2)[1])
    assert matter["language"] == json.loads(made["croissant.json"])["inLanguage"] == ["en", "gsw"]
    assert b"en 52.6 %, und 42.1 %, als 5.3 %" in made["SUMMARY.md"]
    none = of_tally(release, tally.Tally({"und": 38}, {}))
    assert b"language:" not in none["README.md"].split(b"---\n", 2)[1]
    assert "inLanguage" not in json.loads(none["croissant.json"])


def test_hostile_domain_names_stand_in_one_cell_of_the_summary(release: Path) -> None:
    made = of_tally(release, tally.Tally({"en": 1}, {"a|b`<i>\n# x.example": 700, "pkg:pypi/a": 10**6}))
    text = made["SUMMARY.md"].decode()
    assert "| `a%7Cb%60%3Ci%3E%0A%23%20x.example` | 700 |" in text
    assert "under 1 domain names (hosts), with 700 bytes of text" in text


def test_the_funnel_ends_at_the_documents_that_are_kept(release: Path) -> None:
    text = (release / "README.md").read_text()
    kept = sum(len(fates["kept"]) for fates in small.corpus().values())
    rows = re.findall(r"^\| (\w+): [^|]*\| ([\d,]+) \| ([\d,]+) \|", text, re.MULTILINE)
    assert [stage for stage, _, _ in rows] == ["read", "extract", "judge", "dedup"]
    assert int(rows[-1][2]) == kept
    assert text.index("## From records to documents") < text.index("## Why records were dropped")


# ---------------------------------------------------------------- summary


def test_the_summary_has_the_sections_of_the_template_in_their_order(release: Path) -> None:
    headings = re.findall(r"^#{2,3} ([\d.]+) ", (release / "SUMMARY.md").read_text(), re.MULTILINE)
    assert headings == ["1.", "2.", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6", "3.", "3.1", "3.2", "3.3"]


@pytest.mark.parametrize(
    ("size", "wanted"),
    [
        (0, "less than 1 billion"), (4 * 10**9 - 1, "less than 1 billion"), (4 * 10**9, "1 billion to 10 trillion"),
        (4 * 10**13 - 1, "1 billion to 10 trillion"), (4 * 10**13, "more than 10 trillion"),
    ],
)  # fmt: skip
def test_the_range_of_sizes_is_the_templates(size: int, wanted: str) -> None:
    assert summary.band(size).startswith(wanted)


def test_the_top_tenth_of_the_domains_is_by_bytes_of_text_and_packages_are_none() -> None:
    publishers = {f"{number}.example": number for number in range(1, 32)} | {"pkg:pypi/a": 10**9, "": 5}
    listed, every = summary.top(publishers)
    assert every == 31
    assert listed == [("31.example", 31), ("30.example", 30), ("29.example", 29), ("28.example", 28)]
    assert [summary.small(count) for count in (0, 1, 20, 21, 19_999, 20_000, 10**6)] == [
        0,
        1,
        1,
        2,
        1_000,
        1_000,
        1_000,
    ]
    assert len(summary.top({f"{number}.example": 1 for number in range(20_000)})[0]) == summary.LISTED


def test_texts_are_counted_under_the_host_of_their_url_in_its_one_spelling() -> None:
    urls = [
        "https://Example.org/a", "http://example.org:80/b?c", "HTTPS://example.ORG", "https://www.example.org/",
        "https://user@b.example/x", "pkg:pypi/a@1.0?file_name=x#y", "pkg:pypi/a@2.0", "mailto:nobody", "https://[::1]/x",
    ]  # fmt: skip
    kept = pa.table({"url": urls, "text_bytes": range(1, 10), "language": ["en"] * 8 + ["de"]})
    found = survey.of_rows(kept)
    assert found.publishers == {
        "example.org": 6, "www.example.org": 4, "b.example": 5, "pkg:pypi/a": 13, "": 8, "::1": 9,
    }  # fmt: skip
    assert found.languages == {"en": 8, "de": 1}
    assert tally.together([found, found]).publishers["pkg:pypi/a"] == 26


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("example.org", "`example.org`"), ("a`<b>|c", "`a%60%3Cb%3E%7Cc`"), ("bücher.example", "`bücher.example`"),
        ("a\u202eb", "`a%E2%80%AEb`"), ("a\nb", "`a%0Ab`"), ("pkg:pypi/a@1%2B2", "`pkg:pypi/a@1%2B2`"),
    ],
)  # fmt: skip
def test_a_name_that_somebody_else_chose_is_only_a_name_in_markdown(name: str, shown: str) -> None:
    assert plain.code(name) == shown


def test_shares_are_rounded_from_integers_and_something_is_never_nothing() -> None:
    assert [plain.share(*pair) for pair in ((0, 5), (5, 0), (1, 10_000), (1, 3), (2, 3), (1, 1), (1, 2_000))] == [
        "0 %", "0 %", "< 0.1 %", "33.3 %", "66.7 %", "100.0 %", "0.1 %",
    ]  # fmt: skip


def test_no_document_names_the_release_id_a_host_or_a_time(release: Path) -> None:
    from hashlib import sha256

    identifier = sha256((release / "manifest.json").read_bytes()).hexdigest()
    for name in small.DOCUMENTS:
        text = (release / name).read_text()
        assert identifier not in text
        assert str(release) not in text
        assert not re.search(r"\b20\d\d-\d\d-\d\dT", text)


# ---------------------------------------------------------------- the same rows in other bytes


def rewritten(release: Path, to: Path) -> Path:
    """A copy in which the first file of texts has another codec."""
    shutil.copytree(release, to)
    path = next(iter(sorted((to / "data").rglob("*.parquet"))))
    pq.write_table(pq.read_table(path), path, compression="snappy", store_schema=False)
    return small.with_documents(to)


def levels(published: Path, built: Path) -> dict[str, str]:
    stated = json.loads((published / "manifest.json").read_bytes())["predicate"]
    found = reproduce.compare(stated["files"], stated["environment"], built, None)
    return {one.name: one.level for one in found if one.level != "L0"}


def test_a_rebuild_with_another_codec_has_the_same_croissant_but_for_the_digests(release: Path, tmp_path: Path) -> None:
    built = rewritten(release, tmp_path / "built")
    first = "data/manual/train-00000-of-00002.parquet"
    assert levels(release, built) == {first: "L1", "croissant.json": "L1"}
    other = json.loads((built / "croissant.json").read_bytes())
    (built / "croissant.json").write_text(json.dumps({**other, "license": "MIT"}, ensure_ascii=False, indent=1) + "\n")
    small.hash_again(built)
    assert levels(release, built) == {first: "L1", "croissant.json": "differs"}
