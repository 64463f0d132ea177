"""The sealed columns of this module, for sealing them under a newer key."""

from holdfast.platform import sql
from holdfast.platform.resealing import Sealed

_SQL = sql.load("holdfast.domain.accounts")
_ACCOUNTS_TO_RESEAL = _SQL["accounts_to_reseal"]
_RESEAL_ACCOUNTS = _SQL["reseal_accounts"]
_PASSWORDS_TO_RESEAL = _SQL["passwords_to_reseal"]
_RESEAL_PASSWORDS = _SQL["reseal_passwords"]
_ACCOUNT_REQUESTS_TO_RESEAL = _SQL["account_requests_to_reseal"]
_RESEAL_ACCOUNT_REQUESTS = _SQL["reseal_account_requests"]
_SESSIONS_TO_RESEAL = _SQL["sessions_to_reseal"]
_RESEAL_SESSIONS = _SQL["reseal_sessions"]
_SECOND_FACTORS_TO_RESEAL = _SQL["second_factors_to_reseal"]
_RESEAL_SECOND_FACTORS = _SQL["reseal_second_factors"]

SEALED = (
    Sealed("accounts", take=_ACCOUNTS_TO_RESEAL, put=_RESEAL_ACCOUNTS),
    Sealed("accounts.password", take=_PASSWORDS_TO_RESEAL, put=_RESEAL_PASSWORDS),
    Sealed(
        "account_requests",
        take=_ACCOUNT_REQUESTS_TO_RESEAL,
        put=_RESEAL_ACCOUNT_REQUESTS,
    ),
    Sealed("sessions", take=_SESSIONS_TO_RESEAL, put=_RESEAL_SESSIONS),
    Sealed(
        "second_factors", take=_SECOND_FACTORS_TO_RESEAL, put=_RESEAL_SECOND_FACTORS
    ),
)
