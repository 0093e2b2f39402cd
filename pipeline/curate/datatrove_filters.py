"""Any filter of datatrove by the name of its class: `{rule: datatrove, filter: NAME, arguments: {...}, words: ...}`.

A release must follow from recipe and lock alone, and a verdict from its document alone, on any worker and in any order. So:

- Arguments are values of JSON, checked against the constructor's signature before the first document. What has no stable
  identity (a function, a writer) is refused.
- Filters that fetch a model or a list when they run are refused (`REFUSED` says why, and what to use). URLFilter reads lists
  and public suffixes from the installed packages only, never from a cache or the network.
- SamplerFilter draws in the order of documents. Here the draw is a hash of its seed and the document's id.
- `words: whitespace` counts words of `str.split()` and takes each line for one sentence; datatrove's own tokenizers stand
  behind `words: datatrove`. Two of those (Stanza, botok) fetch models when they run and are refused.
- A filter that raises on a document drops it for the reason `.../error:ZeroDivisionError`. The message is left out, because
  messages hold addresses and paths. What is no document's fault (memory, files, imports) fails the task.

datatrove (0.10.1 was read for this, all of `datatrove/pipeline/filters`) is imported by `load` only.
"""

import copy
import hashlib
import inspect
import json
import re
import tempfile
import types
import typing
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.errors import RecipeError, TaskError

WORDS = ("datatrove", "whitespace")

# By class: why no recipe can name it, and what to do. "when it runs" is the common fault: no lock pins what it reads.
REFUSED = {
    "LambdaFilter": (
        "is a function of Python, which a recipe cannot hold and a manifest cannot name",
        "write a rule: one function in pipeline/curate/rules.py",
    ),
    "LanguageFilter": (
        "downloads its model when it runs, so no lock pins it",
        "use {rule: language, allow: [en], min_score: 0.65}, whose model is pinned",
    ),
    "FastTextClassifierFilter": (
        "reads its model from a URL or path when it runs, so no lock pins it",
        "for languages use {rule: language, allow: [...]}; for other labels there is no rule yet",
    ),
    "C4BadWordsFilter": (
        "downloads its list of words when it runs, so no lock pins it",
        r"write the words down: {rule: datatrove, filter: RegexFilter, arguments: {regex_exp: '(?i)\b(one|two)\b'}}",
    ),
    "UnigramLogProbFilter": (
        "downloads its word frequencies when it runs, so no lock pins them",
        "use {rule: language, allow: [en], min_score: 0.65} and {rule: gopher_quality}, which asks for stop words",
    ),
}

# Distributions that decide beside datatrove itself, by filter and by class of tokenizer, for the manifest.
PACKAGES = {
    "URLFilter": ("tldextract", "pyahocorasick"),
    "SpaCyTokenizer": ("spacy", "pyvi", "jieba", "sudachipy", "sudachidict_core"),
    "WhitespaceTokenizer": ("spacy", "regex"),
    "ThaiTokenizer": ("pythainlp",),
    "IndicNLPTokenizer": ("indic-nlp-library",),
    "KiwiTokenizer": ("kiwipiepy", "kiwipiepy_model"),
    "KhmerTokenizer": ("khmer-nltk",),
    "LaoTokenizer": ("laonlp",),
    "BurmeseTokenizer": ("pyidaungsu-numpy2", "spacy", "regex"),
}
UNPINNED_TOKENIZERS = ("StanzaTokenizer", "TibetanTokenizer")
OWN_FAULTS = (MemoryError, OSError, ImportError)  # of the machine, not of a document


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of n documents: `texts` (LargeStringArray) as the filter left them, and why each was dropped, None where it passed."""

    texts: Any
    reasons: list[str | None]


@dataclass(frozen=True, slots=True)
class Filter:
    """A datatrove filter that is ready to judge: `step` is datatrove's object, `tokenizer` whose words it counts, if any."""

    name: str
    step: Any
    tokenizer: Any = None
    seed: int | None = None

    def apply(self, texts: Any, urls: Sequence[str | None], languages: Sequence[str], ids: Sequence[str]) -> Outcome:
        """Judge n documents, each alone. Raises TaskError where the machine fails."""
        from datatrove.utils.text import split_into_parts

        step = copy.copy(self.step)  # SamplerFilter's draw is set per document; the filter itself is shared
        after: list[str] = []
        reasons: list[str | None] = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # numpy, on the mean word length of a text without words
            for text, url, language, id_ in zip(texts.to_pylist(), urls, languages, ids, strict=True):
                left, reason = self._judge(step, text, url, language, id_)
                after.append(left)
                reasons.append(reason)
        split_into_parts.cache_clear()  # it holds the last five texts and their words
        return Outcome(pa.array(after, pa.large_string()), reasons)

    def _judge(self, step: Any, text: str, url: str | None, language: str, id_: str) -> tuple[str, str | None]:
        from datatrove.data import Document
        from datatrove.pipeline.filters.base_filter import get_filter_result

        document = Document(text, id_, metadata={"language": language, **({"url": url} if url else {})})
        if self.seed is not None:
            step.uniform = partial(draw, self.seed, id_)
        try:
            passed, reason = get_filter_result(step.filter(document))
        except OWN_FAULTS as error:
            raise TaskError(
                f"{type(error).__name__}: {error}", where=f"document {id_}, datatrove's {self.name}"
            ) from error
        except Exception as error:  # noqa: BLE001 - a document that cannot be judged is a row of the ledger
            return text, f"datatrove/{self.name}/error:{type(error).__name__}"
        if passed:
            return document.text, None
        return text, f"datatrove/{self.name}/{reason or _snake(self.name)}"


def load(filter: str, arguments: Mapping[str, Any], words: str) -> Filter:
    """The filter, checked and ready; the same object for the same question. RecipeError says what is wrong with it."""
    try:
        key = json.dumps(arguments, sort_keys=True, allow_nan=False, ensure_ascii=True)
    except (TypeError, ValueError) as error:
        raise RecipeError(
            f"an argument has no stable identity ({error})",
            wanted="values of JSON: strings, finite numbers, true, false, null, lists, mappings",
            where=_where(filter),
        ) from error
    return _load(filter, key, words)


@lru_cache(maxsize=64)
def _load(name: str, key: str, words: str) -> Filter:
    where = _where(name)
    if words not in WORDS:
        raise RecipeError(f"words: {words!r}", wanted=" or ".join(WORDS), where=where)
    kind = _class(name)
    arguments = {argument: _tuples(value) for argument, value in json.loads(key).items()}
    _check(kind, arguments, words)
    try:
        step = kind(**arguments)
        if name == "URLFilter":
            _pin_lists(step)
    except ImportError as error:
        raise _missing(error, where) from error
    except Exception as error:  # whatever a constructor says, it says of its arguments
        raise RecipeError(
            f"its constructor refuses the arguments ({type(error).__name__}: {error})", where=where
        ) from error
    tokenizer = None
    if hasattr(step, "language"):
        tokenizer = _whitespace() if words == "whitespace" else _tokenizer(step.language, where)
        step.language = tokenizer  # datatrove takes a tokenizer in place of a language
    return Filter(name, step, tokenizer, arguments["seed"] if name == "SamplerFilter" else None)


def versions(filter: Filter) -> dict[str, str]:
    """Name to installed version of the distributions that the filter's verdicts depend on, datatrove first."""
    names = ["datatrove", *PACKAGES.get(filter.name, ()), *PACKAGES.get(type(filter.tokenizer).__name__, ())]
    found = {}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:  # of spaCy's, only those of the tokenizer's own language are there
            continue
    return found


def draw(seed: int, id_: str) -> float:
    """What SamplerFilter compares with its rate: 53 bits of SHA-256 over seed and id, in [0, 1).

    The reference draws from one generator in the order of documents, so that its sample depends on the number of tasks.
    """
    digest = hashlib.sha256(f"pellucid/datatrove/SamplerFilter/v1\n{seed}\n{id_}".encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / (1 << 53)


def _class(name: str) -> Any:
    """The class of that name in `datatrove.pipeline.filters`, if a recipe may use it."""
    where = _where(name)
    try:
        module = import_module("datatrove.pipeline.filters")
        from datatrove.pipeline.filters.base_filter import BaseFilter
    except ImportError as error:
        raise _missing(error, where) from error
    there = {key: value for key, value in vars(module).items() if inspect.isclass(value)}
    if name not in there:
        usable = sorted(set(there) - set(REFUSED))
        raise RecipeError(f"datatrove has no filter {name!r}", wanted=f"one of {', '.join(usable)}", where=where)
    if name in REFUSED:
        why, hint = REFUSED[name]
        raise RecipeError(f"it {why}", where=where, hint=hint)
    kind: Any = there[name]
    if kind.filter_batch is not BaseFilter.filter_batch:
        raise RecipeError("it judges documents in batches, so that a verdict depends on others", where=where)
    return kind


def _check(kind: Any, arguments: Mapping[str, Any], words: str) -> None:
    """Raise RecipeError where the arguments do not fit the constructor's signature."""
    where = _where(kind.__name__)
    parameters = dict(inspect.signature(kind.__init__).parameters)
    for name in ("self", "exclusion_writer", "batch_size"):
        parameters.pop(name, None)
    if words == "whitespace" and "language" in arguments:
        raise RecipeError(
            "`language` chooses a tokenizer, and with `words: whitespace` there is none",
            where=where,
            hint="leave the argument out, or say `words: datatrove`",
        )
    allowed = f"arguments among {', '.join(parameters) or '(none)'}"
    if "exclusion_writer" in arguments:
        raise RecipeError(
            "`exclusion_writer` writes files of its own; dropped documents are in the ledger", where=where
        )
    if unknown := sorted(set(arguments) - set(parameters)):
        raise RecipeError(f"unknown argument {unknown[0]!r}", wanted=allowed, where=where)
    required = [name for name, parameter in parameters.items() if parameter.default is parameter.empty]
    if kind.__name__ == "SamplerFilter":
        required.append("seed")  # without one it is seeded by the operating system
    for name in required:
        if arguments.get(name) is None:
            raise RecipeError(f"argument {name!r} is missing", wanted=allowed, where=where)
    hints = typing.get_type_hints(kind.__init__)
    for name, value in arguments.items():
        if not (value is None and parameters[name].default is None) and not _fits(value, hints.get(name, Any)):
            seen = json.dumps(value, ensure_ascii=False)
            raise RecipeError(f"argument {name!r} is {seen}", wanted=_told(hints[name]), where=where)


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value of JSON, its lists made tuples, is what an annotation of datatrove asks for. Any number is a number."""
    origin, inner = typing.get_origin(hint) or hint, typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, one) for one in inner)
    if origin is typing.Literal:
        return value in inner
    if origin in (int, float):
        return isinstance(value, int | float) and not isinstance(value, bool)
    if origin in (str, bool, types.NoneType, dict):
        return isinstance(value, origin)
    if inspect.isclass(origin) and issubclass(origin, Iterable):
        if not isinstance(value, tuple):
            return False
        if len(inner) > 1 and inner[-1] is not Ellipsis:
            return len(value) == len(inner) and all(map(_fits, value, inner))
        return all(_fits(one, inner[0]) for one in value) if inner else all(isinstance(one, str) for one in value)
    return True


def _told(hint: Any) -> str:
    name = hint.__name__ if inspect.isclass(hint) else str(hint)
    return "a list of strings" if name.endswith("Iterable") else name


def _tuples(value: Any) -> Any:
    """Lists as tuples: `str.endswith` takes no list."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _pin_lists(step: Any) -> None:
    """Have URLFilter read its lists and public suffixes from the installed packages.

    Left alone, it unpacks its lists into a cache shared by all versions of datatrove, and tldextract downloads the public
    suffix list of the day.
    """
    from datatrove.pipeline.filters import url_filter
    from tldextract import TLDExtract

    step.tldextractor = TLDExtract(cache_dir=None, suffix_list_urls=())
    shared = url_filter.cached_assets_path
    with tempfile.TemporaryDirectory() as folder:
        try:
            url_filter.cached_assets_path = lambda **_: Path(folder)
            step.download_data()
        finally:
            url_filter.cached_assets_path = shared


def _tokenizer(language: str, where: str) -> Any:
    """datatrove's tokenizer of a language, tried once, so that a missing package is found before the first document."""
    from datatrove.utils.word_tokenizers import load_tokenizer_assignments, load_word_tokenizer

    if (factory := load_tokenizer_assignments().get(language)) is None:
        raise RecipeError(
            f"datatrove has no tokenizer for the language {language!r}",
            wanted="a code of its assets/tokenizer_assignment.csv with the script, such as deu_Latn or zho_Hani",
            where=where,
        )
    if (kind := factory.args[0]) in UNPINNED_TOKENIZERS:
        raise RecipeError(
            f"datatrove's tokenizer for {language!r} ({kind}) downloads its model when it runs, so no lock pins it",
            where=where,
            hint="say `words: whitespace`, or use a rule of ours with `words: unicode`",
        )
    try:
        tokenizer = load_word_tokenizer(language)
        tokenizer.word_tokenize("One two. Three four.")
        tokenizer.span_tokenize("One two. Three four.")
    except ImportError as error:
        raise _missing(error, where, "say `words: whitespace`, or ") from error
    return tokenizer


@lru_cache(maxsize=1)
def _whitespace() -> Any:
    """A tokenizer for datatrove: words of `str.split()`, and one sentence a line of `str.splitlines()`."""
    from datatrove.utils.word_tokenizers import WordTokenizer

    class Whitespace(WordTokenizer):  # type: ignore[misc]
        def word_tokenize(self, text: str) -> list[str]:
            return text.split()

        def sent_tokenize(self, text: str) -> list[str]:
            return [line for line in text.splitlines() if line.strip()]

        def span_tokenize(self, text: str) -> list[tuple[int, int]]:
            spans, start = [], 0
            for line in text.splitlines(keepends=True):
                if line.strip():
                    spans.append((start, start + len(line)))
                start += len(line)
            return spans

    return Whitespace()


def _missing(error: ImportError, where: str, otherwise: str = "") -> RecipeError:
    """datatrove's own message names what to install (`pip install ...`); a bare import error names the module."""
    named = re.search(r"`(pip install [^`]+)`", str(error))
    install = named[1] if named else f"pip install {error.name or 'datatrove'}"
    return RecipeError(f"a package is missing: {error}", where=where, hint=f"{otherwise}run `{install}`")


def _where(name: str) -> str:
    return f"rule datatrove, filter {name}"


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
