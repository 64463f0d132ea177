"""The page of somebody who is signed in: who they are, and where."""

from contextlib import suppress
from typing import Any

from litestar import Request, Response

from holdfast.api.hosted.visit import Visit, session_id_of
from holdfast.api.shop import Shop
from holdfast.domain import accounts
from holdfast.domain.identity import Origin
from holdfast.workflows import sessions
from holdfast.workflows.sessions import SessionNotFound

_NOTICES = {"ended": "The session has ended.", "all": "All other sessions have ended."}


async def show(
    shop: Shop, request: Request[Any, Any, Any], origin: Origin
) -> Response[Any]:
    """Who is signed in, and on which devices."""
    visit = Visit(shop, request, origin)
    session = await visit.session()
    if session is None:
        return visit.redirect("/sign-in")
    account = await accounts.find(shop.db, shop.vault, session.account_id)
    return await visit.page(
        "account.html",
        email=account.email,
        sessions=await accounts.sessions_of(
            shop.db, shop.vault, session.account_id, shop.clock()
        ),
        here=session.id,
        notice=_NOTICES.get(visit.query.get("notice", ""), ""),
    )


async def end_session(
    shop: Shop, request: Request[Any, Any, Any], origin: Origin
) -> Response[Any]:
    """End one of one's sessions, or all but this."""
    visit = Visit(shop, request, origin)
    form = await visit.form()
    session = await visit.session()
    if session is None:
        return visit.redirect("/sign-in")
    actor = f"account:{session.account_id}"
    if "session_id" not in form:
        await sessions.end_all(
            shop.db,
            shop.vault,
            session.account_id,
            keep=session.id,
            reason="signed_out_everywhere",
            actor=actor,
            origin=origin,
            clock=shop.clock,
        )
        return visit.redirect("/account?notice=all")
    session_id = session_id_of(form["session_id"])
    if session_id is not None:
        # It may have ended by itself meanwhile: what was wanted is so.
        with suppress(SessionNotFound):
            await sessions.end(
                shop.db,
                shop.vault,
                session_id,
                account_id=session.account_id,
                reason="signed_out",
                actor=actor,
                origin=origin,
                clock=shop.clock,
            )
    return visit.redirect("/account?notice=ended")
