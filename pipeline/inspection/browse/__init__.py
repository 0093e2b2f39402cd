"""A local browser of a release's provenance: pages over its own Parquet, without a script and without an import.

`release` says what may be read, `engine` reads it, `filters` and `walk` list documents, `again` goes back to upstream bytes;
pages are values (`answer.Answer`) that are shown as HTML or as JSON; `guard` lets only this machine's own requests in.
"""
