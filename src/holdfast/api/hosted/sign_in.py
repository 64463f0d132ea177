"""Sign in with a password and, where one is set up, a code; sign out."""

from typing import Any

from litestar import Request, Response

from holdfast.api.hosted import entering
from holdfast.api.hosted.visit import CHALLENGE, FORM, PLACE, SESSION, Visit
from holdfast.api.protection.credentials import attempt
from holdfast.api.shop import Shop
from holdfast.domain.identity import Origin
from holdfast.kernel.errors import DomainError, TooMany, Unauthenticated, Unavailable
from holdfast.workflows import sessions
from holdfast.workflows.sign_in import SignIn

Page = Response[Any]
Req = Request[Any, Any, Any]

_REFUSALS = (Unauthenticated, TooMany, Unavailable)


async def show(shop: Shop, request: Req, origin: Origin) -> Page:
    """The sign-in page."""
    visit = Visit(shop, request, origin)
    return await _password_page(visit)


async def submit(shop: Shop, request: Req, origin: Origin) -> Page:
    """Sign in with a password."""
    visit = Visit(shop, request, origin)
    form = await visit.form()
    email = form.get("email", "")
    place = visit.cookie(PLACE)
    await attempt(shop.quotas, "sign-in", email, origin, place=place)
    try:
        result = await _doors(shop).by_password(
            email, form.get("password", ""), origin=origin, place=place
        )
    except _REFUSALS as error:
        return await _password_page(visit, email=email, refusal=error)
    return await entering.after_password(visit, result)


async def show_code(shop: Shop, request: Req, origin: Origin) -> Page:
    """The page that asks for the second factor."""
    visit = Visit(shop, request, origin)
    if visit.cookie(CHALLENGE) is None:
        return visit.redirect("/sign-in" + visit.return_query)
    return await visit.page("code.html")


async def submit_code(shop: Shop, request: Req, origin: Origin) -> Page:
    """Finish signing in with a code."""
    visit = Visit(shop, request, origin)
    form = await visit.form()
    challenge = visit.cookie(CHALLENGE)
    if challenge is None:
        return visit.redirect("/sign-in" + visit.return_query)
    await attempt(shop.quotas, "code", challenge, origin)
    try:
        padded = challenge + "=" * (-len(challenge) % 4)
        proved = await _doors(shop).by_code(padded, form.get("code", ""), origin=origin)
    except _REFUSALS as error:
        return await visit.page("code.html", **entering.said(error))
    return await entering.enter(visit, proved)


async def show_sign_out(shop: Shop, request: Req, origin: Origin) -> Page:
    """Ask before signing out: a link elsewhere must not be enough."""
    visit = Visit(shop, request, origin)
    if await visit.session() is None:
        return await _signed_out(visit)
    return await visit.page(
        "confirm.html",
        heading="Sign out",
        lines=["You are signed in on this browser."],
        action="/sign-out",
        hidden={},
        button="Sign out",
        back="/account",
        back_text="Stay signed in",
    )


async def sign_out(shop: Shop, request: Req, origin: Origin) -> Page:
    """End this browser's session."""
    visit = Visit(shop, request, origin)
    await visit.form()
    session = await visit.session()
    if session is not None:
        await sessions.end(
            shop.db,
            shop.vault,
            session.id,
            account_id=session.account_id,
            reason="signed_out",
            actor=f"account:{session.account_id}",
            origin=origin,
            clock=shop.clock,
        )
    visit.forget(SESSION, CHALLENGE, FORM)
    return await _signed_out(visit)


async def _password_page(
    visit: Visit, *, email: str | None = None, refusal: DomainError | None = None
) -> Page:
    shown = {} if refusal is None else entering.said(refusal)
    if email is not None:
        shown["email"] = email
    return await visit.page(
        "sign_in.html",
        providers=visit.shop.settings.openid_providers,
        **shown,
    )


async def _signed_out(visit: Visit) -> Page:
    return await visit.page(
        "message.html",
        heading="You are signed out",
        lines=[],
        links=[("/sign-in", "Sign in again")],
    )


def _doors(shop: Shop) -> SignIn:
    return SignIn(shop.db, shop.vault, shop.hasher, shop.clock)
