"""What each reason of the ledger means, in one plain sentence; and what each stage of the way does.

A reason is the name under which a record is counted that is not in the corpus. The names are made where records are read
(`formats`), judged (`curate`) and compared (`dedup`); a test holds this list complete against them. Names with a part of
their own (a filter of datatrove, an error) are told by their form (`FORMS`). What is not known is said to be so: a release
may have been built by later code.
"""

import re

# In the order in which a record goes through them; of each what it does to a record.
STAGES = {
    "read": "Find the records of each upstream file and read their bytes.",
    "extract": "Take the text out of a record.",
    "judge": "Ask the recipe's rules of each text; the first that fails is the reason.",
    "dedup": "Compare the texts, and keep one of those that are alike.",
    "takedown": "Take documents out of a release that was published before.",
}

# Why a block of a web page's text is not part of a document.
CUTS = {
    "advertisement": "Advertising, and links that are paid for.",
    "boilerplate": "Text around the main content that fits no other reason.",
    "breadcrumbs": "Where the page stands in its site: a path of links.",
    "comments": "What readers wrote below the main content.",
    "cookie_banner": "A notice about cookies or consent.",
    "copyright": "A line about rights.",
    "dialog": "A window over the page: a login, a question.",
    "footer": "The foot of the page.",
    "form": "Labels and buttons of a form.",
    "header": "The head of the site or page, beside its heading.",
    "hidden": "Text that an attribute or a style of the page hides.",
    "link_list": "A list of nothing but links.",
    "metadata": "Facts about the page: dates, tags, who wrote it.",
    "navigation": "Menus and links to other pages of the site.",
    "newsletter": "An invitation to subscribe.",
    "pagination": "Links to the page before, the next one, or one by number.",
    "related_content": "Titles and beginnings of other pages.",
    "share_links": "Links that share the page elsewhere.",
    "sidebar": "A column beside the main content.",
    "skip_link": "A link that leads past the menus.",
    "table_of_contents": "A list of the page's own headings.",
}

READ = {
    "unreadable:binary": "The bytes are no text: they hold too many control characters.",
    "unreadable:bomb": "It unpacks to far more bytes than a true file of its size would.",
    "unreadable:charset": "The bytes are no valid text in the encoding that they are said to have.",
    "unreadable:compression": "It is compressed by a method that is not read.",
    "unreadable:duplicate_key": "A JSON object has one key twice, so that it is not clear what it says.",
    "unreadable:duplicate_member": "The archive holds two files of this name, so that it is not clear which is meant.",
    "unreadable:encrypted": "It is encrypted.",
    "unreadable:http": "The web server's answer is broken.",
    "unreadable:json": "It is no valid JSON.",
    "unreadable:link": "It is a link to another file, and no file itself.",
    "unreadable:mail": "The mail is broken.",
    "unreadable:no_pages": "The file is no wiki dump: there is no page in it.",
    "unreadable:no_records": "Nothing in the file stands where the recipe says that records are.",
    "unreadable:not_an_object": "The line is valid JSON, but no object with named fields.",
    "unreadable:sparse": "It is a file with holes, which are not stored in the archive.",
    "unreadable:special": "It is no regular file, but a device or a pipe.",
    "unreadable:surrogate": "The text holds half of a character, which no text may.",
    "unreadable:too_deep": "It is nested too deep to be read.",
    "unreadable:too_large": "It is larger than a record may be.",
    "unreadable:truncated": "The file ends before it is whole.",
    "unreadable:unsafe_path": "Its name in the archive leads out of the archive, or is no name of a file.",
    "unreadable:warc_header": "There is no valid head of a web archive's record.",
    "unreadable:xml": "It is no valid XML.",
}
EXTRACT = {
    "empty": "Nothing but white space is left when the text is taken out.",
    "http_status": "The web server did not answer with the page, but with an error or a redirection.",
    "no_main_content": "All visible text of the web page was cut: it holds navigation, lists of links, notices, and no text.",
    "namespace": "The wiki page is not of a kind that the recipe asks for: a talk page, a template, a file.",
    "no_text": "The record has no text where the recipe says that texts are.",
    "not_html": "The web server's answer is no HTML page.",
    "not_http": "The web archive's record is no answer of a web server.",
    "not_wikitext": "The wiki page holds no wiki text: a style sheet, a program.",
    "opt_out": "An opt-out list of the recipe names it: somebody asked that it be left out.",
    "redirect": "The wiki page only leads to another one.",
    "text_not_string": "Where the text should stand is something else: a number, a list.",
    "warc_continuation": "The web archive's record is a part of another one.",
    "warc_conversion": "The web archive's record is another record in another form.",
    "warc_metadata": "The web archive's record is about another one, and no page.",
    "warc_request": "The web archive's record is what was asked of the web server, and not its answer.",
    "warc_resource": "The web archive's record is no answer of a web server.",
    "warc_revisit": "The web archive's record says that the page was the same as before.",
    "warc_unknown": "The web archive's record is of an unknown kind.",
    "warc_warcinfo": "The web archive's record is about the archive itself.",
}
_MOST = "The most frequent run of {} words makes up too large a share of the characters."
_MORE = "Runs of {} words that stood before in the text make up too large a share of the characters."
JUDGE = {
    "too_short": "The text has too few characters.",
    "too_long": "The text has too many characters.",
    "language": "The text's most likely language is none that the recipe asks for.",
    "language_score": "It is too uncertain which language the text is in.",
    "gopher_short_doc": "The text has too few words.",
    "gopher_long_doc": "The text has too many words.",
    "gopher_below_avg_threshold": "The words are too short on average.",
    "gopher_above_avg_threshold": "The words are too long on average, as in tables of names or in code.",
    "gopher_too_many_hashes": "There are too many # signs for each word.",
    "gopher_too_many_ellipsis": "There are too many ellipses (...) for each word.",
    "gopher_too_many_bullets": "Too large a share of the lines begins with a bullet.",
    "gopher_too_many_end_ellipsis": "Too large a share of the lines ends in an ellipsis.",
    "gopher_below_alpha_threshold": "Too small a share of the words has a letter in it.",
    "gopher_enough_stop_words": "There are too few of the small words of English: the, be, to, of, and, that, have, with.",
    "empty": "There is no line, or no character, in the text.",
    "dup_para_frac": "Too large a share of the paragraphs stood before in the text.",
    "dup_para_char_frac": "Paragraphs that stood before in the text make up too large a share of the characters.",
    "dup_line_frac": "Too large a share of the lines stood before in the text.",
    "dup_line_char_frac": "Lines that stood before in the text make up too large a share of the characters.",
    **{f"top_{n}_gram": _MOST.format(n) for n in (2, 3, 4)},
    **{f"duplicated_{n}_n_grams": _MORE.format(n) for n in range(5, 11)},
    **{f"gopher_v1_fraction_of_characters_in_most_common_{n}grams": _MOST.format(n) for n in (2, 3, 4)},
    **{f"gopher_v1_fraction_of_characters_in_duplicate_{n}grams": _MORE.format(n) for n in range(5, 11)},
    "gopher_v1_word_count": "The text has too few words, or too many.",
    "gopher_v1_median_word_length": "The word in the middle, by length, is too short or too long.",
    "gopher_v1_symbol_to_word_ratio": "There are too many # signs and ellipses for each word.",
    "gopher_v1_fraction_of_words_with_alpha_character": "Too small a share of the words has a letter in it.",
    "gopher_v1_required_word_count": "There are too few of the small words of English: the, be, to, of, and, that, have, with.",
    "gopher_v1_fraction_of_lines_starting_with_bullet_point": "Too large a share of the lines begins with a bullet.",
    "gopher_v1_fraction_of_lines_ending_with_ellipsis": "Too large a share of the lines ends in an ellipsis.",
    "gopher_v1_fraction_of_duplicate_lines": "Too large a share of the lines stands more than once.",
    "gopher_v1_fraction_of_characters_in_duplicate_lines": (
        "Lines that stand more than once make up too large a share of the characters."
    ),
    "line_punct_ratio": "Too small a share of the lines ends as a sentence does.",
    "short_line_ratio": "Too large a share of the lines is short.",
    "char_dup_ratio": "Lines that stood before in the text make up too large a share of the characters.",
    "list_ratio": "There are too many line ends for each word, as in lists.",
    "lorem_ipsum": "The text holds the filler text lorem ipsum.",
    "curly_bracket": "The text holds a curly bracket, as code does.",
    "too_few_sentences": "There are too few sentences in the lines that are left.",
    "emptied": "No line is left when those are removed that the rule refuses.",
    "too_few_letters": "Too small a share of the characters are letters.",
    "too_many_uppercase": "Too large a share of the letters are capitals.",
    "too_many_digits": "Too large a share of the characters are digits.",
    "too_many_symbols": "Too large a share of the characters are punctuation and symbols.",
    "too_many_spaces": "Too large a share of the characters is white space.",
    "short_lines": "The lines are too short on average.",
    "long_lines": "The lines are too long on average.",
    "longest_line": "The longest line is too long.",
    "url_domain_not_allowed": "Its URL is of no domain that the recipe asks for.",
    "url_domain_blocked": "Its URL is of a domain that the recipe leaves out.",
    "url_word_blocked": "Its URL holds a word that the recipe leaves out.",
    "repeated_lines/emptied": "All of the text are lines or paragraphs that stand in many documents of its source.",
}
DEDUP = {
    "exact_duplicate": "The same text, white space aside, is in the corpus already.",
    "near_duplicate": "A text that shares most of its runs of five words is in the corpus already.",
}
TAKEDOWN = {"takedown": "It was taken out after it was published. Who asked, and why, is not recorded."}
MEANINGS = {"read": READ, "extract": EXTRACT, "judge": JUDGE, "dedup": DEDUP, "takedown": TAKEDOWN}

# Reasons of the stage `judge` with a part of their own.
FORMS = (
    (
        re.compile(r"datatrove/([^/]+)/error:(.+)", re.DOTALL),
        "The filter {0} of datatrove failed on this text with {1}.",
    ),
    (re.compile(r"datatrove/([^/]+)/emptied", re.DOTALL), "The filter {0} of datatrove left nothing of the text."),
    (re.compile(r"datatrove/([^/]+)(?:/(.+))?", re.DOTALL), "The filter {0} of datatrove refuses it."),
)
UNKNOWN = "A reason that this version of Pellucid does not know."


def sentence(stage: str, reason: str) -> str:
    """What a reason means. It may hold parts of the reason itself, which are somebody else's words."""
    known = MEANINGS.get(stage, {}).get(reason)
    if known is None and stage == "judge":
        for form, told in FORMS:
            if found := form.fullmatch(reason):
                return told.format(*found.groups())
    return known or UNKNOWN
