"""The queries of `inspection.diff_rows`, in DuckDB's SQL."""

# ruff: noqa: S608
# Nothing of a release or a user is in these texts: values come as parameters and from tables.

EXAMPLES = 10

_ORIGIN = "id, source, purl, artifact_sha256"
_PLACE = (
    "coalesce(member, '') AS member, record, coalesce(path, '') AS path, url, text_hmac, "
    "list_transform(edits, lambda e: e.edit) AS edits"
)
KEPT = f"{_ORIGIN}, {_PLACE}, 'kept' AS fate, text_sha256"
DROPPED = (
    f"{_ORIGIN}, {_PLACE}, reason AS fate, detail, value, low, high, kept_id, kept_source, kept_release, similarity"
)
REMOVED = f"{_ORIGIN}, 'taken down' AS fate"

# Columns that say how a document was judged, and the digest that is keyed by all artifacts of the release.
APART = {
    "kept": ("exact_hmac", "decisions"),
    "dropped": ("exact_hmac", "decisions", "failed", "value", "low", "high"),
    "removed": (),
}  # fmt: skip
JUDGED = {"kept": "hash(decisions)", "dropped": "hash(decisions, failed, value, low, high)", "removed": "0::UBIGINT"}

# Both sides of every id of a part. Rows that are equal in all columns have no kind.
_PAIRED = """
WITH a AS (SELECT *, row_number() OVER (PARTITION BY id ORDER BY source) AS place FROM rows_a WHERE id >= $low AND id < $high),
     b AS (SELECT *, row_number() OVER (PARTITION BY id ORDER BY source) AS place FROM rows_b WHERE id >= $low AND id < $high),
both_sides AS (
  SELECT a, b, coalesce(a.id, b.id) AS id, coalesce(a.fate, 'not read') AS old, coalesce(b.fate, 'not read') AS new
  FROM a FULL OUTER JOIN b ON a.id = b.id AND a.place = b.place
),
named AS (
  SELECT *, CASE
    WHEN a.whole = b.whole AND a.judged = b.judged THEN NULL
    WHEN a.id IS NULL THEN 'come'
    WHEN b.id IS NULL THEN 'gone'
    WHEN old <> new THEN 'fate'
    WHEN a.source <> b.source THEN 'moved'
    WHEN a.text_hmac IS DISTINCT FROM b.text_hmac THEN 'text'
    WHEN a.kept_id IS DISTINCT FROM b.kept_id OR a.kept_release IS DISTINCT FROM b.kept_release THEN 'copy'
    WHEN a.whole <> b.whole THEN 'values'
    ELSE 'judged' END AS kind
  FROM both_sides
),
told AS (
  SELECT named.id, kind, old, new, CASE kind
    WHEN 'come' THEN CASE WHEN b.artifact_sha256 IN (SELECT sha256 FROM locked WHERE side = 'a')
      THEN 'settings:' || b.source ELSE 'artifact:' || b.purl END
    WHEN 'gone' THEN CASE WHEN a.artifact_sha256 IN (SELECT sha256 FROM locked WHERE side = 'b')
      THEN 'settings:' || a.source ELSE 'artifact:' || a.purl END
    WHEN 'moved' THEN 'source:' || a.source || ' -> ' || b.source
    WHEN 'text' THEN 'edits:' || _edits(a.edits) || ' -> ' || _edits(b.edits)
    WHEN 'values' THEN coalesce('columns:' || nullif(other.columns, ''), '')
    ELSE '' END AS why, a, b
  FROM named LEFT JOIN other ON other.id = named.id AND other.source = named.a.source
)
""".replace("_edits(a.edits)", "coalesce(nullif(array_to_string(a.edits, '+'), ''), 'none')").replace(
    "_edits(b.edits)", "coalesce(nullif(array_to_string(b.edits, '+'), ''), 'none')"
)
_STORY = """struct_pack(
    id := id, kind := kind, old := old, new := new, why := why, source := coalesce(b.source, a.source),
    url := coalesce(b.url, a.url), purl := coalesce(b.purl, a.purl),
    kept_id_old := a.kept_id, kept_source_old := a.kept_source, similarity_old := a.similarity,
    kept_id_new := b.kept_id, kept_source_new := b.kept_source, similarity_new := b.similarity,
    value_old := a.value, low_old := a.low, high_old := a.high,
    value_new := b.value, low_new := b.low, high_new := b.high)"""
GROUPS = f"""{_PAIRED}
SELECT kind, old, new, why, count(*), min_by({_STORY}, id, {EXAMPLES}) FROM told WHERE kind IS NOT NULL
GROUP BY kind, old, new, why
UNION ALL SELECT NULL, '', '', '', count(*), NULL FROM told WHERE kind IS NULL"""
# Which columns differ, of the pairs of kind `values`; {columns} is an expression, with "" where a column does not.
OTHER = (
    _PAIRED
    + """
INSERT INTO other (id, source, columns)
SELECT a.id, a.source, array_to_string(list_filter([{columns}], lambda one: one <> ''), ', ')
FROM whole_a a JOIN whole_b b ON a.id = b.id AND a.source = b.source
WHERE a.id >= $low AND a.id < $high AND a.id IN (SELECT id FROM told WHERE kind = 'values')"""
)
DOCUMENTS = f"{_PAIRED} SELECT {_STORY} FROM told WHERE kind IS NOT NULL ORDER BY id"

# A member's first folder often has the version in its name (django-5.1/docs/...): it stands as {version} on both sides.
REPLACED = f"""
WITH a AS (SELECT p.pair, replace(split_part(member, '/', 1), a_version, '{{version}}')
               || substr(member, length(split_part(member, '/', 1)) + 1) AS place, record, path, id, fate, url, text_sha256
           FROM rows_a r JOIN pairs p ON r.artifact_sha256 = p.a AND r.source = p.source),
     b AS (SELECT p.pair, replace(split_part(member, '/', 1), b_version, '{{version}}')
               || substr(member, length(split_part(member, '/', 1)) + 1) AS place, record, path, id, fate, url, text_sha256
           FROM rows_b r JOIN pairs p ON r.artifact_sha256 = p.b AND r.source = p.source),
one AS (SELECT *, row_number() OVER (PARTITION BY pair, place, record, path ORDER BY id) AS number FROM a),
two AS (SELECT *, row_number() OVER (PARTITION BY pair, place, record, path ORDER BY id) AS number FROM b),
told AS (
  SELECT coalesce(a.fate, 'not there') AS old, coalesce(b.fate, 'not there') AS new, a.id AS id_old, b.id AS id_new,
    coalesce(b.url, a.url) AS url, coalesce(a.pair, b.pair)::VARCHAR AS why, CASE
      WHEN a.id IS NULL THEN 'come' WHEN b.id IS NULL THEN 'gone'
      WHEN a.text_sha256 IS NULL OR b.text_sha256 IS NULL THEN 'unknown'
      WHEN a.text_sha256 = b.text_sha256 THEN 'same' ELSE 'changed' END AS kind
  FROM one a FULL OUTER JOIN two b
    ON a.pair = b.pair AND a.place = b.place AND a.record = b.record AND a.path = b.path AND a.number = b.number
)
SELECT kind, old, new, why, count(*),
  min_by(struct_pack(kind := kind, old := old, new := new, id_old := id_old, id_new := id_new, url := url),
         coalesce(id_new, id_old), {EXAMPLES})
FROM told GROUP BY kind, old, new, why"""
