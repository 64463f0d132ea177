"""Everything that begins with a link in an e-mail: accounts, passwords, addresses.

Asking says the same whatever the address: only its owner finds out in the e-mail. The
token of a link stays in the page's address, which no page tells another, and in no log.
"""

from typing import Any

from litestar import Request, Response

from holdfast.api.hosted.entering import said
from holdfast.api.hosted.visit import Visit
from holdfast.api.problems import InvalidRequest
from holdfast.api.protection.credentials import attempt
from holdfast.api.shapes import email_address
from holdfast.api.shop import Shop
from holdfast.domain.accounts import PasswordRefused
from holdfast.domain.identity import Origin
from holdfast.kernel.errors import Unavailable
from holdfast.workflows import email_change, passwords
from holdfast.workflows import sign_up as workflow

Page = Response[Any]
Req = Request[Any, Any, Any]

_LONGEST_NAME = 100
_NOT_AN_ADDRESS = "This is not an e-mail address. Write it like name@example.com."
_SIGN_UP = {
    "heading": "Choose a password",
    "action": "/sign-up/confirm",
    "button": "Create my account",
    "names": True,
}
_RESET = {
    "heading": "Choose a new password",
    "action": "/password/reset",
    "button": "Use this password",
    "names": False,
}


async def show(shop: Shop, request: Req, origin: Origin) -> Page:
    """The page that asks for an address."""
    return await Visit(shop, request, origin).page("sign_up.html", email="")


async def submit(shop: Shop, request: Req, origin: Origin) -> Page:
    """Ask for an account."""
    visit = Visit(shop, request, origin)
    form = await visit.form()
    try:
        email = email_address(form.get("email", "").strip(), "/email")
    except InvalidRequest:
        return await _not_an_address(visit, "sign_up.html", form)
    await attempt(shop.quotas, "sign-up", email, origin)
    await workflow.request_sign_up(
        shop.db, shop.vault, email, origin=origin, clock=shop.clock
    )
    return await _sent(visit)


async def show_confirm(shop: Shop, request: Req, origin: Origin) -> Page:
    """Where the link of a sign-up leads: choose a password."""
    return await _choose_page(Visit(shop, request, origin), _SIGN_UP)


async def confirm(shop: Shop, request: Req, origin: Origin) -> Page:
    """Make the account."""
    visit = Visit(shop, request, origin)
    form = await visit.form()
    try:
        await workflow.confirm_sign_up(
            shop.db,
            shop.vault,
            shop.hasher,
            form.get("token", ""),
            form.get("password", ""),
            shortest=shop.settings.password_shortest,
            given_name=name_of(form, "given_name"),
            family_name=name_of(form, "family_name"),
            origin=origin,
            clock=shop.clock,
        )
    except (PasswordRefused, Unavailable) as error:
        return await _choose_page(visit, _SIGN_UP, form, error)
    return await _done(visit, "Your account is ready", "Sign in with your password.")


async def show_forgot(shop: Shop, request: Req, origin: Origin) -> Page:
    """The page for those who forgot their password."""
    return await Visit(shop, request, origin).page("forgot.html", email="")


async def forgot(shop: Shop, request: Req, origin: Origin) -> Page:
    """Ask for a link to choose a new password."""
    visit = Visit(shop, request, origin)
    form = await visit.form()
    try:
        email = email_address(form.get("email", "").strip(), "/email")
    except InvalidRequest:
        return await _not_an_address(visit, "forgot.html", form)
    await attempt(shop.quotas, "reset", email, origin)
    await passwords.request_reset(
        shop.db, shop.vault, email, origin=origin, clock=shop.clock
    )
    return await _sent(visit)


async def show_reset(shop: Shop, request: Req, origin: Origin) -> Page:
    """Where the link for a new password leads."""
    return await _choose_page(Visit(shop, request, origin), _RESET)


async def reset(shop: Shop, request: Req, origin: Origin) -> Page:
    """Set the new password; every session ends."""
    visit = Visit(shop, request, origin)
    form = await visit.form()
    try:
        await passwords.reset(
            shop.db,
            shop.vault,
            shop.hasher,
            form.get("token", ""),
            form.get("password", ""),
            shortest=shop.settings.password_shortest,
            origin=origin,
            clock=shop.clock,
        )
    except (PasswordRefused, Unavailable) as error:
        return await _choose_page(visit, _RESET, form, error)
    return await _done(
        visit,
        "Your password has changed",
        "You were signed out everywhere. Sign in with the new password.",
    )


async def show_email_confirm(shop: Shop, request: Req, origin: Origin) -> Page:
    """Where the link for another address leads.

    A button, not the link itself: programs that look at mail follow links.
    """
    visit = Visit(shop, request, origin)
    return await visit.page(
        "confirm.html",
        heading="Confirm your new address",
        lines=["From now on you sign in with it, and our mail goes there."],
        action="/email/confirm",
        hidden={"token": visit.query.get("token", "")},
        button="Use this address",
        back="",
        back_text="",
    )


async def email_confirm(shop: Shop, request: Req, origin: Origin) -> Page:
    """Change the address."""
    visit = Visit(shop, request, origin)
    form = await visit.form()
    await email_change.confirm(
        shop.db, shop.vault, form.get("token", ""), origin=origin, clock=shop.clock
    )
    return await _done(visit, "Your address has changed", "Sign in with it next time.")


def name_of(form: dict[str, str], field: str) -> str | None:
    """A name as it was typed, without what surrounds it; None if there is none."""
    return form.get(field, "").strip()[:_LONGEST_NAME] or None


async def _choose_page(
    visit: Visit,
    what: dict[str, Any],
    form: dict[str, str] | None = None,
    refusal: PasswordRefused | Unavailable | None = None,
) -> Page:
    form = form or {}
    shown = {} if refusal is None else said(refusal)
    if isinstance(refusal, PasswordRefused):
        shown["error"] = _why(refusal)
    return await visit.page(
        "choose.html",
        shortest=visit.shop.settings.password_shortest,
        token=form.get("token") or visit.query.get("token", ""),
        given_name=form.get("given_name", ""),
        family_name=form.get("family_name", ""),
        **what,
        **shown,
    )


def _why(refusal: PasswordRefused) -> str:
    return "Choose another password: " + "; ".join(refusal.reasons) + "."


async def _not_an_address(visit: Visit, template: str, form: dict[str, str]) -> Page:
    return await visit.page(
        template, status=422, error=_NOT_AN_ADDRESS, email=form.get("email", "")
    )


async def _sent(visit: Visit) -> Page:
    # The same words for every address, known or not.
    return await visit.page(
        "message.html",
        heading="Look into your mailbox",
        lines=["We have sent an e-mail to this address. Follow the link in it."],
        links=[("/sign-in" + visit.return_query, "Back to sign-in")],
    )


async def _done(visit: Visit, heading: str, line: str) -> Page:
    return await visit.page(
        "message.html",
        heading=heading,
        lines=[line],
        links=[("/sign-in", "Sign in")],
    )
