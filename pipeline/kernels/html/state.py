"""Define what the parser's kernels share: one record of its state, one record for each node, and the types of their arguments.

Integers that name a node are its row; NONE is no node.
"""

from typing import Annotated, Any

import numba
import numpy as np

from pipeline.kernels.html.names import TAGS

NONE = -1

# Bounds that keep hostile pages linear. Browsers have the first as well: Chromium's is 512.
MAX_OPEN = 512  # open elements: where there are more, the innermost is closed first
MAX_FORMATTING = 64  # active formatting elements and markers: where there are more, the oldest is forgotten
NARROW_OPEN = 32  # open elements of a page that has used up its budget of work
MAX_MERGES = 16  # start tags <html> and <body> after the first whose attributes are added to it
MAX_MERGED = 64  # attributes of each

# Kinds of nodes.
ELEMENT, TEXT, DOCUMENT = 1, 3, 9

# Namespaces.
HTML_NAMESPACE, SVG_NAMESPACE, MATHML_NAMESPACE = 0, 1, 2

# What the tokenizer takes the next bytes for: section 13.2.5, the states that the tree builder switches it to.
DATA, RCDATA, RAWTEXT, SCRIPT_DATA, PLAINTEXT, CDATA_SECTION = range(6)

# Tokens.
CHARACTERS, START_TAG, END_TAG, COMMENT, DOCTYPE, END_OF_FILE = range(6)

# Insertion modes: section 13.2.4.1. ("In table text" and "text" are states of the tokenizer here; in a select, pages are parsed
# as in the body, which is the standard's rule since 2025.)
(
    INITIAL, BEFORE_HTML, BEFORE_HEAD, IN_HEAD, IN_HEAD_NOSCRIPT, AFTER_HEAD, IN_BODY, IN_TABLE, IN_TABLE_BODY, IN_ROW, IN_CELL,
    IN_CAPTION, IN_COLUMN_GROUP, IN_TEMPLATE, AFTER_BODY, IN_FRAMESET, AFTER_FRAMESET, AFTER_AFTER_BODY, AFTER_AFTER_FRAMESET,
    IN_TEXT,
) = range(20)  # fmt: skip

# What an insertion mode's rules say at the end: the token is used up, or another mode has to look at it.
DONE, AGAIN = 0, 1

# Integration points: section 13.2.6, tree construction dispatcher.
NOT_INTEGRATED, MATHML_TEXT, HTML_INTEGRATION, MATHML_ANNOTATION = range(4)

NODE = np.dtype(
    [
        ("kind", np.uint8),
        ("namespace", np.uint8),
        ("integration", np.uint8),  # whether it is an integration point, and of which kind
        ("is_open", np.uint8),  # 1: it is among the open elements
        ("tag", np.int32),
        ("name_hash", np.int32),  # of a name that is not in the table
        ("parent", np.int32),
        ("first_child", np.int32),
        ("last_child", np.int32),
        ("next_sibling", np.int32),
        ("previous_sibling", np.int32),
        ("start", np.int32),  # of a text: in the values; of an element: its name in the source
        ("length", np.int32),
        ("first_attribute", np.int32),
        ("last_attribute", np.int32),
    ],
    align=True,
)

_NUMBERS = [
    # the tokenizer
    "position", "end",  # the next byte of the source; its bytes
    "content",  # DATA, RCDATA, ...
    "raw_name", "raw_length",  # the name whose end tag ends raw text, in the source
    "values_end", "attributes_end",  # bytes and rows in use
    "attribute_sets",  # tags whose names were entered in a hash set, of all pages
    "replace_nulls", "cdata_allowed",  # by the current node
    # the token
    "tag", "name_start", "name_length", "name_hash", "first_attribute", "last_attribute", "self_closing",
    "text_start", "text_end", "space_end",  # characters in the values; the end of the white space that they begin with
    "doctype_name", "doctype_name_length", "public_start", "public_length", "system_start", "system_length", "force_quirks",
    "is_hidden_input", "has_font_attribute", "has_html_encoding", "signature",  # facts of a start tag's attributes
    # the tree builder
    "mode", "original_mode", "open_count", "open_limit", "formatting_count", "template_count", "node_count",
    "head", "form", "merge_into", "merges",
    "foster_parenting", "frameset_ok", "skip_newline", "quirks",
    "clones_left", "work_left", "bounded",
]  # fmt: skip

STATE = np.dtype(
    [
        *((name, np.int64) for name in _NUMBERS),
        ("open_elements", np.int32, MAX_OPEN + 1),  # and one that adoption may insert
        ("open_by_tag", np.int32, len(TAGS) + 1),  # how many open HTML elements have this tag
        ("formatting_elements", np.int32, MAX_FORMATTING + 1),  # NONE is a marker
        ("formatting_signatures", np.int64, MAX_FORMATTING + 1),
        ("template_modes", np.int8, MAX_OPEN + 1),
    ],
    align=True,
)

REFERENCE = np.dtype([("child", np.int16, 64), ("length", np.int32), ("text", np.uint8, 8)], align=True)

# Columns of an attribute.
NAME, NAME_START, NAME_LENGTH, VALUE_START, VALUE_LENGTH = range(5)

State = Annotated[Any, numba.from_dtype(STATE)]
Nodes = Annotated[Any, numba.from_dtype(NODE)[::1]]
References = Annotated[Any, numba.from_dtype(REFERENCE)[::1]]
Attributes = Annotated[Any, numba.int32[:, ::1]]
Bytes = Annotated[Any, numba.uint8[::1]]
Numbers = Annotated[Any, numba.int64[::1]]
Word = Annotated[Any, numba.uint64]
