"""The authorization endpoint: sign somebody in for a client (RFC 6749 4.1, OIDC 3.1.2).

A client that cannot be trusted to be who it says is told nothing: its request ends on
a page here. Every other end is at the client's own address, with `state` and `iss`.
"""

import base64
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec
from litestar import Request as Req
from litestar import Response

from holdfast.api.connection import MAX_ADDRESS_BYTES
from holdfast.api.hosted.visit import Visit
from holdfast.api.problems import AddressTooLong
from holdfast.api.shop import Shop
from holdfast.domain import accounts
from holdfast.domain.accounts import Session
from holdfast.domain.identity import IDENTITY_SCOPES, SCOPE_TITLES, Origin
from holdfast.domain.oauth import AuthorizationError
from holdfast.platform.vault import CannotOpen
from holdfast.workflows import authorization
from holdfast.workflows.authorization import Request

Page = Response[Any]

_PATH = "/oauth/authorize"
# Our own addition to a request while a sign-in it demanded is under way.
_AFTER = "signed_in_after"
_AFTER_LIVES = timedelta(minutes=15)


async def show(shop: Shop, request: Req[Any, Any, Any], origin: Origin) -> Page:
    """Sign in for a client: the sign-in page, what it asks for, or the way back."""
    visit = Visit(shop, request, origin)
    return await _answer(visit, visit.query)


async def submit(shop: Shop, request: Req[Any, Any, Any], origin: Origin) -> Page:
    """Take the answer to what a client asks for, or its request as a form."""
    visit = Visit(shop, request, origin)
    fields = await visit.fields()
    answer = fields.get("answer")
    if answer is None:
        # A request by POST (OpenID Connect Core 3.1.2.1) comes from another site, and
        # browsers send no cookies with it: it goes on as a GET, which has them.
        to = f"{_PATH}?{urlencode(fields)}"
        if len(to) > MAX_ADDRESS_BYTES:
            raise AddressTooLong(MAX_ADDRESS_BYTES)
        return visit.redirect(to)
    parameters = visit.checked(fields)
    del parameters["answer"]
    return await _answer(visit, parameters, agreed=answer == "allow")


async def _answer(
    visit: Visit, parameters: Mapping[str, str], *, agreed: bool | None = None
) -> Page:
    """The next page or the end; *agreed* is the person's answer, if they gave one."""
    shop, now = visit.shop, visit.shop.clock()
    said = {name: value for name, value in parameters.items() if name != _AFTER}
    try:
        request = await authorization.read(
            shop.db, said, issuer=shop.settings.public_url
        )
    except AuthorizationError as error:
        return visit.redirect(error.redirect_to)
    session = await visit.session()
    again = authorization.must_sign_in(request, session, now)
    if session is None or (
        again and not _signed_in_since(visit, request, parameters.get(_AFTER), session)
    ):
        return _to_sign_in(visit, request, said, now)
    if not authorization.is_meant(request, session):
        return visit.redirect(
            authorization.refuse(request, "login_required", "Somebody else signed in")
        )
    return await _of(visit, request, parameters, session, agreed=agreed)


async def _of(
    visit: Visit,
    request: Request,
    parameters: Mapping[str, str],
    session: Session,
    *,
    agreed: bool | None,
) -> Page:
    """The answer of somebody who is signed in, or the page that asks for it."""
    shop = visit.shop
    if agreed is False:
        return visit.redirect(authorization.refuse(request))
    asked = await authorization.scopes_to_consent(shop.db, request, session.account_id)
    if asked and not agreed:
        if request.silent:
            return visit.redirect(authorization.refuse(request, "consent_required"))
        return await _consent_page(visit, request, parameters, session, asked)
    return visit.redirect(
        await authorization.grant(
            shop.db,
            shop.vault,
            request,
            session,
            origin=visit.origin,
            clock=shop.clock,
        )
    )


def _to_sign_in(
    visit: Visit, request: Request, said: Mapping[str, str], now: datetime
) -> Page:
    if request.silent:
        return visit.redirect(
            authorization.refuse(request, "login_required", "Nobody is signed in")
        )
    sealed = visit.shop.vault.seal_json(now, place=_place(request))
    after = base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()
    back = f"{_PATH}?{urlencode({**said, _AFTER: after})}"
    return visit.redirect(f"/sign-in?{urlencode({'return_to': back})}")


def _signed_in_since(
    visit: Visit, request: Request, after: str | None, session: Session
) -> bool:
    """Whether the sign-in that this request demanded has taken place.

    When it was demanded is sealed, for this request alone: a browser left open cannot
    say that it was before its last sign-in, nor can a request made elsewhere before.
    """
    if after is None:
        return False
    try:
        raw = base64.urlsafe_b64decode(after + "=" * (-len(after) % 4))
        demanded = visit.shop.vault.open_json(raw, datetime, place=_place(request))
    except (ValueError, CannotOpen, msgspec.MsgspecError):
        return False
    recent = visit.shop.clock() - demanded <= _AFTER_LIVES
    return recent and session.authenticated_at >= demanded


def _place(request: Request) -> str:
    return f"{_AFTER}:{request.letter}"


async def _consent_page(
    visit: Visit,
    request: Request,
    parameters: Mapping[str, str],
    session: Session,
    asked: tuple[str, ...],
) -> Page:
    account = await accounts.find(visit.shop.db, visit.shop.vault, session.account_id)
    titles = {**SCOPE_TITLES, **IDENTITY_SCOPES}
    target = urlsplit(request.redirect_uri)
    return await visit.page(
        "consent.html",
        form_targets=(request.redirect_uri,),
        email=account.email,
        client_name=request.client.name,
        titles=[titles.get(scope, scope) for scope in asked],
        target=target.netloc or f"the application {target.scheme}",
        hidden=dict(parameters),
    )
