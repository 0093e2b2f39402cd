"""Say what each element means for the text of a page."""

from typing import Any

import numpy as np

from pipeline.kernels.html import render_output as o
from pipeline.kernels.html.blocks import BLOCK_LEVEL
from pipeline.kernels.html.names import TAG

_ROLES_OF = {
    o.MARGIN: "p blockquote dl figure hr fieldset", o.LIST_ROLE: "ul menu dir", o.ORDERED: "ol", o.LIST_ITEM: "li",
    o.TABLE_ROLE: "table", o.TABLE_ROW: "tr", o.TABLE_CELL: "td th", o.PREFORMATTED: "pre listing xmp plaintext",
    o.QUOTE: "blockquote", o.HEADING_ROLE: "h1 h2 h3 h4 h5 h6", o.LINE_BREAK: "br", o.SUPERSCRIPT: "sup", o.QUOTED: "q",
    o.RUBY_TEXT: "rt", o.LINK: "a", o.STRONG: "b strong", o.EMPHASIS: "i em cite dfn var", o.CODE: "code kbd samp tt",
}  # fmt: skip


def _roles() -> Any:
    roles = np.where(BLOCK_LEVEL, np.uint8(o.BOUNDARY), np.uint8(o.NONE))
    for role, names in _ROLES_OF.items():
        roles[[TAG[name] for name in names.split()]] = role
    return roles


ROLES = _roles()
