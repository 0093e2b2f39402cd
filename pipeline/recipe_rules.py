"""The rules that a recipe can name, with their parameters and reference thresholds. What they do is in `curate.rules`.

Thresholds are those of datatrove 0.10.1's filters, which FineWeb was made with (Penedo et al. 2024), after the papers that
each docstring names. A bound of null is never asked.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

Share = Annotated[float | None, Field(ge=0, le=1)]
Words = Annotated[
    Literal["whitespace", "unicode"],
    Field(description="`unicode` makes words of scripts that are written without spaces"),
]


class Rule(BaseModel):
    """What all rules have. `by_language`: for a language, other values of the rule's own parameters."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    languages: tuple[str, ...] | None = Field(None, description="apply to documents of these languages only")
    except_languages: tuple[str, ...] = Field((), description="do not apply to documents of these languages")
    by_language: Mapping[str, Mapping[str, Any]] = Field({}, description="other parameters for a language")

    @model_validator(mode="after")
    def _overrides_are_parameters(self) -> "Rule":
        own = sorted(set(type(self).model_fields) - set(Rule.model_fields) - {"rule"})
        base = {name: value for name, value in self.model_dump().items() if name in own}
        for language, override in self.by_language.items():
            if unknown := sorted(set(override) - set(own)):
                raise ValueError(f"by_language.{language}: unknown key {unknown[0]!r} (allowed: {', '.join(own)})")
            try:
                type(self).model_validate({"rule": getattr(self, "rule", None), **base, **override})
            except ValidationError as error:
                fault = error.errors()[0]
                place = ".".join(map(str, fault["loc"])) or "its parameters"
                raise ValueError(f"by_language.{language}: {place}: {fault['msg']}") from error
        return self


class NgramRule(Rule):
    """The n-gram bounds of Gopher's table A1 (Rae et al. 2021), which two rule sets measure by definitions of their own."""

    max_top_2_gram: Share = 0.2
    max_top_3_gram: Share = 0.18
    max_top_4_gram: Share = 0.16
    max_duplicated_5_grams: Share = 0.15
    max_duplicated_6_grams: Share = 0.14
    max_duplicated_7_grams: Share = 0.13
    max_duplicated_8_grams: Share = 0.12
    max_duplicated_9_grams: Share = 0.11
    max_duplicated_10_grams: Share = 0.10


class LengthRule(Rule):
    """Bounds on the number of characters (code points) of a document."""

    rule: Literal["length"]
    min_characters: int = Field(200, ge=0)
    max_characters: int | None = Field(None, ge=1)


class LanguageRule(Rule):
    """Keep documents whose most likely language is allowed and likely enough."""

    rule: Literal["language"]
    allow: tuple[str, ...] | None = None
    min_score: float = Field(0.0, ge=0, le=1)


class GopherQualityRule(Rule):
    """Gopher's quality heuristics (Rae et al. 2021, section A.1.1), thresholds as in datatrove's GopherQualityFilter."""

    rule: Literal["gopher_quality"]
    words: Words = "whitespace"
    min_words: int | None = 50
    max_words: int | None = 100_000
    min_mean_word_length: float | None = 3
    max_mean_word_length: float | None = 10
    max_symbol_ratio: float | None = 0.1
    max_bullet_lines: float | None = 0.9
    max_ellipsis_lines: float | None = 0.3
    min_alphabetic_words: float | None = 0.8
    min_stop_words: int | None = 2


class GopherRepetitionRule(NgramRule):
    """Gopher's repetition heuristics (Rae et al. 2021, table A1), thresholds as in datatrove's GopherRepetitionFilter."""

    rule: Literal["gopher_repetition"]
    words: Words = "whitespace"
    max_duplicate_paragraphs: Share = 0.3
    max_duplicate_paragraph_characters: Share = 0.2
    max_duplicate_lines: Share = 0.3
    max_duplicate_line_characters: Share = 0.2


class GopherDolmaRule(NgramRule):
    """Gopher's heuristics as Dolma 1.2.1's tagger `gopher_v1` counts them, with the thresholds that Dolma was mixed by.

    Thresholds: configs/dolma-v1_5/mixing/cc-head.yaml of Dolma's repository. A share of duplicate lines can pass 1.
    """

    rule: Literal["gopher_dolma"]
    min_words: int | None = 50
    max_words: int | None = 100_000
    min_median_word_length: float | None = 3
    max_median_word_length: float | None = 10
    max_symbol_words: Share = 0.1
    min_alphabetic_words: Share = 0.8
    min_stop_words: int | None = 2
    max_bullet_lines: Share = 0.9
    max_ellipsis_lines: Share = 0.3
    max_duplicate_lines: Share = 0.3
    max_duplicate_line_characters: float | None = Field(0.3, ge=0)


class FinewebRule(Rule):
    """FineWeb's own heuristics (Penedo et al. 2024, section 3.4), thresholds as in datatrove's FineWebQualityFilter."""

    rule: Literal["fineweb"]
    words: Words = "whitespace"
    min_terminated_lines: Share = 0.12
    unless_no_line_is_terminated: bool = False
    max_short_lines: Share = 0.67
    max_duplicate_characters: Share = 0.01
    max_newlines_per_word: float | None = Field(0.3, ge=0)


class C4Rule(Rule):
    """C4's heuristics (Raffel et al. 2020, section 2.2), as in datatrove's C4QualityFilter. It removes lines: an edit.

    Lines are removed before anything else is measured, wherever the rule stands; its verdicts stand at its place.
    """

    rule: Literal["c4"]
    min_sentences: int | None = Field(5, ge=0)
    min_words_per_line: int | None = Field(3, ge=0)
    max_word_length: int | None = Field(1000, ge=1, description="a line with a longer word is removed")
    terminal_punctuation: bool = Field(True, description="remove lines that do not end in . ? ! \" or '")
    remove_citations: bool = Field(True, description="remove [1], [edit] and [citation needed]")
    javascript: bool = Field(True, description="remove lines that mention JavaScript")
    policy: bool = Field(True, description="remove lines about cookies, privacy policies and terms of use")
    lorem_ipsum: bool = Field(True, description="drop documents that say lorem ipsum")
    curly_bracket: bool = Field(True, description="drop documents with a {")


class CharacterRatioRule(Rule):
    """Shares of a document's characters by kind (Unicode categories); at least one bound must be given."""

    rule: Literal["character_ratio"]
    min_letters: Share = Field(None, description="of all characters")
    max_uppercase: Share = Field(None, description="of the letters")
    max_digits: Share = Field(None, description="of all characters")
    max_symbols: Share = Field(None, description="punctuation and symbols, of all characters")
    max_spaces: Share = Field(None, description="white space, of all characters")

    @model_validator(mode="after")
    def _one_bound(self) -> "CharacterRatioRule":
        _refuse_unbounded(self, ("min_letters", "max_uppercase", "max_digits", "max_symbols", "max_spaces"))
        return self


class LineLengthRule(Rule):
    """Bounds on the length of lines in characters; at least one must be given."""

    rule: Literal["line_length"]
    min_mean: float | None = Field(None, ge=0, description="characters of the text by its lines")
    max_mean: float | None = Field(None, ge=0)
    max_longest: int | None = Field(None, ge=1)

    @model_validator(mode="after")
    def _one_bound(self) -> "LineLengthRule":
        _refuse_unbounded(self, ("min_mean", "max_mean", "max_longest"))
        return self


class UrlRule(Rule):
    """Drop documents by their URL. A domain stands for its subdomains too; a word for any URL that holds it, case aside."""

    rule: Literal["url"]
    allow_domains: tuple[str, ...] | None = None
    block_domains: tuple[str, ...] = ()
    block_words: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _says_something(self) -> "UrlRule":
        if self.allow_domains is None and not self.block_domains and not self.block_words:
            raise ValueError("names neither allow_domains nor block_domains nor block_words")
        for domain in (*(self.allow_domains or ()), *self.block_domains):
            if domain != domain.lower() or "/" in domain or not domain.strip("."):
                raise ValueError(f"{domain!r} is not a domain in lower case, like example.org")
        return self


class DatatroveRule(Rule):
    """A filter of datatrove by the name of its class, with its constructor's arguments."""

    rule: Literal["datatrove"]
    filter: str = Field(pattern=r"^[A-Za-z0-9]+$")
    arguments: Mapping[str, Any] = {}
    words: Literal["datatrove", "whitespace"] = Field("datatrove", description="whose words and sentences it counts")


RuleSpec = Annotated[
    LengthRule
    | LanguageRule
    | GopherQualityRule
    | GopherRepetitionRule
    | GopherDolmaRule
    | FinewebRule
    | C4Rule
    | CharacterRatioRule
    | LineLengthRule
    | UrlRule
    | DatatroveRule,
    Field(discriminator="rule"),
]
MODELS: tuple[type[Rule], ...] = (
    LengthRule, LanguageRule, GopherQualityRule, GopherRepetitionRule, GopherDolmaRule, FinewebRule, C4Rule,
    CharacterRatioRule, LineLengthRule, UrlRule, DatatroveRule,
)  # fmt: skip


def reader_of(rule: Mapping[str, Any]) -> str | None:
    """The name under which a rule that reads the text itself answers; None for rules of measured columns."""
    name = str(rule["rule"])
    return f"datatrove/{rule['filter']}" if name == "datatrove" else name if name in ("c4", "gopher_dolma") else None


def _refuse_unbounded(rule: Rule, names: tuple[str, ...]) -> None:
    if all(getattr(rule, name) is None for name in names):
        raise ValueError(f"has no bound; give one of {', '.join(names)}")
