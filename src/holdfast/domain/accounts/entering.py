"""What follows a right password, in one statement: nobody is half signed in.

Most sign-ins are a password and nothing else. What is written because of one, here and
by other modules, needs nothing in between that only Python knows. So it is the first
part of a statement (see ``sql.Step``) that is a transaction by itself.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from holdfast.domain.accounts.guard import LIMITS, PLACES_KEPT_OF_ONE, Claim
from holdfast.domain.accounts.sessions import Session, sealed_device
from holdfast.platform import sql
from holdfast.platform.vault import Vault

_ENTER = sql.load("holdfast.domain.accounts")["enter"]


def entering(
    vault: Vault,
    session: Session,
    *,
    password_changed_at: datetime | None,
    claim: Claim,
    places: Sequence[bytes],
    of_no_role: Collection[str],
) -> sql.Step:
    """Take an attempt back, remember *places*, store *session*, which no cookie opens.

    The same as ``hold``, ``give_back_attempt``, ``remember_places`` and
    ``open_session``. Of the session's scopes it gets those *of_no_role*, and those that
    a role of the account allows at this moment. The row has its id, its end and these;
    there is none, and nothing happened, if the account is not as it was known.
    """
    of_any = frozenset(of_no_role)
    return sql.Step(
        _ENTER,
        (
            session.account_id,
            password_changed_at,
            [subject.kind for subject in claim.subjects],
            [subject.value for subject in claim.subjects],
            [LIMITS[subject.kind].free for subject in claim.subjects],
            ["pair"],
            places,
            PLACES_KEPT_OF_ONE,
            session.id,
            session.kind,
            session.client_id,
            session.scopes,
            [scope for scope in session.scopes if scope in of_any],
            session.methods,
            sealed_device(vault, session),
            session.created_at,
            session.expires_at,
        ),
    )
