"""What classes, ids, roles and tags say of each block-level element, and of what stands in it.

GROUPS are words that sites put into class and id names; each stands for a purpose. Matching is by parts of names, in lower
case, all separators being `-` ("Nav_Main" is "-nav-main-"). Which groups matter, and how much, is learned.
"""

from typing import Any

import numpy as np

from pipeline.kernels.bits import signed
from pipeline.kernels.html.blocks import BOX_TAG, NODE, PARENT
from pipeline.kernels.html.names import ATTRIBUTE, TAG, TAGS
from pipeline.kernels.html.options import entry, inner
from pipeline.kernels.html.vocabulary import listed
from pipeline.kernels.html.word_signals import MIX, PRIME, SEED, hashed, mixed

GROUPS = {
    "comment": "comment disqus respond discussion",
    "side": "sidebar side-bar rail aside secondary rightcol right-col leftcol left-col supplement",
    "foot": "foot colophon bottom",
    "head": "header masthead topbar top-bar toolbar",
    "nav": "nav menu drawer dropdown mega",
    "crumb": "crumb",
    "share": "share social follow facebook twitter whatsapp",
    "related": "related recommend recirc more- popular trending also similar upsell crosssell cross-sell next-post next-up"
    " next-article prev recent latest",
    "cookie": "cookie consent gdpr privacy onetrust cmp",
    "modal": "modal popup overlay dialog lightbox toast tooltip popover alert notice offcanvas",
    "newsletter": "newsletter subscri signup sign-up mailing optin opt-in leadform lead-form form",
    "ad": "-ads- -ad- advert sponsor promo banner dfp gpt affiliate",
    "byline": "author byline -meta- date time posted published avatar bio- user profile",
    "tags": "-tags- -tag- taxonomy categor topic label badge",
    "pagination": "pagin pager page-numbers loadmore load-more",
    "widget": "widget module plugin block-",
    "body": "content article post entry story body text copy prose markdown rich wysiwyg rte editor",
    "main": "-main primary center page-",
    "product": "product price cart buy shop sku variant swatch option stock shipping",
    "review": "review rating star testimonial quote",
    "item": "card item grid list tile result row feed teaser summary excerpt",
    "thread": "thread message reply answer question topic forum bbp vote signature",
    "caption": "caption credit figure image media gallery thumb carousel slide swiper",
    "hero": "hero jumbotron intro lead lede standfirst subtitle tagline headline title heading",
    "action": "-cta button btn action call-to",
    "faq": "faq accordion collaps toggle panel -tabs- -tab- tab-",
    "filter": "filter facet sort refine toolbar select swatch",
    "login": "login signin sign-in search account register",
    "skip": "skip sr-only screen-reader visuallyhidden visually-hidden hidden d-none hide",
    "contents": "-toc table-of-contents outline on-this-page jump",
    "copyright": "copyright legal disclaim terms license",
    "description": "desc detail about overview spec feature info summary",
    "code": "code highlight syntax pre- snippet",
    "section": "section container wrapper elementor wp-block vc- et-pb",
}
LANDMARKS = listed(
    """
main article nav aside header footer form table list section dialog noscript figure details button HIDDEN
blockquote pre li select td ITEMPROP_BODY ITEMPROP_OTHER dl p
    """
)
GROUP_COUNT = len(GROUPS)
NEAR_COLUMNS = 64  # distances to the nearest element of each group, then of each landmark, then unused
FAR = 30  # no such element around it
NEAR_NAMES = [*(f"group_{name}" for name in GROUPS), *(f"landmark_{name}" for name in LANDMARKS)]

# Columns of `classes`, one row a box: the tag as a small number, how many lists it is in, its first and last token.
TAG_CODE, LIST_DEPTH, FIRST_TOKEN, LAST_TOKEN = range(4)
CLASS_COLUMNS = 4
MAX_TOKENS = 24  # of one element
MAX_BYTES = 300  # of a class or id that are read

TAG_CODES = listed(
    """
p li div h1 h2 h3 h4 h5 h6 td th pre blockquote dt dd button figcaption section article option summary legend
header footer nav aside main ul ol form figure tr body noscript details picture caption address center a span b
strong em i code time label img font small input table tbody dl
    """
)
_CODE = np.zeros(len(TAGS) + 1, np.uint8)
for _code, _name in enumerate(TAG_CODES):
    _CODE[TAG[_name]] = _code + 1

_LANDMARK = np.full(len(TAGS) + 1, 255, np.uint8)
for _name in LANDMARKS:
    if _name in TAG:
        _LANDMARK[TAG[_name]] = LANDMARKS.index(_name)
for _name in ("ul", "ol", "menu", "dir"):
    _LANDMARK[TAG[_name]] = LANDMARKS.index("list")
_HIDDEN, _BODY, _OTHER = (LANDMARKS.index(name) for name in ("HIDDEN", "ITEMPROP_BODY", "ITEMPROP_OTHER"))
_LISTS = np.zeros(len(TAGS) + 1, np.bool_)
_LISTS[[TAG["ul"], TAG["ol"], TAG["dl"], TAG["menu"]]] = True

# Roles of WAI-ARIA that say the same as an element.
ROLES = {
    "main": "main", "navigation": "nav", "banner": "header", "contentinfo": "footer", "complementary": "aside",
    "dialog": "dialog", "alertdialog": "dialog", "search": "form", "article": "article", "menu": "nav", "menubar": "nav",
    "list": "list", "listitem": "li", "button": "button", "form": "form",
}  # fmt: skip
_ROLE_HASHES = np.array([hashed(name) for name in ROLES], np.uint64)
_ROLE_LANDMARKS = np.array([LANDMARKS.index(name) for name in ROLES.values()], np.uint8)
# Properties of schema.org whose value is the text of the page.
_BODY_HASHES = np.array(
    [hashed(n) for n in ["articlebody", "text", "description", "reviewbody", "maincontentofpage", "mainentity"]],
    np.uint64,
)
_CLASS, _ID, _ROLE, _ITEMPROP, _ARIA_HIDDEN, _STYLE, _HIDDEN_ATTRIBUTE = (
    ATTRIBUTE[name] for name in ("class", "id", "role", "itemprop", "aria-hidden", "style", "hidden")
)
_TRUE = hashed("true")


def automaton() -> tuple[Any, Any]:
    """Aho and Corasick's automaton (1975) of the parts of names in GROUPS: next state by state and letter, groups by state.

    Letters: 0 a separator, 1 to 26 a to z, 27 anything else. Groups: one bit each.
    """
    nexts: list[dict[int, int]] = [{}]
    found = [0]
    for bit, parts in enumerate(GROUPS.values()):
        for part in parts.split():
            state = 0
            for letter in part:
                code = 0 if letter == "-" else ord(letter) - 96
                if code not in nexts[state]:
                    nexts[state][code] = len(nexts)
                    nexts.append({})
                    found.append(0)
                state = nexts[state][code]
            found[state] |= 1 << bit
    table = np.zeros((len(nexts), 28), np.int16)
    fails = [0] * len(nexts)
    waiting = list(nexts[0].values())
    for code, state in nexts[0].items():
        table[0, code] = state
    for state in waiting:
        fail = fails[state]
        found[state] |= found[fail]
        table[state] = table[fail]
        for code, after in nexts[state].items():
            fails[after] = int(table[fail, code])
            table[state, code] = after
            waiting.append(after)
    return table, np.array(found, np.uint64)


_NEXT, _FOUND = automaton()
_LETTER = np.zeros(256, np.uint8)
_LETTER[[*range(97, 123)]] = range(1, 27)
_LETTER[[*range(65, 91)]] = range(1, 27)
_LETTER[[*range(48, 58), *range(128, 256)]] = 27


@inner
def tokenize(values: Any, at: int, length: int, tokens: Any, total: int, limit: int) -> Any:
    """Hash the names in a class or id and their parts into `tokens`, from `total` on; returns the groups that match (bits).

    A name gives one token (digits as one 0), and one for each of its parts of three letters or more, divided by separators
    and by capitals. The number of tokens is left in tokens[limit].
    """
    groups = np.uint64(0)
    state = signed(_NEXT[0, 0])
    whole = part = SEED
    letters = 0
    digit_before = False
    name_letters = parts = 0
    end = at + min(length, MAX_BYTES)
    for i in range(at, end + 1):
        byte = signed(values[i]) if i < end else signed(32)
        code = signed(_LETTER[byte])
        state = signed(_NEXT[state, code])
        groups |= _FOUND[state]
        upper = 65 <= byte <= 90
        digit = 48 <= byte <= 57
        space = byte == 32 or 9 <= byte <= 13
        if code == 0 or digit or (upper and i > at and 97 <= values[i - 1] <= 122):
            if letters > 2 and total < limit:
                tokens[total] = mixed(part)
                total += 1
                parts += 1
            part = SEED
            letters = 0
        if space:
            # A name of one part is that part.
            if name_letters and total < limit and not (parts == 1 and tokens[total - 1] == mixed(whole)):
                tokens[total] = mixed(whole)
                total += 1
            whole = SEED
            name_letters = parts = 0
            digit_before = False
            continue
        lower = np.uint64(byte + 32 if upper else byte)
        if digit:
            if not digit_before:
                whole = (whole ^ np.uint64(48)) * PRIME
        else:
            whole = (whole ^ lower) * PRIME
        digit_before = digit
        name_letters += 1
        if code and not digit:
            part = (part ^ lower) * PRIME
            letters += 1
    tokens[limit] = np.uint64(total)
    return groups


@inner
def attribute_hash(values: Any, at: int, length: int) -> Any:
    """Hash of a whole attribute value, ASCII letters in lower case."""
    value = SEED
    for i in range(at, at + length):
        byte = values[i]
        value = (value ^ np.uint64(byte + 32 if 65 <= byte <= 90 else byte)) * PRIME
    return mixed(value)


@entry
def read_classes(
    nodes: Any, marks: Any, boxes: Any, count: int, classes: Any, near: Any, shapes: Any, tokens: Any, scratch: Any
) -> Any:
    """Fill `classes` (columns above), `near` (count, NEAR_COLUMNS; uint8), `shapes` (a hash of tag and classes) and `tokens`.

    Returns the number of tokens. The first token of a box is its tag's.
    """
    total = 0
    for box in range(count):
        node = boxes[box, NODE]
        around = boxes[box, PARENT]
        tag = signed(boxes[box, BOX_TAG])
        classes[box, TAG_CODE] = _CODE[tag]
        row = near[box]
        if around >= 0:
            for i in range(NEAR_COLUMNS):
                row[i] = min(near[around, i] + 1, FAR)
            classes[box, LIST_DEPTH] = classes[around, LIST_DEPTH] + _LISTS[tag]
        else:
            row[:] = FAR
            classes[box, LIST_DEPTH] = 0
        landmark = signed(_LANDMARK[tag])
        if landmark != 255:
            row[GROUP_COUNT + landmark] = 0
        classes[box, FIRST_TOKEN] = total
        tokens[total] = mixed(np.uint64(tag) * PRIME)
        shape = tokens[total]
        total += 1
        groups = np.uint64(0)
        used = 0
        for attribute in range(nodes.first_attribute[node], nodes.last_attribute[node]):
            name = nodes.attributes[attribute, 0]
            if name == 0:
                continue
            at = nodes.attributes[attribute, 3]
            length = nodes.attributes[attribute, 4]
            if name == _CLASS or name == _ID:
                # Classes of <body> and <html> tell of the page, not of the place in it.
                if boxes[box, PARENT] <= 1:
                    continue
                groups |= tokenize(nodes.values, at, length, scratch, used, MAX_TOKENS)
                used = signed(scratch[MAX_TOKENS])
            elif name == _ROLE:
                value = attribute_hash(nodes.values, at, length)
                for i in range(len(_ROLE_HASHES)):
                    if _ROLE_HASHES[i] == value:
                        row[GROUP_COUNT + _ROLE_LANDMARKS[i]] = 0
            elif name == _ITEMPROP:
                value = attribute_hash(nodes.values, at, length)
                which = _OTHER
                for i in range(len(_BODY_HASHES)):
                    if _BODY_HASHES[i] == value:
                        which = _BODY
                row[GROUP_COUNT + which] = 0
            elif name == _ARIA_HIDDEN and length == 4:  # "true"
                row[GROUP_COUNT + _HIDDEN] = 0
        if marks.flags[node] & 1 and (around < 0 or not marks.flags[boxes[around, NODE]] & 1):
            row[GROUP_COUNT + _HIDDEN] = 0
        for i in range(GROUP_COUNT):
            if groups >> np.uint64(i) & np.uint64(1):
                row[i] = 0
        for i in range(used):
            tokens[total] = scratch[i]
            shape += scratch[i] * MIX
            total += 1
        shapes[box] = mixed(shape)
        classes[box, LAST_TOKEN] = total
    return total
