"""HTML that may stand in a product's description, and nothing else.

An allow-list: text, lists, tables, links and pictures as a shop needs them.
Everything else is taken out, scripts and styles with their content. What a
browser would run (``on...`` attributes, ``javascript:`` addresses, forms,
frames, SVG) is not on the list. Sanitising twice is the same as once.

Bounded: to take apart what is nested takes the square of its length. What is longer
than a description may be is not taken apart; it stays too long, and is no HTML. The
worst that is as long takes half a second and 180 MB.
"""

# ruff: noqa: SIM905 - tag names read better as words than as a list
import re

import nh3

MAX_HTML = 65_535
"""Characters of a text with markup."""

ALLOWED_TAGS = frozenset(
    "a abbr b blockquote br caption code dd del div dl dt em figcaption figure h1 h2"
    " h3 h4 h5 h6 hr i img ins li ol p pre q s small span strong sub sup table tbody"
    " td tfoot th thead tr u ul".split()
)
ALLOWED_ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title", "width", "height"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
}
ALLOWED_SCHEMES = frozenset({"http", "https", "mailto", "tel"})


# HTML opens what is emphasised anew in each paragraph after the one in which it was not
# closed: all that differs, though of what is alike no more than three (WHATWG HTML,
# "reconstruct the active formatting elements"). Each attribute is a difference: 5,000
# characters became a megabyte, and 65,000 would take 8 GB of memory.
_EMPHASIS = re.compile(
    r"<(b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)[\s/][^>]*(>|\Z)",
    re.ASCII | re.IGNORECASE,
)
_MOST_ANEW = 200_000
"""Emphasis with attributes times tags: up to 50 MB of what is opened anew."""

# Made once: to lay the lists out for each text would take ten times as long as that.
_CLEANER = nh3.Cleaner(
    tags=set(ALLOWED_TAGS),
    attributes=ALLOWED_ATTRIBUTES,
    url_schemes=set(ALLOWED_SCHEMES),
    link_rel="noopener noreferrer nofollow",
)


def sanitise(html: str) -> str:
    """Take out of *html* whatever is not on the lists above; 2 us for a short text."""
    if len(html) > MAX_HTML:
        # Whoever checks its length refuses it. Without a "<" there is no tag in it for
        # whoever does not.
        return html.replace("<", "&lt;")
    cleaned = _CLEANER.clean(_plainer(html)).strip()
    if len(cleaned) > MAX_HTML:
        return cleaned
    # By now there may be more of it; then it goes, and does not come back.
    plain = _plainer(cleaned)
    return cleaned if plain == cleaned else _CLEANER.clean(plain).strip()


def _plainer(html: str) -> str:
    """The same, where it could grow too much with emphasis that has no attributes."""
    if html.count("<") * len(_EMPHASIS.findall(html)) <= _MOST_ANEW:
        return html
    return _EMPHASIS.sub(r"<\1\2", html)
