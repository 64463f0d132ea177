"""The small page that shows a simulator's state to a person.

Self-contained: one inline style sheet, named by its hash in the policy, and no
script. Every text is escaped unless it is already ``Markup``, which only ``tag``
makes.
"""

import base64
import hashlib
import html
from collections.abc import Iterable

from holdfast.simulators.web import Reply

_STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 90rem;
  padding: 0 1rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: 1rem 0; }
caption { font-weight: 600; text-align: start; white-space: nowrap; }
th, td { border-bottom: 1px solid; padding: .25rem .75rem .25rem 0; text-align: start; }
td { font-variant-numeric: tabular-nums; }
.facts { display: flex; flex-wrap: wrap; gap: 0 3rem; }
.long { font-size: .875rem; }
.long th, .long td { vertical-align: baseline; }
button { font: inherit; margin: .5rem 1rem .5rem 0; padding: .5rem 1.5rem; }
@media (max-width: 48rem) {
  .long, .long tbody, .long tr, .long th, .long td { display: block; }
  .long caption { display: block; white-space: normal; }
  .long thead { display: none; }
  .long tr { border-bottom: 1px solid; padding: .5rem 0; }
  .long th, .long td { border: 0; overflow-wrap: anywhere; padding: 0; }
  .long [data-label]:not(:empty)::before { content: attr(data-label) ": "; }
}
"""
_LONG_COLUMNS = 6
"""From so many on, a row is a block of its own where the page is narrow."""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def tag(name: str, /, *content: object, **attributes: str) -> Markup:
    opening = "".join(
        f' {key}="{html.escape(value)}"' for key, value in attributes.items()
    )
    return Markup(f"<{name}{opening}>{_escaped(content)}</{name}>")


def table(
    caption: str, columns: tuple[str, ...], rows: Iterable[tuple[object, ...]]
) -> Markup:
    """The first cell of each row names it."""
    is_long = len(columns) >= _LONG_COLUMNS
    head = tag("tr", *(tag("th", column, scope="col") for column in columns))
    body = [
        tag(
            "tr",
            tag("th", row[0], scope="row"),
            *(
                tag("td", cell, **({"data-label": column} if is_long else {}))
                for column, cell in zip(columns[1:], row[1:], strict=True)
            ),
        )
        for row in rows
    ]
    if not body:
        body.append(tag("tr", tag("td", "none yet", colspan=str(len(columns)))))
    drawn = tag(
        "table",
        *(tag("caption", caption), tag("thead", head), tag("tbody", *body)),
        **({"class": "long"} if is_long else {}),
    )
    # Scrolling regions must be reachable by keyboard, hence the tab stop and name.
    region = {"class": "wide", "role": "region", "tabindex": "0", "aria-label": caption}
    return tag("div", drawn, **region)


def facts(*tables: Markup) -> Markup:
    """Small tables side by side, as far as there is room."""
    return tag("section", *tables, **{"class": "facts"})


def link(content: object, address: str) -> Markup:
    return tag("a", content, href=address)


def form(*content: Markup, action: str) -> Markup:
    return tag("form", *content, method="post", action=action)


def page(
    title: str, lead: str, *parts: Markup, forms_to: tuple[str, ...] = ("'none'",)
) -> Reply:
    """*forms_to*: where its forms may lead, as the policy writes it."""
    policy = f"{_POLICY}; form-action {' '.join(forms_to)}"
    document = tag(
        "html",
        tag(
            "head",
            Markup('<meta charset="utf-8">'),
            Markup('<meta name="viewport" content="width=device-width">'),
            tag("title", title),
            tag("style", Markup(_STYLE)),
        ),
        tag("body", tag("main", tag("h1", title), tag("p", lead), *parts)),
        lang="en",
    )
    return Reply(
        200,
        f"<!doctype html>{document}".encode(),
        b"text/html; charset=utf-8",
        (
            (b"content-security-policy", policy.encode()),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
        ),
    )


def _escaped(content: Iterable[object]) -> str:
    return "".join(
        part if isinstance(part, Markup) else html.escape(str(part)) for part in content
    )
