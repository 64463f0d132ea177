"""The pages people read: the API's documentation, and one page for each problem.

Everything they load comes from this process, and their security policy holds the
browser to that. The pages of problems are Markdown files beside this one: the
``type`` of a problem document leads to its page.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from string import Template

from litestar import Response
from markdown_it import MarkdownIt

from holdfast.api import openapi
from holdfast.api.shop import Shop
from holdfast.kernel.errors import NotFound

_HERE = resources.files("holdfast.api")
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_ASSETS = {
    "docs.js": ("assets/docs.js", "text/javascript"),
    "favicon-32x32.png": ("assets/swagger-ui/favicon-32x32.png", "image/png"),
    "page.css": ("assets/page.css", "text/css"),
    "swagger-ui-bundle.js": (
        "assets/swagger-ui/swagger-ui-bundle.js",
        "text/javascript",
    ),
    "swagger-ui.css": ("assets/swagger-ui/swagger-ui.css", "text/css"),
}
_FOR_AN_HOUR = {"Cache-Control": "public, max-age=3600"}
_PAGE = {
    **_FOR_AN_HOUR,
    # Swagger UI sets style attributes and draws its icons from data URLs.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; connect-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    ),
}


@dataclass(eq=False)
class PageNotFound(NotFound):
    """There is no such page."""


async def docs() -> Response[str]:
    """The documentation, to read and to try."""
    html = _HERE.joinpath("assets/docs.html").read_text("utf-8")
    return Response(html, media_type="text/html", headers=_PAGE)


async def asset(name: str) -> Response[bytes]:
    """A file that the pages load."""
    if name not in _ASSETS:
        raise PageNotFound
    path, media_type = _ASSETS[name]
    return Response(_read(path), media_type=media_type, headers=_FOR_AN_HOUR)


async def problem(slug: str) -> Response[str]:
    """What a problem type means and what to do about it."""
    html = page_of(slug)
    if html is None:
        raise PageNotFound
    return Response(html, media_type="text/html", headers=_PAGE)


async def document(shop: Shop) -> Response[bytes]:
    """The OpenAPI document of this API."""
    return Response(
        openapi.encoded(shop.routes),
        media_type="application/json",
        headers={"Cache-Control": "public, max-age=60"},
    )


@lru_cache(256)
def page_of(slug: str) -> str | None:
    """The page of a problem type as HTML; None if there is no such type."""
    if _SLUG.fullmatch(slug) is None:
        return None
    file = _HERE.joinpath("problem_pages", f"{slug}.md")
    if not file.is_file():
        return None
    text = file.read_text("utf-8")
    title = text.partition("\n")[0].removeprefix("# ")
    template = Template(_HERE.joinpath("assets/page.html").read_text("utf-8"))
    # "js-default" escapes HTML, so that an example in a page is shown, not run.
    content = MarkdownIt("js-default").render(text)
    return template.substitute(title=title, content=content)


@lru_cache(len(_ASSETS))
def _read(path: str) -> bytes:
    return _HERE.joinpath(path).read_bytes()
