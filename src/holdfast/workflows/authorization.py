"""Requests to sign somebody in for a client, and the codes that answer them.

RFC 6749 4.1 as RFC 9700 hardens it: an address to return to is one that the client
registered, letter by letter; PKCE with S256 for every client; `iss` in every answer
(RFC 9207), so that a client with several servers knows which one spoke.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode
from uuid import UUID

from holdfast.domain import identity, oauth
from holdfast.domain.accounts import Session
from holdfast.domain.identity import Origin
from holdfast.domain.oauth import (
    AuthorizationError,
    AuthorizationRefused,
    Client,
    ClientNotFound,
    Code,
    TokenRefused,
)
from holdfast.kernel import tokens
from holdfast.kernel.clock import Clock
from holdfast.platform.db import Connection, Database
from holdfast.platform.vault import Vault

__all__ = [
    "PROMPTS",
    "AuthorizationError",
    "AuthorizationRefused",
    "Request",
    "grant",
    "is_meant",
    "must_sign_in",
    "read",
    "refuse",
    "scopes_to_consent",
]

PROMPTS = frozenset({"none", "login", "consent", "select_account"})
_LONGEST_STATE = 2000
_LONGEST_NONCE = 512
_MAX_AGE_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks for, checked."""

    client: Client
    issuer: str
    redirect_uri: str
    state: str | None
    scopes: tuple[str, ...]
    code_challenge: str
    nonce: str | None
    prompt: frozenset[str]
    """Of ``none``, ``login``, ``consent``, ``select_account``; usually empty."""
    max_age: timedelta | None
    """How long ago the person may have proved who they are."""
    login_hint: str | None
    """For the field of the e-mail address; anybody may have written it."""
    hinted: UUID | None = None
    """The only account that is meant (``id_token_hint``); None if any will do."""

    @property
    def letter(self) -> str:
        """What tells this request from every other that the client makes."""
        said = (self.state or "", self.nonce or "", self.code_challenge)
        return "\n".join((self.client.id, self.redirect_uri, *said))

    @property
    def silent(self) -> bool:
        """Whether nothing may be shown: sign-in and consent are errors then."""
        return "none" in self.prompt


async def read(
    connection: Connection, parameters: Mapping[str, str], *, issuer: str
) -> Request:
    """Check the parameters of a request, each of which was sent once.

    Raises ``AuthorizationRefused``, which must be shown and never sent anywhere: client
    or redirect URI are not to be trusted. Raises ``AuthorizationError`` for everything
    else, which is sent to ``redirect_to``.
    """
    # A parameter without a value counts as left out (RFC 6749 3.1).
    parameters = {name: value for name, value in parameters.items() if value}
    client = await _client(connection, parameters.get("client_id"))
    redirect_uri = parameters.get("redirect_uri")
    if redirect_uri is None:
        raise AuthorizationRefused("redirect_uri is missing")
    if not client.may_return_to(redirect_uri):
        raise AuthorizationRefused("The client did not register this redirect_uri")
    state = parameters.get("state")
    hinted, fault = None, next(_faults(client, parameters), None)
    if fault is None and "id_token_hint" in parameters:
        hinted = await _hinted(
            connection, parameters["id_token_hint"], issuer, client.id
        )
        if hinted is None:
            fault = "invalid_request", "id_token_hint is no id token of this client"
    if fault is not None:
        raise AuthorizationError(
            _answer(
                redirect_uri,
                issuer,
                state if state is None or len(state) <= _LONGEST_STATE else None,
                error=fault[0],
                error_description=fault[1],
            ),
            *fault,
        )
    max_age = parameters.get("max_age")
    return Request(
        client=client,
        issuer=issuer,
        redirect_uri=redirect_uri,
        state=state,
        scopes=tuple(dict.fromkeys(parameters["scope"].split())),
        code_challenge=parameters["code_challenge"],
        nonce=parameters.get("nonce"),
        prompt=frozenset(parameters.get("prompt", "").split()),
        max_age=None if max_age is None else timedelta(seconds=int(max_age)),
        login_hint=parameters.get("login_hint"),
        hinted=hinted,
    )


def must_sign_in(request: Request, session: Session | None, at: datetime) -> bool:
    """Whether the person has to prove who they are, again if need be.

    Once they have, continue without ``prompt``: it asks for one sign-in, not for ever
    another.
    """
    if session is None or request.prompt & {"login", "select_account"}:
        return True
    if not is_meant(request, session):
        return True
    return (
        request.max_age is not None and at - session.authenticated_at > request.max_age
    )


def is_meant(request: Request, session: Session) -> bool:
    """Whether the request is for whoever this session is of.

    To a client that names a person, nobody else is signed in (OpenID Connect Core
    3.1.2.1): it would go on with two persons in one.
    """
    return request.hinted in (None, session.account_id)


async def scopes_to_consent(
    connection: Connection, request: Request, account_id: UUID
) -> tuple[str, ...]:
    """What the person has to agree to before ``grant``; nothing if it is empty.

    The shop's own clients need no consent. What was agreed to once is not asked again,
    unless the client wants it to be (``prompt=consent``). Who waits on this machine or
    at a scheme of its own is asked for each time: any application can be there, and
    say it is that client (RFC 8252 8.6).
    """
    could_be_any = request.client.is_public and not request.redirect_uri.startswith(
        "https:"
    )
    if request.client.first_party and not could_be_any:
        return ()
    wanted = await _within_roles(connection, request, account_id)
    if could_be_any or "consent" in request.prompt:
        return wanted
    known = await oauth.consented_scopes(connection, account_id, request.client.id)
    return () if known.issuperset(wanted) else wanted


async def grant(
    db: Database,
    vault: Vault,
    request: Request,
    session: Session,
    *,
    origin: Origin,
    clock: Clock,
) -> str:
    """Where to send the browser: to the client, with a code that is good for a minute.

    The person has agreed to ``scopes_to_consent``; what they agreed to is remembered.
    A code never carries more than the person may do: of scopes that none of their
    roles has, the client gets none.
    """
    now, token = clock(), tokens.new_token(tokens.AUTHORIZATION_CODE)
    account_id, client = session.account_id, request.client
    async with db.transaction() as tx:
        scopes = await _within_roles(tx, request, account_id)
        if not scopes:
            return refuse(request, "access_denied", "You may do nothing of this")
        if not client.first_party and await oauth.remember_consent(
            tx, account_id, client.id, scopes, now
        ):
            await identity.record(
                tx,
                vault,
                "consent.granted",
                actor=f"account:{account_id}",
                origin=origin,
                at=now,
                account_id=account_id,
                client_id=client.id,
                session_id=session.id,
                detail={"scope": " ".join(scopes)},
            )
        code = Code(
            client_id=client.id,
            account_id=account_id,
            redirect_uri=request.redirect_uri,
            code_challenge=request.code_challenge,
            scopes=scopes,
            nonce=request.nonce,
            methods=session.methods,
            authenticated_at=session.authenticated_at,
            browser_session_id=session.id,
        )
        await oauth.add_code(tx, token, code, now)
    return _answer(request.redirect_uri, request.issuer, request.state, code=token)


def refuse(
    request: Request,
    error: str = "access_denied",
    description: str = "The request was declined",
) -> str:
    """Where to send the browser when there is no code.

    *error* is ``access_denied``, or of OpenID Connect Core 3.1.2.6 for a request that
    must stay silent: ``login_required``, ``consent_required``.
    """
    return _answer(
        request.redirect_uri,
        request.issuer,
        request.state,
        error=error,
        error_description=description,
    )


async def _client(connection: Connection, client_id: str | None) -> Client:
    if client_id is None:
        raise AuthorizationRefused("client_id is missing")
    try:
        client = await oauth.find_client(connection, client_id)
    except ClientNotFound:
        raise AuthorizationRefused("There is no such client") from None
    if client.disabled_at is not None:
        raise AuthorizationRefused("The client is disabled")
    return client


async def _hinted(
    connection: Connection, token: str, issuer: str, client_id: str
) -> UUID | None:
    # Also by keys that are not listed any more: hints are old.
    keys = await oauth.all_signing_keys(connection)
    try:
        return oauth.account_of_hint(
            token,
            {key.id: key.public for key in keys},
            issuer=issuer,
            client_id=client_id,
        )
    except TokenRefused:
        return None


def _faults(client: Client, said: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What is wrong, the first of which is told: error code and description."""
    for name in ("request", "request_uri", "registration"):
        if name in said:
            yield f"{name}_not_supported", f"{name} is not supported"
    if len(said.get("state", "")) > _LONGEST_STATE:
        yield "invalid_request", f"state has more than {_LONGEST_STATE} characters"
    if "response_type" not in said:
        yield "invalid_request", "response_type is missing"
    elif said["response_type"] != "code":
        yield "unsupported_response_type", "response_type must be code"
    if said.get("response_mode", "query") != "query":
        yield "invalid_request", "response_mode must be query"
    if "authorization_code" not in client.grant_types:
        yield "unauthorized_client", "The client does not sign people in"
    yield from _faults_of_challenge(said)
    if not (wanted := said.get("scope", "").split()):
        yield "invalid_scope", "scope is missing"
    elif foreign := sorted(set(wanted) - set(client.scopes)):
        yield "invalid_scope", f"Not a scope of this client: {_printable(foreign[0])}"
    yield from _faults_of_openid(said)


def _faults_of_challenge(said: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    # Without a method RFC 7636 would mean `plain`.
    if "code_challenge" not in said:
        yield "invalid_request", "code_challenge is missing: PKCE is required"
    elif said.get("code_challenge_method") != "S256":
        yield "invalid_request", "code_challenge_method must be S256"
    elif not oauth.plausible_challenge(said["code_challenge"]):
        yield "invalid_request", "code_challenge must be 43 to 128 of A-Z a-z 0-9 - _"


def _faults_of_openid(said: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if len(said.get("nonce", "")) > _LONGEST_NONCE:
        yield "invalid_request", f"nonce has more than {_LONGEST_NONCE} characters"
    prompt = set(said.get("prompt", "").split())
    if prompt - PROMPTS or ("none" in prompt and len(prompt) > 1):
        yield (
            "invalid_request",
            "prompt must be none, or of: " + ", ".join(sorted(PROMPTS - {"none"})),
        )
    max_age = said.get("max_age", "0")
    if not (max_age.isascii() and max_age.isdigit()) or len(max_age) > _MAX_AGE_DIGITS:
        yield "invalid_request", "max_age must be whole seconds"


def _printable(text: str) -> str:
    """What RFC 6749 4.1.2.1 lets a description repeat."""
    return "".join(c for c in text[:64] if " " <= c <= "~" and c not in '"\\')


async def _within_roles(
    connection: Connection, request: Request, account_id: UUID
) -> tuple[str, ...]:
    held = await identity.scopes_of_account(connection, account_id)
    return tuple(
        scope
        for scope in request.scopes
        if scope in held or scope in identity.IDENTITY_SCOPES
    )


def _answer(redirect_uri: str, issuer: str, state: str | None, **said: str) -> str:
    if state is not None:
        said["state"] = state
    # A registered address may have a query of its own (RFC 6749 3.1.2); a fragment
    # it cannot have.
    glue = "&" if "?" in redirect_uri else "?"
    return redirect_uri + glue + urlencode({**said, "iss": issuer})
