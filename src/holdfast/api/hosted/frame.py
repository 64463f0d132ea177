"""Templates, and the headers that every page carries.

A page loads one stylesheet of ours and nothing else, runs no script, cannot be put
into a frame, tells no other site its address and is kept by no cache. Its forms lead
to this site; where a client waits for the answer they may end at an address of its
kind. Chromium holds ``form-action`` against every redirect that follows a form, and a
client may send the browser on to wherever it likes: its origin alone would not do.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
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

_LOOPBACK = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?")
_OWN_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(?:\.[a-z0-9+-]+)+")
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

    Nothing of a target but its kind gets into the policy: the web over TLS, this very
    machine, or the scheme of an application's own (``com.example.app:``).
    """
    found = (source for target in form_targets for source in _sources(target))
    sources = dict.fromkeys(("'self'", *found))
    policy = (
        "default-src 'none'; style-src 'self'; img-src 'self'; "
        f"form-action {' '.join(sources)}; frame-ancestors 'none'; base-uri 'none'"
    )
    return {"Content-Security-Policy": policy, **_GUARDS}


def _sources(target: str) -> Iterator[str]:
    """Where the redirects after a form may lead, if they lead to *target* first."""
    parts = urlsplit(target)
    if parts.scheme in ("http", "https"):
        yield "https:"
        machine = _LOOPBACK.fullmatch(parts.netloc)
        if parts.scheme == "http" and machine is not None:
            # Of several programs on one machine each has a port, and any of its names;
            # a policy has no words for an IPv6 address.
            names = ("http://localhost:*", "http://127.0.0.1:*")
            yield from ("http:",) if machine[1] == "[::1]" else names
    elif _OWN_SCHEME.fullmatch(parts.scheme):
        yield f"{parts.scheme}:"


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
