"""The last steps of every way in: a code if one is needed, then the session."""

from typing import Any

from litestar import Response

from holdfast.api import problems
from holdfast.api.hosted.errors import wait_in_words
from holdfast.api.hosted.visit import CHALLENGE, PENDING, Visit
from holdfast.kernel.errors import DomainError, Unavailable
from holdfast.workflows.outside_sign_in import (
    PENDING_LIVES,
    OutsideSignIn,
    Pending,
)
from holdfast.workflows.sign_in import Proved, SecondFactorNeeded

Page = Response[Any]


async def after_password(visit: Visit, result: Proved | SecondFactorNeeded) -> Page:
    """On to the code if one is needed, else in."""
    if isinstance(result, SecondFactorNeeded):
        # Cookies are spared the padding: "=" would have to be quoted there.
        visit.keep(CHALLENGE, result.challenge.rstrip("="))
        return visit.redirect("/sign-in/code" + visit.return_query)
    return await enter(visit, result)


async def enter(visit: Visit, proved: Proved) -> Page:
    """Sign this browser in, link what was agreed to be linked, and go on."""
    pending = pending_of(visit)
    if (
        pending is not None
        and pending.agreed
        and pending.account_id == proved.account_id
    ):
        shop = visit.shop
        doors = OutsideSignIn(shop.db, shop.vault, shop.openid, shop.clock)
        await doors.link(pending, proved.account_id, origin=visit.origin)
    await visit.signed_in(proved)
    return visit.go_on()


def pending_of(visit: Visit) -> Pending | None:
    """Whom a provider vouched for in this browser a short while ago."""
    pending: Pending | None = visit.opened(PENDING, Pending)
    if pending is None or visit.shop.clock() - pending.vouched_at > PENDING_LIVES:
        return None
    return pending


def said(error: DomainError) -> dict[str, Any]:
    """What a form says after a refusal: status, words, and when to come back."""
    status = problems.status_of(type(error))
    words, headers = problems.title_of(type(error)), {}
    wait: float | None = getattr(error, "retry_after_seconds", None)
    if wait is None and isinstance(error, Unavailable):
        wait = 1
    if wait is not None:
        words = f"{words} {wait_in_words(wait)}"
        headers["Retry-After"] = str(-int(-wait // 1))
    return {"status": status, "headers": headers, "error": words}
