"""Pages for people: sign in, sign up, consent; and what opens an account elsewhere.

No page is documented with the API: they speak to browsers. Each form is guarded by a
token of its own instead of credentials.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from holdfast.api import linked_identities
from holdfast.api.hosted import (
    account,
    authorize,
    drop,
    frame,
    outside,
    sign_in,
    sign_up,
)
from holdfast.api.policy import Priority, Route
from holdfast.domain import accounts

_Handler = Callable[..., Awaitable[Any]]
_page = partial(
    Route,
    priority=Priority.BUY,
    public=True,
    documented=False,
    status=200,
    unkeyed="a form of a page, with a token of its own",
)
# An account can be looked at, and begun, tomorrow.
_can_wait = partial(_page, priority=Priority.BROWSE)


# Forms that take a password, a code, a link, or an address to send one to.
_SECRETS = frozenset(
    {
        *("/email/confirm", "/password/forgot", "/password/reset", "/sign-in"),
        *("/sign-in/code", "/sign-in/link", "/sign-up", "/sign-up/confirm"),
    }
)


def _form(
    path: str,
    show: _Handler,
    submit: _Handler,
    *,
    cost: int,
    page: Callable[..., Route] = _page,
) -> list[Route]:
    """A page with a form, and where the form is sent."""
    guesses = "credentials" if path in _SECRETS else None
    return [
        page("GET", path, show, cost=1),
        page("POST", path, submit, cost=cost, guesses=guesses),
    ]


# Whatever takes a password costs much more than it looks.
_PASSWORD = 20

ROUTES: tuple[Route, ...] = (
    _can_wait("GET", "/account", account.show, cost=1),
    _page("POST", "/account/sessions/end", account.end_session, cost=5),
    *_form("/drops/{drop_id:uuid}", drop.show, drop.join, cost=2),
    *_form(
        "/email/confirm",
        sign_up.show_email_confirm,
        sign_up.email_confirm,
        cost=5,
        page=_can_wait,
    ),
    *_form("/oauth/authorize", authorize.show, authorize.submit, cost=5),
    _page("GET", "/pages/{name}", frame.asset, cost=1),
    *_form("/password/forgot", sign_up.show_forgot, sign_up.forgot, cost=5),
    *_form("/password/reset", sign_up.show_reset, sign_up.reset, cost=_PASSWORD),
    *_form("/sign-in", sign_in.show, sign_in.submit, cost=_PASSWORD),
    *_form("/sign-in/code", sign_in.show_code, sign_in.submit_code, cost=5),
    *_form("/sign-in/join", outside.show_join, outside.join, cost=5),
    *_form("/sign-in/link", outside.show_link, outside.link, cost=_PASSWORD),
    _page("GET", "/sign-in/with/{provider}", outside.begin, cost=5),
    _page(
        "GET",
        "/sign-in/with/{provider}/callback",
        outside.callback,
        cost=10,
        asks="openid",
    ),
    *_form("/sign-out", sign_in.show_sign_out, sign_in.sign_out, cost=5),
    *_form("/sign-up", sign_up.show, sign_up.submit, cost=5, page=_can_wait),
    *_form("/sign-up/confirm", sign_up.show_confirm, sign_up.confirm, cost=_PASSWORD),
    Route(
        "GET",
        "/v1/me/linked-identities",
        linked_identities.browse,
        cost=1,
        priority=Priority.OPERATE,
        scope="account:read",
    ),
    Route(
        "DELETE",
        "/v1/me/linked-identities",
        linked_identities.unlink,
        cost=5,
        priority=Priority.BROWSE,
        scope="account:write",
        raises=(accounts.LinkedIdentityNotFound,),
    ),
)
