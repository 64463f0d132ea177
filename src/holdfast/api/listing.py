"""Lists as every endpoint gives them: items, the cursor of the next page, a link.

``{"items": [...], "next": "..." or null}``, and while there is a next page a
``Link`` header (RFC 8288) with the whole address of it. A page that lacks something,
because there is too much to do, says what: ``"degraded": ["large_pages"]``.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import quote, urlencode

import msgspec
from litestar import Response

from holdfast.kernel.page import DEFAULT_LIMIT, MAX_LIMIT, Page

T = TypeVar("T")
_IN_PATHS = "/%"

Limit = Annotated[
    int, msgspec.Meta(ge=1, le=MAX_LIMIT, description="How many at the most.")
]
After = Annotated[
    str, msgspec.Meta(max_length=512, description="`next` of the page before.")
]


class Listing(msgspec.Struct, Generic[T], frozen=True):
    """One page of a list."""

    items: list[T]
    next: str | None
    degraded: list[str] | msgspec.UnsetType = msgspec.UNSET
    """What was left out under load; absent where nothing was."""


def listing(page: Page[T], path: str, **query: object) -> Response[Listing[T]]:
    """Answer with a page; *query* is what was asked besides ``after``."""
    return Response(
        Listing(page.items, page.next), headers=_link(path, query, page.next)
    )


def listing_of_json(
    items: str,
    after: str | None,
    path: str,
    degraded: Sequence[str] = (),
    besides: str = "",
    /,
    **query: object,
) -> Response[Any]:
    """The same for items that are JSON already, with commas between.

    *besides* are more members of the answer, as JSON with a comma before each.
    """
    next_ = "null" if after is None else f'"{after}"'
    lacks = ""
    if degraded:
        lacks = f',"degraded":{msgspec.json.encode(degraded).decode()}'
    return Response(
        f'{{"items":[{items}],"next":{next_}{lacks}{besides}}}'.encode(),
        media_type="application/json",
        headers=_link(path, query, after),
    )


def _link(path: str, query: dict[str, object], after: str | None) -> dict[str, str]:
    if after is None:
        return {}
    asked = {
        name: value
        for name, value in query.items()
        if value is not None and (name, value) != ("limit", DEFAULT_LIMIT)
    }
    # A handle may have letters of any script, a header none (RFC 3986 2.1). What is
    # quoted already, as an SKU with a slash, stays so.
    address = quote(path, safe=_IN_PATHS)
    return {"Link": f'<{address}?{urlencode({**asked, "after": after})}>; rel="next"'}
