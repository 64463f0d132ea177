"""Sessions: sign in from the shop's own applications, see who is signed in, end it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response

from holdfast.api.doorstep import Rule
from holdfast.api.listing import After, Limit, Listing, listing
from holdfast.api.problems import MissingScope
from holdfast.api.protection.credentials import attempt
from holdfast.api.shapes import invalid
from holdfast.api.shop import Shop
from holdfast.domain import accounts, oauth
from holdfast.domain.accounts import Session
from holdfast.domain.identity import Caller, Member, Origin
from holdfast.domain.oauth import Client
from holdfast.kernel.errors import Unauthenticated
from holdfast.kernel.page import DEFAULT_LIMIT, Page
from holdfast.workflows import first_party, sessions
from holdfast.workflows.first_party import ClientNotFirstParty, Entrance, Opened
from holdfast.workflows.refused import Refused
from holdfast.workflows.sign_in import SecondFactorNeeded, SignIn
from holdfast.workflows.tokens import Credentials

_MY_PATH = "/v1/me/sessions"
# What is in the answer opens an account: nobody on the way may keep it.
_NO_STORE = {"Cache-Control": "no-store"}

ClientId = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
ClientSecret = Annotated[
    str, msgspec.Meta(max_length=100, description="Of a confidential client.")
]
Scopes = Annotated[
    str,
    msgspec.Meta(
        max_length=2000,
        description="Separated by spaces; everything the client may have, if absent.",
    ),
]
Place = Annotated[
    str,
    msgspec.Meta(
        max_length=100,
        description="`place` of an earlier sign-in on this device, if there was one.",
    ),
]


@dataclass(eq=False)
class SecondFactorRequired(Unauthenticated):
    """A code of the second factor is needed too."""

    challenge: str


class NewSession(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody who signs in with a password."""

    email: Annotated[str, msgspec.Meta(min_length=1, max_length=254)]
    password: Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
    client_id: ClientId
    client_secret: ClientSecret | None = None
    scope: Scopes | None = None
    place: Place | None = None


class SecondStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The code that was asked for after the password."""

    challenge: Annotated[str, msgspec.Meta(max_length=2048)]
    code: Annotated[
        str,
        msgspec.Meta(max_length=100, description="Of the device, or a recovery code."),
    ]
    client_id: ClientId
    client_secret: ClientSecret | None = None
    scope: Scopes | None = None


class OpenedSession(msgspec.Struct, frozen=True):
    """A session and its first tokens, named as RFC 6749 5.1 does."""

    access_token: str
    token_type: str
    expires_in: int
    refresh_token: str | None
    id_token: str | None
    scope: str
    session_id: UUID
    place: str
    """To be kept on the device, and sent with the next sign-in from it."""


class SessionView(msgspec.Struct, frozen=True):
    """Where somebody is signed in."""

    id: UUID
    kind: accounts.SessionKind
    client_id: str | None
    methods: list[str]
    address: str | None
    user_agent: str | None
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    current: bool
    """Whether it is the one that asks."""

    @classmethod
    def of(cls, session: Session, current: UUID | None) -> "SessionView":
        return cls(
            id=session.id,
            kind=session.kind,
            client_id=session.client_id,
            methods=list(session.methods),
            address=session.address,
            user_agent=session.user_agent,
            created_at=session.created_at,
            last_seen_at=session.seen_at,
            expires_at=session.expires_at,
            current=session.id == current,
        )


def rush(shop: Shop) -> Rule:
    """Turns sign-ins away while the line is full, for as long as one takes to pass."""
    return Rule(
        "POST",
        "/v1/sessions",
        full=lambda: shop.hasher.is_full,
        refusals=shop.hasher.refusals(),
    )


async def create(
    shop: Shop, origin: Origin, data: NewSession
) -> Response[OpenedSession]:
    """Sign in with a password, from an application of the shop's own.

    With a second factor the answer is 401 `second-factor-required` with a `challenge`,
    which `POST /v1/sessions/second-factor` takes together with a code.
    """
    # Whoever finds no room must not cost a look into the database.
    shop.hasher.check_room()
    await attempt(shop.quotas, "sign-in", data.email, origin, place=data.place)
    entrance = await _entrance(shop, data, origin)
    opened = await entrance.by_password(data.email, data.password, place=data.place)
    if isinstance(opened, SecondFactorNeeded):
        raise SecondFactorRequired(opened.challenge)
    return _answer(opened)


async def create_with_code(
    shop: Shop, origin: Origin, data: SecondStep
) -> Response[OpenedSession]:
    """Finish signing in with a code, or a recovery code, within five minutes."""
    await attempt(shop.quotas, "code", data.challenge, origin)
    entrance = await _entrance(shop, data, origin)
    return _answer(await entrance.by_code(data.challenge, data.code))


async def browse_own(
    shop: Shop, caller: Caller, limit: Limit = DEFAULT_LIMIT, after: After | None = None
) -> Response[Listing[SessionView]]:
    """List where you are signed in, newest first."""
    member = _member(caller, "account:read")
    page = await _browse(shop, member.account_id, limit, after, member.session_id)
    return listing(page, _MY_PATH, limit=limit)


async def end_own(shop: Shop, caller: Caller, origin: Origin, session_id: UUID) -> None:
    """Sign out somewhere. Its tokens are refused after five seconds at the latest."""
    member = _member(caller, "account:write")
    await sessions.end(
        shop.db,
        shop.vault,
        session_id,
        account_id=member.account_id,
        reason="signed_out",
        actor=caller.actor,
        origin=origin,
        clock=shop.clock,
    )


async def end_all_own(
    shop: Shop, caller: Caller, origin: Origin, *, keep_current: bool = False
) -> None:
    """Sign out everywhere, or everywhere else."""
    member = _member(caller, "account:write")
    await sessions.end_all(
        shop.db,
        shop.vault,
        member.account_id,
        keep=member.session_id if keep_current else None,
        reason="signed_out_everywhere",
        actor=caller.actor,
        origin=origin,
        clock=shop.clock,
    )


async def browse_of(
    shop: Shop,
    account_id: UUID,
    limit: Limit = DEFAULT_LIMIT,
    after: After | None = None,
) -> Response[Listing[SessionView]]:
    """List where an account is signed in, newest first."""
    await accounts.find(shop.db, shop.vault, account_id)
    page = await _browse(shop, account_id, limit, after, None)
    return listing(page, f"/v1/users/{account_id}/sessions", limit=limit)


async def end_all_of(
    shop: Shop, caller: Caller, origin: Origin, account_id: UUID
) -> None:
    """Sign an account out everywhere."""
    await accounts.find(shop.db, shop.vault, account_id)
    await sessions.end_all(
        shop.db,
        shop.vault,
        account_id,
        reason="ended_by_operator",
        actor=caller.actor,
        origin=origin,
        clock=shop.clock,
    )


async def _entrance(
    shop: Shop, data: NewSession | SecondStep, origin: Origin
) -> Entrance:
    credentials = Credentials(data.client_id, data.client_secret)
    try:
        client = await first_party.client_of(shop.db, credentials)
    except ClientNotFirstParty as error:
        if isinstance(error.__cause__, oauth.ClientRefused):
            shop.refused.note(Refused.client(credentials.client_id), origin)
        raise
    return Entrance(
        SignIn(shop.db, shop.vault, shop.hasher, shop.clock),
        shop.keyring,
        client,
        _scopes(client, data.scope),
        shop.settings.public_url,
        origin,
    )


def _scopes(client: Client, wanted: str | None) -> tuple[str, ...]:
    if wanted is None:
        return client.scopes
    scopes = tuple(dict.fromkeys(wanted.split()))
    if foreign := [scope for scope in scopes if scope not in client.scopes]:
        raise invalid("/scope", f"The client is not registered for {foreign[0]}")
    return scopes


def _answer(opened: Opened) -> Response[OpenedSession]:
    issued = opened.issued
    said = OpenedSession(
        access_token=issued.access_token,
        token_type=issued.token_type,
        expires_in=issued.expires_in,
        refresh_token=issued.refresh_token,
        id_token=issued.id_token,
        scope=issued.scope,
        session_id=opened.session.id,
        place=opened.place,
    )
    return Response(said, headers=_NO_STORE)


async def _browse(
    shop: Shop, account_id: UUID, limit: int, after: str | None, current: UUID | None
) -> Page[SessionView]:
    page = await accounts.browse_sessions(
        shop.db, shop.vault, account_id, shop.clock(), after=after, limit=limit
    )
    return Page([SessionView.of(found, current) for found in page.items], page.next)


def _member(caller: Caller, scope: str) -> Member:
    if not isinstance(caller, Member):
        raise MissingScope(scope)
    return caller
