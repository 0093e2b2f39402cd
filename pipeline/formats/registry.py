"""Which formats there are, by the `kind` that a recipe names."""

from pipeline.formats import html, json_tree, jsonl, mail, parquet, text, warc, wikitext
from pipeline.formats.interface import Format

FORMATS: dict[str, Format] = {
    "text": text.FORMAT,
    "html": html.FORMAT,
    "wikitext": wikitext.FORMAT,
    "warc": warc.FORMAT,
    "jsonl": jsonl.FORMAT,
    "parquet": parquet.FORMAT,
    "json": json_tree.FORMAT,
    "mail": mail.FORMAT,
}
