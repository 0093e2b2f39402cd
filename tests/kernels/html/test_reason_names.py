"""Why a block was cut: what its neighbourhood says of it, by whole names and not by letters in them."""

import numpy as np
import pytest

from pipeline.kernels.html import model, reasons
from pipeline.kernels.html.measure import Measurer
from pipeline.kernels.html.parser import Parser


def reason_of(body: str) -> str:
    """Return the reason of the only block of a page, if it is cut."""
    data = f"<!DOCTYPE html><html><body><div>{body}</div></body></html>".encode()
    measured = Measurer(model.COLUMNS)
    blocks = measured.measure(Parser().parse(data), len(data))
    assert blocks.count == 1
    why = np.empty(1, np.uint8)
    reasons.explain(blocks.nodes, blocks.marks, measured.signals, np.zeros(1, np.uint8), 1, why)
    return reasons.REASONS[int(why[0])]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('<nav><p class="platform">Pricing</p></nav>', "navigation"),
        ('<p class="newsletter-form">Get the news</p>', "newsletter"),
        ('<section class="NewsletterBox"><p class="information">Get the news</p></section>', "newsletter"),
        ('<nav><p class="hide-mobile">Pricing</p></nav>', "navigation"),
        ('<p class="skip-link"><a href="#main">Skip to content</a></p>', "skip_link"),
        ('<p class="sr-only"><a href="#main">Skip to content</a></p>', "skip_link"),
        ('<nav><p class="sr-only"><a href="/about">About us</a></p></nav>', "navigation"),
        ('<nav><p class="sr-only"><a href="#">About us</a></p></nav>', "navigation"),
        ('<header><p class="topics">Sport</p></header>', "header"),
        ('<header><p class="updated">Sport</p></header>', "header"),
        ('<p class="post-tags">sport, running</p>', "metadata"),
        ('<p class="margin-bottom">Sport</p>', "boilerplate"),
        ('<div class="site-footer"><p class="margin-bottom">Sport</p></div>', "footer"),
        ('<p class="trailer">Sport</p>', "boilerplate"),
        ('<p class="outline-none">Sport</p>', "boilerplate"),
        ('<div id="banner"><a href="/book">Download the book</a></div>', "link_list"),
        ('<div class="ad-slot"><p>Buy this</p></div>', "advertisement"),
        ('<p class="cmp-text">Sport</p>', "boilerplate"),
        ('<div class="cookie-notice"><p class="cmp-text">We use cookies.</p></div>', "cookie_banner"),
        ("<nav><p>Pricing</p></nav>", "navigation"),
        ('<div class="related" role="navigation"><p>next</p></div>', "navigation"),
        ('<nav><ul><li class="previous">back</li></ul></nav>', "navigation"),
        ('<nav><div class="related-posts"><p>next</p></div></nav>', "related_content"),
        ("<p>© 2020 We</p>", "copyright"),
    ],
)
def test_a_reason_asks_for_a_whole_name(body: str, reason: str) -> None:
    assert reason_of(body) == reason
