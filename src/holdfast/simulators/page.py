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
body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem;
  padding: 0 1rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: 1rem 0; }
caption { font-weight: 600; text-align: start; }
th, td { border-bottom: 1px solid; padding: .25rem .75rem .25rem 0; text-align: start; }
td { font-variant-numeric: tabular-nums; }
"""
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
    head = tag("tr", *(tag("th", column, scope="col") for column in columns))
    body = [
        tag(
            "tr", tag("th", row[0], scope="row"), *(tag("td", cell) for cell in row[1:])
        )
        for row in rows
    ]
    if not body:
        body.append(tag("tr", tag("td", "none yet", colspan=str(len(columns)))))
    drawn = tag(
        "table", tag("caption", caption), tag("thead", head), tag("tbody", *body)
    )
    # Scrolling regions must be reachable by keyboard, hence the tab stop and name.
    region = {"class": "wide", "role": "region", "tabindex": "0", "aria-label": caption}
    return tag("div", drawn, **region)


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
