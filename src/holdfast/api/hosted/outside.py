"""Sign in with another site: there and back, and what follows the first time.

What was begun is kept in a sealed cookie of the browser that began it: an answer that
another browser is sent to opens nothing.
"""

from typing import Any

import msgspec
from litestar import Request, Response

from holdfast.api import shapes
from holdfast.api.hosted.entering import after_password, pending_of, said
from holdfast.api.hosted.sign_up import name_of
from holdfast.api.hosted.visit import OUTSIDE, PENDING, PLACE, Visit
from holdfast.api.problems import InvalidRequest
from holdfast.api.protection.credentials import attempt
from holdfast.api.shop import Shop
from holdfast.domain.accounts import (
    Begun,
    EmailNotVerified,
    EmailTaken,
    OutsideSignInRefused,
)
from holdfast.domain.identity import Origin
from holdfast.kernel.errors import TooMany, Unauthenticated, Unavailable
from holdfast.workflows.outside_sign_in import OutsideSignIn, Pending
from holdfast.workflows.refused import Refused
from holdfast.workflows.sign_in import Proved, SignIn

Page = Response[Any]
Req = Request[Any, Any, Any]


async def begin(shop: Shop, request: Req, origin: Origin, provider: str) -> Page:
    """Send the browser to a provider."""
    visit = Visit(shop, request, origin)
    url, begun = await _doors(shop).begin(provider, visit.return_to)
    visit.keep_sealed(OUTSIDE, begun)
    return visit.redirect(url)


async def callback(shop: Shop, request: Req, origin: Origin, provider: str) -> Page:
    """Where a provider sends the browser back to."""
    visit = Visit(shop, request, origin)
    try:
        begun = _begun(visit)
        result = await _doors(shop).finish(provider, begun, visit.query, origin=origin)
    except OutsideSignInRefused as refused:
        _note(shop, provider, refused.reason, origin)
        raise
    except EmailNotVerified:
        _note(shop, provider, "email_not_verified", origin)
        raise
    visit.forget(OUTSIDE)
    visit.return_to = begun.return_to
    if isinstance(result, Proved):
        await visit.signed_in(result)
        return visit.go_on()
    pending = msgspec.structs.replace(result, email=_address(result.email))
    visit.keep_sealed(PENDING, pending)
    step = "join" if pending.account_id is None else "link"
    return visit.redirect(f"/sign-in/{step}" + visit.return_query)


async def show_link(shop: Shop, request: Req, origin: Origin) -> Page:
    """The page that asks the owner of an account to agree."""
    visit = Visit(shop, request, origin)
    pending = pending_of(visit)
    if pending is None or pending.account_id is None:
        return visit.redirect("/sign-in" + visit.return_query)
    return await _link_page(visit, pending)


async def link(shop: Shop, request: Req, origin: Origin) -> Page:
    """Prove that the account is one's own; it is linked when that is done."""
    visit = Visit(shop, request, origin)
    form = await visit.form()
    pending = pending_of(visit)
    if pending is None or pending.account_id is None:
        return visit.redirect("/sign-in" + visit.return_query)
    place = visit.cookie(PLACE)
    await attempt(shop.quotas, "sign-in", pending.email, origin, place=place)
    try:
        result = await SignIn(shop.db, shop.vault, shop.hasher, shop.clock).by_password(
            pending.email,
            form.get("password", ""),
            origin=origin,
            place=place,
        )
    except (Unauthenticated, TooMany, Unavailable) as error:
        return await _link_page(visit, pending, **said(error))
    visit.keep_sealed(PENDING, msgspec.structs.replace(pending, agreed=True))
    return await after_password(visit, result)


async def show_join(shop: Shop, request: Req, origin: Origin) -> Page:
    """The page that asks whether to create an account."""
    visit = Visit(shop, request, origin)
    pending = pending_of(visit)
    if pending is None or pending.account_id is not None:
        return visit.redirect("/sign-in" + visit.return_query)
    return await visit.page(
        "join.html",
        provider=_title(visit, pending),
        email=pending.email,
        given_name=pending.given_name or "",
        family_name=pending.family_name or "",
    )


async def join(shop: Shop, request: Req, origin: Origin) -> Page:
    """Create the account."""
    visit = Visit(shop, request, origin)
    form = await visit.form()
    pending = pending_of(visit)
    if pending is None or pending.account_id is not None:
        return visit.redirect("/sign-in" + visit.return_query)
    try:
        proved = await _doors(shop).create(
            pending,
            given_name=name_of(form, "given_name"),
            family_name=name_of(form, "family_name"),
            origin=origin,
        )
    except EmailTaken:
        # Made meanwhile, in another window: that account has to agree. The provider is
        # not asked again from here, since a form may not lead to it.
        visit.forget(PENDING)
        return visit.redirect("/sign-in" + visit.return_query)
    await visit.signed_in(proved)
    return visit.go_on()


def _begun(visit: Visit) -> Begun:
    begun: Begun | None = visit.opened(OUTSIDE, Begun)
    if begun is None:
        raise OutsideSignInRefused("not_begun_here")
    return begun


def _note(shop: Shop, provider: str, reason: str, origin: Origin) -> None:
    """Have it recorded that a provider's word let nobody in."""
    if provider in shop.openid:
        issuer = shop.openid[provider].issuer
        shop.refused.note(Refused.outside(issuer, reason), origin)


def _address(email: str) -> str:
    try:
        return shapes.email_address(email, "/email")
    except InvalidRequest:
        raise EmailNotVerified from None


def _title(visit: Visit, pending: Pending) -> str:
    provider = visit.shop.openid.get(pending.provider)
    return pending.provider if provider is None else provider.title


async def _link_page(visit: Visit, pending: Pending, **shown: Any) -> Page:
    return await visit.page(
        "link.html",
        provider=_title(visit, pending),
        email=pending.email,
        **shown,
    )


def _doors(shop: Shop) -> OutsideSignIn:
    return OutsideSignIn(shop.db, shop.vault, shop.openid, shop.clock)
