"""Licence evidence: what the bytes of an artifact show, and what contradicts the licence that a recipe declares."""

import bz2
import hashlib
import io
import json
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import recipe
from pipeline.curate import license as licenses
from pipeline.curate import license_words
from pipeline.errors import SourceError

# Excerpts: the words by which a licence is known, not the whole of it.
MIT = """The MIT License (MIT)

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal in the Software without restriction.

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.
"""
ISC = """Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby
granted, provided that the above copyright notice and this permission notice appear in all copies."""
BSD_2 = """Redistribution and use in source and binary forms, with or without modification, are permitted provided that
the following conditions are met: * Redistributions of source code must retain the above copyright notice.
* Redistributions in binary form must reproduce the above copyright notice in the documentation."""
BSD_3 = (
    BSD_2 + "\n* Neither the name of its holder may be used to endorse or promote products derived from this software."
)
BSD_4 = BSD_2 + "\n* All advertising materials mentioning features or use of this software must display: ..."
GPL_2 = "GNU GENERAL PUBLIC LICENSE\n   Version 2, June 1991\n"
GPL_3 = "GNU GENERAL PUBLIC LICENSE\n   Version 3, 29 June 2007\n"
LGPL_21 = "GNU LESSER GENERAL PUBLIC LICENSE\n   Version 2.1, February 1999\n"
LATER = """it under the terms of the GNU General Public License as published by
the Free Software Foundation, either version 2 of the License, or (at your option) any later version."""
TEXTS = {
    "MIT": MIT,
    "ISC": ISC,
    "BSD-2-Clause": BSD_2,
    "BSD-3-Clause": BSD_3,
    "BSD-4-Clause": BSD_4,
    "Apache-2.0": "Apache License\nVersion 2.0, January 2004",
    "MPL-2.0": "Mozilla Public License Version 2.0\n====",
    "PSF-2.0": "1. This LICENSE AGREEMENT is between the Python Software Foundation ... hereby grants Licensee a nonexclusive, "
    "royalty-free, world-wide license to reproduce, analyze, test, perform and/or display publicly",
    "ZPL-2.1": "Zope Public License (ZPL) Version 2.1",
    "Unlicense": "This is free and unencumbered software released into the public domain.",
    "CC0-1.0": "CC0 1.0 Universal",
    "CC-BY-4.0": "Creative Commons Attribution 4.0 International",
    "CC-BY-SA-3.0": "Creative Commons Attribution-ShareAlike 3.0 Unported",
    "CC-BY-SA-4.0": "<https://creativecommons.org/licenses/by-sa/4.0/>",
    "CC-BY-NC-SA-3.0-US": "Creative Commons\nAttribution-Noncommercial-Share Alike 3.0 United States License",
    "CC-BY-ND-2.0": "licensed under CC BY-ND 2.0",
    "GPL-2.0-only": "licensed under the terms of the GNU GPL, version 2.",
    "LGPL-3.0-only": "GNU Lesser General Public License version 3",
    "GFDL-1.2-only": "GNU Free Documentation License, Version 1.2.",
    "Artistic-2.0": "The Artistic License 2.0",
    "Zlib": "In no event will the authors be held liable for any damages ... "
    "Altered source versions must be plainly marked as such",
    "BSL-1.0": "Boost Software License - Version 1.0",
    license_words.PUBLIC_DOMAIN: "The texts are in the public domain.",
    license_words.US_GOVERNMENT: "a JSON extraction of the [CIA World Factbook](https://example.org/)",
}


@pytest.mark.parametrize("license_id", TEXTS)
def test_a_licence_is_known_by_its_own_words_and_by_them_alone(license_id: str) -> None:
    others = {license_words.PUBLIC_DOMAIN} if license_id == "Unlicense" else set()  # its own text says "public domain"
    assert license_words.shown(TEXTS[license_id].encode()) - others == {license_id}


@pytest.mark.parametrize(("text", "stem"), [(GPL_2, "GPL-2.0"), (GPL_3, "GPL-3.0"), (LGPL_21, "LGPL-2.1")])
def test_the_whole_text_of_a_gnu_licence_serves_only_and_or_later_alike(text: str, stem: str) -> None:
    assert license_words.shown(text.encode()) == {f"{stem}-only", f"{stem}-or-later"}


def test_a_notice_of_any_later_version_shows_or_later_and_one_without_shows_only() -> None:
    assert license_words.shown(LATER.encode()) == {"GPL-2.0-only", "GPL-2.0-or-later"}
    assert license_words.shown(LATER.split(", or (at")[0].encode()) == {"GPL-2.0-only"}


@given(st.sampled_from(sorted(TEXTS)), st.data())
def test_a_licence_is_known_however_its_lines_are_broken_and_marked_as_comment(name: str, data: st.DataObject) -> None:
    words = TEXTS[name].split()
    gaps = data.draw(
        st.lists(st.sampled_from([" ", "\n", "\n# ", "\r\n * ", "  "]), min_size=len(words), max_size=len(words))
    )
    assert name in license_words.shown("".join(gap + word for gap, word in zip(gaps, words, strict=True)).encode())


@given(st.binary(max_size=400), st.sampled_from([b"", b"BZh9", b"<mediawiki", b"Format: x\n\nFiles: *\nLicense: "]))
def test_no_bytes_make_the_search_for_licences_raise(data: bytes, start: bytes) -> None:
    assert isinstance(license_words.shown(start + data), frozenset)


def test_one_file_with_two_bsd_texts_shows_both() -> None:
    assert license_words.shown(f"{BSD_2}\n\n{BSD_3}".encode()) == {"BSD-2-Clause", "BSD-3-Clause"}


def test_an_spdx_tag_in_a_file_is_read() -> None:
    assert license_words.shown(b"# SPDX-License-Identifier: OFL-1.1\n") == {"OFL-1.1"}


DEP5 = """Format: https://example.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: handbook

Files: *
Copyright: somebody
License: GPL-2+ or CC-BY-SA-3.0

Files: style/*.css
Copyright: somebody else
License: Expat

License: Expat
 Permission is hereby granted, free of charge, ...
"""


def test_a_debian_copyright_file_shows_the_licence_of_all_files_and_not_that_of_a_style_sheet() -> None:
    assert license_words.shown(DEP5.encode()) == {"GPL-2.0-only", "GPL-2.0-or-later", "CC-BY-SA-3.0"}


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("GPL-2", {"GPL-2.0-only"}),
        ("GPL-2.0+", {"GPL-2.0-only", "GPL-2.0-or-later"}),
        ("LGPL-2.1+", {"LGPL-2.1-only", "LGPL-2.1-or-later"}),
        ("GFDL-NIV-1.3+", {"GFDL-1.3-no-invariants-only", "GFDL-1.3-no-invariants-or-later"}),
        ("Expat", {"MIT"}),
        ("MPL-2.0", {"MPL-2.0"}),
        ("public-domain", {license_words.PUBLIC_DOMAIN}),
        ("Beer-and-wine", set()),
    ],
)
def test_debians_short_names_are_understood(name: str, ids: set[str]) -> None:
    assert license_words.shown(f"Format: x\n\nFiles: *\nCopyright: y\nLicense: {name}\n".encode()) == ids


def test_the_licence_text_that_a_debian_short_name_stands_for_counts() -> None:
    text = f"Format: x\n\nFiles: *\nLicense: GPL-2\n\nLicense: GPL-2\n {LATER.replace(chr(10), chr(10) + ' ')}\n"
    assert "GPL-2.0-or-later" in license_words.shown(text.encode())


def dump(newest: str = "2016-05-01", base: str = "https://en.wikipedia.org/wiki/Main_Page") -> bytes:
    pages = "".join(
        f"<page><revision><timestamp>{day}T00:00:00Z</timestamp></revision></page>" for day in ("2010-01-01", newest)
    )
    return f"<mediawiki><siteinfo><base>{base}</base></siteinfo>{pages}</mediawiki>".encode()


def test_a_wikipedia_dump_shows_the_licence_of_the_time_of_its_newest_revision() -> None:
    assert "CC-BY-SA-3.0" in license_words.shown(dump("2023-06-06"))
    assert license_words.shown(bz2.compress(dump("2023-06-07"))) >= {"CC-BY-SA-4.0"}
    assert "CC-BY-SA-4.0" not in license_words.shown(bz2.compress(dump("2023-06-06")))


def test_the_dump_of_another_wiki_shows_no_licence() -> None:
    assert license_words.shown(dump(base="https://wiki.example.org/wiki/Main")) == frozenset()
    assert license_words.shown(dump(base="https://example.org/en.wikipedia.org/")) == frozenset()


def test_a_truncated_or_broken_dump_shows_no_licence() -> None:
    assert license_words.shown(b"BZh9" + b"no bzip2") == frozenset()


# ---------------------------------------------------------------- whole artifacts


def wheel(files: dict[str, bytes | str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def sdist(files: dict[str, bytes | str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in files.items():
            content = data.encode() if isinstance(data, str) else data
            info = tarfile.TarInfo(f"p-1/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def metadata(*lines: str, body: str = "A package.\n") -> str:
    return "\n".join(["Metadata-Version: 2.4", "Name: p", "Version: 1", *lines, "", body])


def check(
    tmp_path: Path, artifact: bytes, license_expression: str, evidence: str | list[str] = "*/LICENSE", **more: object
) -> tuple[str, ...]:
    """The evidence's members, in order, each proved to have the digest that is stated."""
    path = tmp_path / "artifact"
    path.write_bytes(artifact)
    spec = recipe.SourceSpec.model_validate(
        {
            "name": "docs",
            "from": {"kind": "local", "paths": ["artifact"]},
            "members": "*/docs/**",
            "format": "text",
            "license": license_expression,
            "evidence": evidence,
            **more,
        }
    )
    return tuple(found.member for found in licenses.check(path, "p-1.tar.gz", spec))


def refused(
    tmp_path: Path, artifact: bytes, license_expression: str, evidence: str | list[str] = "*/LICENSE", **more: object
) -> str:
    with pytest.raises(SourceError) as caught:
        check(tmp_path, artifact, license_expression, evidence, **more)
    error = caught.value
    assert error.exit_code == 3
    assert error.wanted and error.hint and "p-1.tar.gz" in error.where and "docs" in error.where
    return str(error)


DOC = {"docs/index.rst": "Hello."}


def test_the_evidence_is_the_licence_file_with_the_sha256_of_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "artifact"
    path.write_bytes(sdist({"LICENSE": MIT, **DOC}))
    spec = recipe.SourceSpec.model_validate(
        {
            "name": "docs",
            "from": {"kind": "local", "paths": ["a"]},
            "format": "text",
            "license": "MIT",
            "evidence": "*/LICENSE",
        }
    )
    (found,) = licenses.check(path, "p-1.tar.gz", spec)
    assert (found.member, found.sha256) == ("p-1/LICENSE", hashlib.sha256(MIT.encode()).hexdigest())


def test_evidence_is_found_in_wheels_too(tmp_path: Path) -> None:
    artifact = wheel({"p-1.dist-info/licenses/LICENSE": MIT, "p/docs/a.txt": "Hello."})
    assert check(tmp_path, artifact, "MIT", "*.dist-info/licenses/*") == ("p-1.dist-info/licenses/LICENSE",)


def test_an_artifact_without_evidence_is_refused_and_its_licence_files_are_named(tmp_path: Path) -> None:
    message = refused(tmp_path, sdist({"COPYING": MIT, **DOC}), "MIT")
    assert "'*/LICENSE'" in message and "p-1/COPYING" in message


def test_each_evidence_glob_must_match(tmp_path: Path) -> None:
    message = refused(tmp_path, sdist({"LICENSE": MIT, **DOC}), "MIT", ["*/LICENSE", "*/NOTICE"])
    assert "'*/NOTICE'" in message


def linked_license() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        info = tarfile.TarInfo("p-1/LICENSE")
        info.type, info.linkname = tarfile.SYMTYPE, "../../etc/passwd"
        archive.addfile(info)
    return buffer.getvalue()


def test_a_link_is_no_evidence(tmp_path: Path) -> None:
    assert "no file matches" in refused(tmp_path, linked_license(), "MIT")


def test_evidence_of_another_licence_is_refused_and_both_are_named(tmp_path: Path) -> None:
    message = refused(tmp_path, sdist({"LICENSE": GPL_3, **DOC}), "MIT")
    assert "does not show MIT" in message and "GPL-3.0-only" in message and "p-1/LICENSE" in message


def test_an_evidence_file_without_any_licence_is_refused(tmp_path: Path) -> None:
    assert "no known licence" in refused(tmp_path, sdist({"LICENSE": "See the web site.", **DOC}), "MIT")


def test_every_licence_of_an_and_must_be_shown(tmp_path: Path) -> None:
    assert check(tmp_path, sdist({"LICENSE": MIT + ISC, **DOC}), "MIT AND ISC") == ("p-1/LICENSE",)
    assert "does not show ISC" in refused(tmp_path, sdist({"LICENSE": MIT, **DOC}), "MIT AND ISC")


def test_one_licence_of_an_or_is_enough_and_none_is_not(tmp_path: Path) -> None:
    assert check(tmp_path, sdist({"LICENSE": MIT, **DOC}), "ISC OR MIT") == ("p-1/LICENSE",)
    assert "ISC or MPL-2.0" in refused(tmp_path, sdist({"LICENSE": MIT, **DOC}), "ISC OR MPL-2.0")


def test_an_or_of_ands_is_asked_as_it_stands(tmp_path: Path) -> None:
    both = "(MIT AND ISC) OR MPL-2.0"
    assert "ISC" in refused(tmp_path, sdist({"LICENSE": MIT, **DOC}), both)
    assert check(tmp_path, sdist({"LICENSE": MIT + ISC, **DOC}), both) == ("p-1/LICENSE",)


def test_an_exception_must_be_shown_beside_its_licence(tmp_path: Path) -> None:
    declared = "GPL-2.0-or-later WITH Classpath-exception-2.0"
    assert "Classpath-exception-2.0" in refused(tmp_path, sdist({"LICENSE": LATER, **DOC}), declared)
    text = LATER + "\nwith Classpath-exception-2.0"
    assert check(tmp_path, sdist({"LICENSE": text, **DOC}), declared) == ("p-1/LICENSE",)


def test_an_spdx_id_that_is_also_a_word_counts_only_beside_the_word_license(tmp_path: Path) -> None:
    assert check(tmp_path, sdist({"LICENSE": "## License\n\nMIT", **DOC}), "MIT")
    assert "does not show MIT" in refused(tmp_path, sdist({"LICENSE": "Written at MIT in Cambridge.", **DOC}), "MIT")
    assert "does not show Ruby" in refused(tmp_path, sdist({"LICENSE": "Runs on Ruby.", **DOC}), "Ruby")


def test_an_spdx_id_is_not_found_inside_a_longer_one(tmp_path: Path) -> None:
    assert "does not show EPL-1.0" in refused(
        tmp_path, sdist({"LICENSE": "X-EPL-1.0, EPL-1.0.1 and EPL-1.0-x", **DOC}), "EPL-1.0"
    )
    assert check(tmp_path, sdist({"LICENSE": "This is under EPL-1.0.", **DOC}), "EPL-1.0")


def test_an_own_licence_needs_a_file_of_its_own_words(tmp_path: Path) -> None:
    own = sdist({"LICENSE": "You may do with it what you want.", **DOC})
    assert check(tmp_path, own, "LicenseRef-theirs") == ("p-1/LICENSE",)
    assert "LicenseRef-theirs" in refused(tmp_path, sdist({"LICENSE": MIT, **DOC}), "LicenseRef-theirs")
    assert "LicenseRef-theirs" in refused(tmp_path, sdist({"LICENSE": " \n", **DOC}), "LicenseRef-theirs")


def test_the_public_domain_must_be_said(tmp_path: Path) -> None:
    own = sdist({"LICENSE": "You may do with it what you want.", **DOC})
    assert "public-domain" in refused(tmp_path, own, license_words.PUBLIC_DOMAIN)


def test_fields_of_metadata_are_no_evidence(tmp_path: Path) -> None:
    artifact = sdist(
        {"PKG-INFO": metadata("License: MIT", "Classifier: License :: OSI Approved :: MIT License"), **DOC}
    )
    assert "does not show MIT" in refused(tmp_path, artifact, "MIT", "*/PKG-INFO")
    npm = wheel({"package/package.json": json.dumps({"license": "MIT"}), "package/docs/a": "x"})
    assert "does not show MIT" in refused(tmp_path, npm, "MIT", "package/package.json")


def test_the_readme_in_metadata_is_evidence_as_any_readme_is(tmp_path: Path) -> None:
    artifact = sdist({"PKG-INFO": metadata(body="# p\n\n## License\n\nMIT\n"), **DOC})
    assert check(tmp_path, artifact, "MIT", "*/PKG-INFO") == ("p-1/PKG-INFO",)


@pytest.mark.parametrize(
    "line",
    [
        "License-Expression: GPL-3.0-or-later",
        "License: GNU General Public License v3",
        "License: Apache 2",
        "Classifier: License :: OSI Approved :: BSD License",
        "License-Expression: LicenseRef-Proprietary",
    ],
)
def test_metadata_that_name_only_another_licence_contradict(tmp_path: Path, line: str) -> None:
    artifact = sdist({"LICENSE": MIT, "PKG-INFO": metadata(line), **DOC})
    assert "names another licence: " + line.split(": ")[1] in refused(tmp_path, artifact, "MIT")


@pytest.mark.parametrize(
    "line",
    [
        "License-Expression: MIT AND BSD-3-Clause",
        "License: The MIT License",
        "License: Copyright by many people",  # names nothing that can be compared
        "Classifier: License :: OSI Approved :: MIT License",
        "License: " + GPL_3.replace("\n", " ") * 5,  # a whole text is no name
    ],
)
def test_metadata_that_agree_or_say_nothing_do_not_contradict(tmp_path: Path, line: str) -> None:
    assert check(tmp_path, sdist({"LICENSE": MIT, "PKG-INFO": metadata(line), **DOC}), "MIT") == ("p-1/LICENSE",)


def test_a_license_expression_is_compared_to_the_version_and_its_or_later(tmp_path: Path) -> None:
    artifact = sdist({"LICENSE": GPL_3, "PKG-INFO": metadata("License-Expression: GPL-3.0-only"), **DOC})
    assert check(tmp_path, artifact, "GPL-3.0-only")
    assert "names another licence" in refused(tmp_path, artifact, "GPL-3.0-or-later")


@pytest.mark.parametrize("field", ["UNLICENSED", {"type": "GPL-3.0"}, "ISC"])
def test_an_npm_package_that_names_another_licence_contradicts(tmp_path: Path, field: object) -> None:
    npm = wheel({"package/LICENSE": MIT, "package/package.json": json.dumps({"license": field}), "package/docs/a": "x"})
    assert "package/package.json names another licence" in refused(tmp_path, npm, "MIT", "package/LICENSE")


def test_a_statement_among_the_records_outranks_the_metadata_of_the_software(tmp_path: Path) -> None:
    files = {"LICENSE": BSD_3, "PKG-INFO": metadata("License-Expression: BSD-3-Clause"), **DOC}
    stated = {**files, "docs/copyright.rst": "These pages: Creative Commons Attribution-ShareAlike 4.0 International"}
    assert check(tmp_path, sdist(stated), "CC-BY-SA-4.0", "*/docs/copyright.rst") == ("p-1/docs/copyright.rst",)


def test_documentation_under_another_licence_than_the_software_is_refused(tmp_path: Path) -> None:
    files = {"LICENSE": BSD_3, "docs/copyright.rst": TEXTS["CC-BY-NC-SA-3.0-US"], **DOC}
    message = refused(tmp_path, sdist(files), "BSD-3-Clause")
    assert "lies under another licence: CC-BY-NC-SA-3.0-US (p-1/docs/copyright.rst)" in message


def test_a_vendored_folder_with_its_own_licence_is_refused_until_it_is_excluded(tmp_path: Path) -> None:
    files = {"LICENSE": MIT, "docs/vendor/LICENSE.txt": GPL_3, "docs/vendor/deep/a.rst": "x", **DOC}
    assert "p-1/docs/vendor" in refused(tmp_path, sdist(files), "MIT")
    assert check(tmp_path, sdist(files), "MIT", exclude="*/docs/vendor/**") == ("p-1/LICENSE",)


def test_licence_files_beside_the_records_path_do_not_matter(tmp_path: Path) -> None:
    files = {"LICENSE": MIT, "src/vendor/LICENSE": GPL_3, "docs/license.py": GPL_3, **DOC}
    assert check(tmp_path, sdist(files), "MIT") == ("p-1/LICENSE",)


def test_of_several_licence_files_in_one_folder_one_that_agrees_is_enough(tmp_path: Path) -> None:
    assert check(tmp_path, sdist({"LICENSE": MIT, "COPYING": GPL_3, **DOC}), "MIT") == ("p-1/LICENSE",)


def test_a_dump_is_evidence_for_its_own_text_whatever_the_package_says(tmp_path: Path) -> None:
    files = {"LICENSE": MIT, "PKG-INFO": metadata("License: MIT"), "docs/wiki.xml.bz2": bz2.compress(dump())}
    more = {"format": "wikitext"}
    assert check(tmp_path, sdist(files), "CC-BY-SA-3.0", "*/docs/wiki.xml.bz2", **more) == ("p-1/docs/wiki.xml.bz2",)
    assert "does not show CC-BY-SA-4.0" in refused(
        tmp_path, sdist(files), "CC-BY-SA-4.0", "*/docs/wiki.xml.bz2", **more
    )


def test_the_licence_of_a_package_does_not_cover_a_wikipedia_dump_inside_it(tmp_path: Path) -> None:
    files = {"LICENSE": MIT, "docs/wiki.xml.bz2": bz2.compress(dump())}
    assert "lies under another licence: CC-BY-SA-3.0" in refused(tmp_path, sdist(files), "MIT", format="wikitext")


def test_an_artifact_that_is_no_archive_can_be_its_own_evidence(tmp_path: Path) -> None:
    assert check(tmp_path, bz2.compress(dump()), "CC-BY-SA-3.0", "p-1.tar.gz", format="wikitext") == ("p-1.tar.gz",)


@pytest.mark.parametrize(
    "sentence",
    [
        "But please don't commercially republish them.",
        "For research purposes only.",
        "The data may not be used for commercial ends.",
        "Only for non-commercial use.",
        "You must not redistribute the corpus.",
    ],
)
def test_a_readme_that_forbids_use_or_passing_on_contradicts(tmp_path: Path, sentence: str) -> None:
    files = {"LICENSE": MIT, "README.md": f"# Corpus\n\n{sentence}\n", **DOC}
    assert "p-1/README.md says" in refused(tmp_path, sdist(files), "MIT")
    described = {"LICENSE": MIT, "PKG-INFO": metadata(body=sentence), **DOC}
    assert "p-1/PKG-INFO says" in refused(tmp_path, sdist(described), "MIT")


def test_a_licence_that_is_itself_non_commercial_may_say_so(tmp_path: Path) -> None:
    text = "Creative Commons Attribution-NonCommercial 4.0 International"
    files = {"LICENSE": text, "README": "For non-commercial use only.", **DOC}
    assert check(tmp_path, sdist(files), "CC-BY-NC-4.0") == ("p-1/LICENSE",)


@pytest.mark.parametrize("name", ["research", "commerce", "redistribution"])
def test_a_readme_that_only_speaks_of_such_things_does_not_contradict(tmp_path: Path, name: str) -> None:
    readme = f"A library for {name}: used for research and in commercial products; redistribution is permitted."
    assert check(tmp_path, sdist({"LICENSE": MIT, "README": readme, **DOC}), "MIT") == ("p-1/LICENSE",)


def truncated_sdist() -> bytes:
    return sdist({"LICENSE": MIT * 50, "docs/a": bytes(range(256)) * 400})[:-200]


def test_a_truncated_artifact_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"p-1\.tar\.gz: cannot be read to its end"):
        check(tmp_path, truncated_sdist(), "MIT")


def test_an_evidence_file_above_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(licenses, "LIMIT", 100)
    with pytest.raises(SourceError, match="larger than"):
        check(tmp_path, sdist({"LICENSE": MIT, **DOC}), "MIT")


RECIPES = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_shipped_recipe_is_valid_and_pins_what_can_be_pinned(path: Path) -> None:
    found = recipe.load(path)
    assert found.name == path.stem
    for source in found.sources:
        if source.from_.kind == "pypi":
            assert all("==" in package for package in source.from_.packages)


def test_the_three_shipped_recipes_are_there() -> None:
    assert {path.stem for path in RECIPES} >= {"sample", "workstation", "multilingual"}


def test_every_key_of_a_recipe_is_explained_in_the_documentation() -> None:
    page = (Path(__file__).parents[2] / "docs" / "recipes.md").read_text(encoding="utf-8")
    models = [value for value in vars(recipe).values() if isinstance(value, type) and issubclass(value, recipe.Strict)]
    keys = {field.alias or name for model in models for name, field in model.model_fields.items()}
    assert len(keys) > 30
    assert {key for key in keys if f"`{key}`" not in page} == set()


def test_the_example_in_the_documentation_is_a_valid_recipe() -> None:
    page = (Path(__file__).parents[2] / "docs" / "recipes.md").read_text(encoding="utf-8")
    assert recipe.parse(page.split("```yaml\n")[1].split("```")[0].encode(), "recipes.md").name == "small"


def test_every_source_of_the_shipped_recipes_is_accounted_for_in_the_documentation() -> None:
    page = (Path(__file__).parents[2] / "docs" / "sources.md").read_text(encoding="utf-8")
    for path in RECIPES:
        table = page.split(f"\n## {path.stem}: ")[1].split("\n## ")[0]
        rows = {line.split("|")[1].split("(")[0].strip() for line in table.splitlines() if line.startswith("| ")}
        assert {source.name for source in recipe.load(path).sources} == rows - {"source"}
