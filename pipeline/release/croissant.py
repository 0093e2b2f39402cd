"""The release's croissant.json: a Croissant 1.0 description (mlcommons.org/croissant/1.0) that loads from where it lies.

1. Every Parquet file is a `cr:FileObject` with its SHA-256 and size; the paths are relative to croissant.json.
2. The files of a kind are a `cr:FileSet` by glob, and a record set reads them: `default` (the texts), `provenance` (row i says
   where row i of the texts came from), `dropped`, `clusters`, and `removed` after a takedown. A set names no digest, a file
   object is of no set: Croissant has no file set of file objects, so the files stand in the description twice.
3. A column is a field, a struct's or list's items its sub-fields, taken out of the column by JSONPath.
4. It names no citation and no date: none is known. Both are recommended, and a validator warns of them.

Version 1.0 and not 1.1, because readers of 1.1 open it, too. The property names and the context are those of the
specification, 1.0, appendix; the fields of responsible AI those of its RAI vocabulary, 1.0.
"""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipeline.release import languages
from pipeline.release.plain import license_url

if TYPE_CHECKING:
    from pipeline.release.documents import Facts

CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
PARQUET = "application/x-parquet"
TYPES = {"text": "sc:Text", "integer": "sc:Integer"}
# Of each kind of file: its record set, what it is, and the glob of its files.
RECORD_SETS = {
    "data": ("default", "The texts, one document a row.", "data/*/train-*.parquet"),
    "kept": (
        "provenance",
        "Where each text came from, how it was judged and what changed it: row i is of row i of the texts.",
        "provenance/*/kept-*.parquet",
    ),
    "dropped": (
        "dropped",
        "Every record that was read and is not among the texts, with the reason.",
        "provenance/*/dropped-*.parquet",
    ),
    "clusters": (
        "clusters",
        "Which duplicates each kept document stands for.",
        "provenance/*/clusters-*.parquet",
    ),
    "removed": (
        "removed",
        "What was taken out after publication: ids and hashes, no text.",
        "provenance/*/removed-*.parquet",
    ),
}


def croissant(facts: "Facts") -> bytes:
    """The description, as JSON-LD."""
    recipe = facts.recipe
    licenses = dict.fromkeys(source["license"] for source in facts.sources)
    kinds = [kind for kind in RECORD_SETS if kind in facts.columns]
    described = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": recipe["name"],
        "version": recipe["version"],
        "description": " ".join(recipe["description"].split()),
        "license": _one_or_all([license_url(expression) or expression for expression in licenses]),
        "inLanguage": _one_or_all(languages.of_corpus(facts.tally.languages)),
        "keywords": ["text", "language modeling", "provenance", "pellucid"],
        "isLiveDataset": False,
        **_responsible(facts),
        "distribution": [
            *(_file_object(file) for file in sorted(facts.files, key=lambda file: str(file["name"]))),
            *(_file_set(kind) for kind in kinds),
        ],
        "recordSet": [_record_set(kind, facts.columns[kind]) for kind in kinds],
    }
    described = {key: value for key, value in described.items() if value != []}
    return _encoded(described)


def with_files(description: bytes, files: Sequence[Mapping[str, Any]]) -> bytes:
    """A description with the sizes and digests of other files of the same names: what it would be for the same rows in other
    bytes (another pyarrow or codec), and nothing else changed.
    """
    described = json.loads(description)
    known = {file["name"]: file for file in files}
    for one in described["distribution"]:
        if one["@type"] == "cr:FileObject" and one["name"] in known:
            one.update(_file_object(known[one["name"]]))
    return _encoded(described)


def _encoded(described: Mapping[str, Any]) -> bytes:
    return (json.dumps(described, ensure_ascii=False, indent=1) + "\n").encode()


def _one_or_all(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values


def _responsible(facts: "Facts") -> dict[str, Any]:
    """Of the RAI vocabulary what holds of every release, and what this one's recipe says."""
    recipe = facts.recipe
    near = recipe["dedup"].get("near")
    steps = ["Text is extracted from each record of the artifacts by the format that the recipe gives to its source."]
    if any(source.get("repeated_lines") for source in recipe["sources"]):
        steps.append("Lines or paragraphs that stand in many documents of a source are removed from all of them.")
    if recipe.get("opt_out"):
        steps.append("Records that the recipe's opt-out lists name are kept out.")
    steps.append("Documents are judged by the recipe's rules; the provenance has each value with its bounds.")
    if recipe["dedup"].get("exact"):
        steps.append("Of documents with the same normalised text one is kept.")
    if near:
        steps.append(
            "A document is dropped as a near duplicate only of a kept one, at a verified Jaccard similarity of word "
            f"{near.get('words', 5)}-gram sets of {near['threshold']} or more."
        )
    return {
        "rai:dataCollection": "Immutable upstream files, named by Package URL or URL and pinned by SHA-256 in "
        "manifest.json. Every record that was read is a row of `provenance` or of `dropped`.",
        "rai:dataCollectionRawData": "The raw records are not in the release. Each row points to its record by artifact "
        "digest, member, offset and length.",
        "rai:dataPreprocessingProtocol": steps,
        "rai:dataLimitations": [
            "Language labels are a classifier's, not a person's.",
            "Licences are those that the recipe's author declared, with the digest of a licence file as evidence.",
        ],
        "rai:personalSensitiveInformation": "The texts were not searched for personal or sensitive data.",
        "rai:dataReleaseMaintenancePlan": "Documents can be taken out after publication; the next release then says which "
        "ids went, and `policies.takedown` of manifest.json from which release.",
    }


def _file_object(file: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": file["name"],
        "name": file["name"],
        "contentUrl": file["name"],
        "contentSize": f"{file['bytes']} B",
        "encodingFormat": PARQUET,
        "sha256": file["sha256"],
    }


def _file_set(kind: str) -> dict[str, Any]:
    name, _, glob = RECORD_SETS[kind]
    return {
        "@type": "cr:FileSet",
        "@id": f"{name}-files",
        "name": f"{name}-files",
        "encodingFormat": PARQUET,
        "includes": glob,
    }


def _record_set(kind: str, columns: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    name, what, _ = RECORD_SETS[kind]
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": what,
        "key": {"@id": f"{name}/id"},
        "field": [_field(name, column) for column in columns],
    }


def _field(record_set: str, column: Mapping[str, Any]) -> dict[str, Any]:
    name = column["name"]
    field: dict[str, Any] = {"@type": "cr:Field", "@id": f"{record_set}/{name}", "name": name}
    if column["many"]:
        field["repeated"] = True
    source = {"fileSet": {"@id": f"{record_set}-files"}, "extract": {"column": name}}
    if "fields" not in column:
        return {**field, "dataType": TYPES[column["type"]], "source": source}
    inner = [
        {
            "@type": "cr:Field",
            "@id": f"{field['@id']}/{part['name']}",
            "name": part["name"],
            "dataType": TYPES[part["type"]],
            "source": {**source, "transform": {"jsonPath": part["name"]}},
        }
        for part in column["fields"]
    ]
    return {**field, "subField": inner}
