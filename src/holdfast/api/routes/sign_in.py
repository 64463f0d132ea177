"""Signing in and out, and the second factor."""

from holdfast.api import second_factor, sessions
from holdfast.api.policy import Priority, Route
from holdfast.domain import accounts
from holdfast.kernel.page import BadCursor
from holdfast.workflows.first_party import ClientNotFirstParty
from holdfast.workflows.second_factor import (
    SecondFactorEnabled,
    SecondFactorMissing,
    WrongCode,
)
from holdfast.workflows.sessions import SessionNotFound
from holdfast.workflows.sign_in import (
    ChallengeNotValid,
    CodeRefused,
    InvalidLogin,
    TooManyAttempts,
)

# Eight in a full line, as those are told who find none of it free; and then as much as
# anybody has.
_SIGN_IN_SECONDS = 18.0
_SAYING_THE_PASSWORD = (
    accounts.WrongPassword,
    TooManyAttempts,
    accounts.SignInBusy,
)

ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/v1/me/recovery-codes",
        second_factor.replace_recovery_codes,
        cost=20,
        priority=Priority.BROWSE,
        guesses="credentials",
        claims="late",
        secret_answer=True,
        scope="account:write",
        raises=(*_SAYING_THE_PASSWORD, WrongCode, SecondFactorMissing),
    ),
    Route(
        "GET",
        "/v1/me/second-factor",
        second_factor.show,
        cost=1,
        priority=Priority.BROWSE,
        scope="account:read",
    ),
    Route(
        "POST",
        "/v1/me/second-factor",
        second_factor.begin,
        cost=20,
        priority=Priority.BROWSE,
        guesses="credentials",
        claims="late",
        secret_answer=True,
        scope="account:write",
        raises=(*_SAYING_THE_PASSWORD, SecondFactorEnabled),
    ),
    Route(
        "POST",
        "/v1/me/second-factor/confirm",
        second_factor.confirm,
        cost=5,
        priority=Priority.BROWSE,
        guesses="credentials",
        claims="late",
        secret_answer=True,
        scope="account:write",
        status=200,
        raises=(WrongCode, TooManyAttempts, SecondFactorEnabled, SecondFactorMissing),
    ),
    Route(
        "DELETE",
        "/v1/me/second-factor",
        second_factor.disable,
        cost=20,
        priority=Priority.BROWSE,
        guesses="credentials",
        claims="late",
        scope="account:write",
        raises=(*_SAYING_THE_PASSWORD, WrongCode, SecondFactorMissing),
    ),
    Route(
        "GET",
        "/v1/me/sessions",
        sessions.browse_own,
        cost=2,
        priority=Priority.OPERATE,
        scope="account:read",
        raises=(BadCursor,),
    ),
    Route(
        "DELETE",
        "/v1/me/sessions",
        sessions.end_all_own,
        cost=5,
        priority=Priority.BUY,
        scope="account:write",
    ),
    Route(
        "DELETE",
        "/v1/me/sessions/{session_id:uuid}",
        sessions.end_own,
        cost=5,
        priority=Priority.BUY,
        scope="account:write",
        raises=(SessionNotFound,),
    ),
    Route(
        "POST",
        "/v1/sessions",
        sessions.create,
        cost=20,
        priority=Priority.BUY,
        seconds=_SIGN_IN_SECONDS,
        guesses="credentials",
        claims="late",
        secret_answer=True,
        public=True,
        raises=(
            InvalidLogin,
            sessions.SecondFactorRequired,
            ClientNotFirstParty,
            TooManyAttempts,
            accounts.SignInBusy,
        ),
    ),
    Route(
        "POST",
        "/v1/sessions/second-factor",
        sessions.create_with_code,
        cost=5,
        priority=Priority.BUY,
        guesses="credentials",
        claims="late",
        secret_answer=True,
        public=True,
        raises=(
            InvalidLogin,
            CodeRefused,
            ChallengeNotValid,
            ClientNotFirstParty,
            TooManyAttempts,
        ),
    ),
    Route(
        "GET",
        "/v1/users/{account_id:uuid}/sessions",
        sessions.browse_of,
        cost=2,
        priority=Priority.OPERATE,
        scope="users:read",
        raises=(accounts.AccountNotFound, BadCursor),
    ),
    Route(
        "DELETE",
        "/v1/users/{account_id:uuid}/sessions",
        sessions.end_all_of,
        cost=5,
        priority=Priority.PAY,
        scope="users:write",
        raises=(accounts.AccountNotFound,),
    ),
)
