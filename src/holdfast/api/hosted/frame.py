"""Templates, and the headers that every page carries.

A page loads one stylesheet of ours and nothing else, runs no script, cannot be put
into a frame, tells no other site its address and is kept by no cache. Its forms may
lead to this site, and to the one client that waits for the answer: browsers hold
``form-action`` against the redirects that follow a form, too.
"""

import hashlib
import re
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

import jinja2
from litestar import Response
from litestar.datastructures import Cookie

from holdfast.api.pages import PageNotFound

_HERE = resources.files("holdfast.api.hosted")
_STYLE = _HERE.joinpath("style.css").read_bytes()
STYLE_NAME = f"pages-{hashlib.sha256(_STYLE).hexdigest()[:16]}.css"
"""A new name for each change, so that browsers may keep the file for ever."""

_SOURCE = re.compile(
    r"https?://[a-z0-9.-]+(?::\d{1,5})?|https?://\[[0-9a-f:]+\](?::\d{1,5})?"
    r"|[a-z][a-z0-9+.-]*:",
    re.IGNORECASE,
)
_GUARDS = {
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": (
        "camera=(), geolocation=(), microphone=(), payment=(), usb=(), "
        "browsing-topics=(), interest-cohort=()"
    ),
}


def guards(form_targets: Iterable[str] = ()) -> dict[str, str]:
    """The headers of a page whose forms may lead to *form_targets* besides us.

    Each target is an address; only its origin is named, or its scheme for an
    application's own (``com.example.app:``).
    """
    sources = ["'self'"]
    for target in form_targets:
        parts = urlsplit(target)
        web = parts.scheme in ("http", "https")
        source = f"{parts.scheme}://{parts.netloc}" if web else f"{parts.scheme}:"
        # Whatever is not an origin in letters we know must not end up in a policy.
        if _SOURCE.fullmatch(source):
            sources.append(source)
    policy = (
        "default-src 'none'; style-src 'self'; img-src 'self'; "
        f"form-action {' '.join(sources)}; frame-ancestors 'none'; base-uri 'none'"
    )
    return {"Content-Security-Policy": policy, **_GUARDS}


def write(
    template: str,
    *,
    status: int = 200,
    form_targets: Iterable[str] = (),
    cookies: Iterable[Cookie] = (),
    headers: dict[str, str] | None = None,
    **values: Any,
) -> Response[str]:
    """A page made of *template* and *values*."""
    return Response(
        html(template, **values),
        status_code=status,
        media_type="text/html",
        headers={**guards(form_targets), **(headers or {})},
        cookies=list(cookies),
    )


def html(template: str, **values: Any) -> str:
    """The text of a page; whatever is put into it is escaped."""
    return _templates().get_template(template).render(style=STYLE_NAME, **values)


async def asset(name: str) -> Response[bytes]:
    """The stylesheet of the pages."""
    if name != STYLE_NAME:
        raise PageNotFound
    forever = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(_STYLE, media_type="text/css", headers=forever)


@lru_cache(1)
def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("holdfast.api.hosted"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters["moment"] = _moment
    return environment


def _moment(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"
