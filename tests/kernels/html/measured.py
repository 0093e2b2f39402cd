"""Measure pages as the tests want them, and pages in many scripts."""

from functools import cache
from typing import Any

import numpy as np

from pipeline.kernels.html import model
from pipeline.kernels.html.measure import Measurer
from pipeline.kernels.html.parser import Parser, Tree

TEXTS = {
    "latin": "The first page of 1999 says so, and Zürich was not in it. Is it the last? Été, naïve!",
    "cyrillic": "Это первая страница, на ней много слов. Вторая идёт за ней!",
    "greek": "Η πρώτη σελίδα του βιβλίου; είναι εδώ. Και η δεύτερη!",
    "arabic": "هذه هي الصفحة الأولى، وهي قصيرة. هل هذه الثانية؟ نعم",
    "hebrew": "זה העמוד הראשון, והוא קצר. וזה השני",
    "hindi": "यह पहला पृष्ठ है। यह दूसरा पृष्ठ है।",
    "thai": "นี่คือหน้าแรกของหนังสือ และหน้าที่สอง",
    "chinese": "这是第一页，它很短。这是第二页！真的？",
    "japanese": "これは最初のページです。短い、はい。カタカナも",
    "korean": "이것은 첫 페이지입니다. 짧아요! 두 번째인가요?",
}

_parser = Parser()


@cache
def _measurer() -> Measurer:
    return Measurer(model.COLUMNS)


def measured(page: str, measurer: Measurer | None = None) -> tuple[Tree, Measurer]:
    """Parse and measure a page; both are valid until the next call."""
    data = page.encode("utf-8", "surrogatepass")
    tree = _parser.parse(data)
    measurer = measurer or _measurer()
    measurer.measure(tree, len(data))
    return tree, measurer


def rows_of(measurer: Measurer) -> np.ndarray[Any, Any]:
    """Return the features of the measured page's blocks, each of them filled alone."""
    from pipeline.kernels.html.features import COUNT

    rows = []
    for block in range(measurer.blocks.count):
        measurer.fill(block, block + 1)
        rows.append(measurer.matrix[0, :COUNT].copy())
    return np.array(rows, np.float32).reshape(-1, COUNT)
