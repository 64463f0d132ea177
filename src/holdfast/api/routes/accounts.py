"""Accounts and how their owners sign in."""

from holdfast.api import accounts as own
from holdfast.api import users
from holdfast.api.policy import Priority, Route
from holdfast.domain import accounts, identity
from holdfast.kernel.page import BadCursor
from holdfast.workflows.attempts import TooManyAttempts
from holdfast.workflows.personal_data import OrdersNotSettled

_CHOOSING_A_PASSWORD = (
    accounts.LinkNotValid,
    accounts.PasswordRefused,
    accounts.SignInBusy,
)
_SAYING_THE_PASSWORD = (
    accounts.WrongPassword,
    TooManyAttempts,
    accounts.SignInBusy,
)

# The public ones take what was sent by e-mail, or nothing at all.
_OWN: tuple[Route, ...] = (
    Route(
        "POST",
        "/v1/accounts",
        own.request_sign_up,
        cost=5,
        priority=Priority.BROWSE,
        guesses="credentials",
        public=True,
        status=202,
    ),
    Route(
        "POST",
        "/v1/accounts/confirm",
        own.confirm_sign_up,
        cost=20,
        priority=Priority.BUY,
        guesses="credentials",
        claims="late",
        public=True,
        raises=(*_CHOOSING_A_PASSWORD, accounts.EmailTaken),
    ),
    Route(
        "POST",
        "/v1/email-changes/confirm",
        own.confirm_email_change,
        cost=5,
        priority=Priority.BROWSE,
        guesses="credentials",
        public=True,
        status=204,
        raises=(accounts.LinkNotValid, accounts.EmailTaken),
    ),
    Route(
        "POST",
        "/v1/me/email",
        own.request_email_change,
        cost=20,
        priority=Priority.BROWSE,
        guesses="credentials",
        claims="late",
        scope="account:write",
        status=202,
        raises=_SAYING_THE_PASSWORD,
    ),
    Route(
        "PUT",
        "/v1/me/password",
        own.change_password,
        cost=20,
        priority=Priority.BUY,
        guesses="credentials",
        claims="late",
        scope="account:write",
        status=204,
        raises=(*_SAYING_THE_PASSWORD, accounts.PasswordRefused),
    ),
    Route(
        "POST",
        "/v1/password-resets",
        own.request_reset,
        cost=5,
        priority=Priority.BUY,
        guesses="credentials",
        public=True,
        status=202,
    ),
    Route(
        "POST",
        "/v1/password-resets/confirm",
        own.confirm_reset,
        cost=20,
        priority=Priority.BUY,
        guesses="credentials",
        claims="late",
        public=True,
        status=204,
        raises=_CHOOSING_A_PASSWORD,
    ),
)

_USERS: tuple[Route, ...] = (
    Route(
        "GET",
        "/v1/users",
        users.browse,
        cost=5,
        priority=Priority.OPERATE,
        scope="users:read",
        raises=(BadCursor,),
    ),
    Route(
        "POST",
        "/v1/users",
        users.create,
        cost=5,
        priority=Priority.OPERATE,
        scope="users:write",
        raises=(accounts.EmailTaken, identity.RoleNotFound, identity.ScopeNotHeld),
    ),
    Route(
        "GET",
        "/v1/users/{account_id:uuid}",
        users.show,
        cost=1,
        priority=Priority.OPERATE,
        scope="users:read",
        raises=(accounts.AccountNotFound,),
    ),
    Route(
        "PATCH",
        "/v1/users/{account_id:uuid}",
        users.change,
        cost=5,
        priority=Priority.OPERATE,
        scope="users:write",
        raises=(
            accounts.AccountNotFound,
            accounts.AccountErased,
            identity.AccountMayMore,
            identity.LastAdmin,
        ),
    ),
    Route(
        "PUT",
        "/v1/users/{account_id:uuid}/email",
        users.correct_email,
        cost=5,
        priority=Priority.OPERATE,
        scope="users:write",
        raises=(
            accounts.AccountNotFound,
            accounts.AccountErased,
            accounts.EmailTaken,
            identity.AccountOfStaff,
        ),
    ),
    Route(
        "DELETE",
        "/v1/users/{account_id:uuid}",
        users.erase,
        cost=10,
        priority=Priority.OPERATE,
        scope="users:write",
        raises=(
            accounts.AccountNotFound,
            identity.AccountMayMore,
            identity.LastAdmin,
            OrdersNotSettled,
        ),
    ),
)

ROUTES: tuple[Route, ...] = (*_OWN, *_USERS)
