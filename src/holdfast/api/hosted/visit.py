"""What a browser brings to a page, and what it is sent away with.

Forms are guarded twice. Browsers that say where a form was sent from
(``Sec-Fetch-Site``, ``Origin``) are believed when they say "elsewhere". And each form
carries a token, a keyed hash of the browser's form cookie and its session: another site
can make a browser send a form, and knows neither.
"""

import base64
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import UUID

import msgspec
from litestar import Request, Response
from litestar.datastructures import Cookie

from holdfast.api import decoding
from holdfast.api.hosted import frame, waiting
from holdfast.api.shop import Shop
from holdfast.domain.accounts import BROWSER_LONGEST, Session
from holdfast.domain.identity import Origin
from holdfast.kernel.errors import Forbidden
from holdfast.platform.vault import CannotOpen
from holdfast.workflows import sessions
from holdfast.workflows.sign_in import Proved

SESSION, FORM, PLACE = "session", "form", "place"
CHALLENGE, OUTSIDE, PENDING = "challenge", "outside", "pending"
TICKET = "ticket"
_LIVES_SECONDS = {
    SESSION: int(BROWSER_LONGEST.total_seconds()),
    FORM: 86_400,
    PLACE: 365 * 86_400,
    CHALLENGE: 300,
    OUTSIDE: 600,
    PENDING: 900,
    TICKET: 86_400,
}
_ACCOUNT = "/account"
# Only these two, in visible ASCII: no other host can be spelled after them.
_MAY_RETURN_TO = re.compile(
    r"(?:/oauth/authorize\?|/account(?:/[a-z]|\Z))[!-\[\]-~]*", re.ASCII
)
_LONGEST_RETURN = 4096
_COOKIE = re.compile(r"[A-Za-z0-9._~-]{1,3800}")


@dataclass(eq=False)
class FormRefused(Forbidden):
    """This form did not come from this browser's page, or the page was too old."""


class Visit:
    """One request of a browser for a page."""

    def __init__(
        self, shop: Shop, request: Request[Any, Any, Any], origin: Origin
    ) -> None:
        self.shop = shop
        self.origin = origin
        self._request = request
        self._https = shop.settings.public_url.startswith("https://")
        self._cookies = self._read_cookies()
        self._sent: dict[str, Cookie] = {}
        query = request.scope["query_string"]
        self.query = decoding.read_query(query) if query else {}
        self.return_to = allowed_return(self.query.get("return_to", ""))
        self._session: Session | None = None

    # what it brought ---------------------------------------------------------

    def cookie(self, kind: str) -> str | None:
        """The value of a cookie of ours; None if there is none, or an odd one."""
        return self._cookies.get(kind)

    def opened(self, kind: str, shape: type[Any]) -> Any:
        """What was sealed into a cookie; None if it is not there, or not ours."""
        value = self._cookies.get(kind)
        if value is None:
            return None
        try:
            raw = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
            return self.shop.vault.open_json(raw, shape, place=f"cookies:{kind}")
        except (ValueError, CannotOpen, msgspec.MsgspecError):
            return None

    async def session(self) -> Session | None:
        """Who is signed in here."""
        value = self._cookies.get(SESSION)
        if self._session is None and value is not None:
            shop = self.shop
            self._session = await sessions.use_browser_session(
                shop.db, shop.vault, value, clock=shop.clock
            )
        return self._session

    async def fields(self) -> dict[str, str]:
        """The fields of a form, from whatever site it was sent."""
        return await decoding.read_form(
            self._request.scope,  # type: ignore[arg-type]
            self._request.receive,  # type: ignore[arg-type]
        )

    async def form(self) -> dict[str, str]:
        """The fields of the form; ``FormRefused`` if it is not from our page."""
        return self.checked(await self.fields())

    def checked(self, fields: dict[str, str]) -> dict[str, str]:
        """What a person filled in; ``FormRefused`` if it is not from our page."""
        self._check_sender()
        sent, form = fields.pop("form_token", ""), self._cookies.get(FORM)
        if form is None or not hmac.compare_digest(
            sent.encode(), self._token(form).encode()
        ):
            raise FormRefused
        self.return_to = allowed_return(fields.pop("return_to", ""))
        return fields

    # what it is sent away with -----------------------------------------------

    def keep(self, kind: str, value: str) -> None:
        """Have the browser keep a cookie."""
        self._sent[kind] = self._bake(kind, value, _LIVES_SECONDS[kind])
        self._cookies[kind] = value

    def keep_sealed(self, kind: str, value: msgspec.Struct) -> None:
        """Have the browser keep what it can neither read nor change."""
        sealed = self.shop.vault.seal_json(value, place=f"cookies:{kind}")
        self.keep(kind, base64.urlsafe_b64encode(sealed).rstrip(b"=").decode())

    def forget(self, *kinds: str) -> None:
        """Have the browser forget cookies, if it has them."""
        for kind in kinds:
            if self._cookies.pop(kind, None) is not None:
                self._sent[kind] = self._bake(kind, "", 0)

    async def signed_in(self, proved: Proved) -> Session:
        """Open a session for this browser in place of the one it had."""
        shop, before = self.shop, await self.session()
        session, cookie = await sessions.open_browser_session(
            shop.db,
            shop.vault,
            proved,
            origin=self.origin,
            clock=shop.clock,
            replaces=None if before is None else before.id,
        )
        self._session = session
        self.keep(SESSION, cookie)
        if proved.place:
            self.keep(PLACE, proved.place)
        self.keep(FORM, secrets.token_urlsafe(32))
        self.forget(CHALLENGE, OUTSIDE, PENDING)
        return session

    def form_token(self) -> str:
        """What a form on this page carries."""
        form = self._cookies.get(FORM)
        if form is None:
            form = secrets.token_urlsafe(32)
            self.keep(FORM, form)
        return self._token(form)

    async def page(
        self,
        template: str,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        form_targets: tuple[str, ...] = (),
        **values: Any,
    ) -> Response[str]:
        """A page for this browser, with the token for its forms."""
        asking = await waiting.client(self.shop, self.return_to)
        if asking is not None:
            form_targets = (*form_targets, asking.redirect_uri)
        given = {
            "error": "",
            "form_token": self.form_token(),
            "return_to": self.return_to,
            "return_query": self.return_query,
            "client_name": "" if asking is None else asking.name,
            "email": "" if asking is None else asking.login_hint,
            **values,
        }
        return frame.write(
            template,
            status=status,
            form_targets=form_targets,
            cookies=self._sent.values(),
            headers=dict(headers or {}),
            **given,
        )

    def redirect(self, to: str) -> Response[None]:
        """Send the browser on by GET, whatever it came with (RFC 9700 4.12)."""
        return Response(
            None,
            status_code=303,
            headers={**frame.guards(), "Location": to},
            cookies=list(self._sent.values()),
        )

    def go_on(self) -> Response[None]:
        """Send the browser where it was going before it had to sign in."""
        return self.redirect(self.return_to or _ACCOUNT)

    @property
    def return_query(self) -> str:
        """The query with which another page knows where to go, or nothing."""
        to = self.return_to
        return f"?return_to={quote(to, safe='')}" if to else ""

    # -------------------------------------------------------------------------

    def _check_sender(self) -> None:
        headers = self._request.headers
        site = headers.get("sec-fetch-site")
        if site is not None and site not in ("same-origin", "none"):
            raise FormRefused
        origin = headers.get("origin")
        # Browsers write "null" where a page keeps its address to itself, as ours do.
        if site is None and origin not in (None, "null", self._own_origin):
            raise FormRefused

    @property
    def _own_origin(self) -> str:
        parts = urlsplit(self.shop.settings.public_url)
        return f"{parts.scheme}://{parts.netloc}"

    def _token(self, form: str) -> str:
        bound = f"{form}\n{self._cookies.get(SESSION, '')}"
        digest = self.shop.vault.index(bound, purpose="form")
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    @property
    def _prefix(self) -> str:
        # Browsers take a __Host- cookie from this very host over TLS only, so that
        # no neighbouring site can plant one.
        return "__Host-holdfast_" if self._https else "holdfast_"

    def _read_cookies(self) -> dict[str, str]:
        sent = self._request.cookies
        return {
            kind: value
            for kind in _LIVES_SECONDS
            if (value := sent.get(self._prefix + kind)) and _COOKIE.fullmatch(value)
        }

    def _bake(self, kind: str, value: str, seconds: int) -> Cookie:
        return Cookie(
            self._prefix + kind,
            value=value,
            max_age=seconds,
            path="/",
            secure=self._https or None,
            httponly=True,
            samesite="lax",
        )


def allowed_return(to: str) -> str:
    """*to* if it is a place here that may follow a sign-in, else nothing."""
    if len(to) > _LONGEST_RETURN or _MAY_RETURN_TO.fullmatch(to) is None:
        return ""
    return to


def session_id_of(text: str) -> UUID | None:
    """The id in a form's field; None if it is none."""
    try:
        return UUID(text)
    except ValueError:
        return None
