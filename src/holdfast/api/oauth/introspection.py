"""What a token is worth now, for those who were shown it (RFC 7662).

A client is told of its own tokens. The shop's own services are told of all: clients
that are registered as first-party and confidential, and API keys with ``users:read``.
Of what is not active nothing is told at all, not even why.
"""

from typing import Any

from litestar import Response

from holdfast.api.oauth.protocol import (
    ClientRequest,
    Form,
    answer,
    bearer_in,
    credentials_in,
    needed,
)
from holdfast.api.shop import Shop
from holdfast.domain import accounts, identity, oauth
from holdfast.domain.identity import Origin
from holdfast.domain.oauth import RequestRefused, TokenRefused
from holdfast.kernel import tokens
from holdfast.workflows.refused import Refused
from holdfast.workflows.tokens import authenticated

SCOPE = "users:read"
_INACTIVE = {"active": False}


async def introspect(
    shop: Shop, origin: Origin, request: ClientRequest
) -> Response[bytes]:
    """Tell whether a token is active, and what it stands for."""

    async def work(form: Form) -> dict[str, Any]:
        only = await _asker(shop, origin, request, form)
        token = needed(form, "token")
        if tokens.plausible(token, tokens.REFRESH):
            found = await _refresh_token(shop, token)
        else:
            found = await _access_token(shop, token)
        if found is None or only not in (None, found["client_id"]):
            return _INACTIVE
        return {"active": True, **found}

    return await answer(shop, origin, request, work)


async def _asker(
    shop: Shop, origin: Origin, request: ClientRequest, form: Form
) -> str | None:
    """The client whose tokens may be told of; None for whoever may know of all."""
    if (bearer := bearer_in(request)) is not None:
        operator = None
        if tokens.plausible(bearer, tokens.API_KEY):
            digest = tokens.fingerprint(bearer)
            operator, revoked = await identity.look_up(shop.db, digest)
            if operator is None:
                shop.refused.note(Refused.api_key(revoked), origin)
        if operator is not None:
            shop.key_uses.note(operator, request.scope)  # type: ignore[arg-type]
        if operator is None or not identity.may(operator, SCOPE):
            raise RequestRefused("invalid_client", f"No API key with {SCOPE}")
        return None
    client = await authenticated(shop.db, credentials_in(request, form))
    if client.is_public:
        raise RequestRefused("invalid_client", "A public client cannot ask")
    return None if client.first_party else client.id


async def _access_token(shop: Shop, token: str) -> dict[str, Any] | None:
    issuer, now = shop.settings.public_url, shop.clock()
    try:
        claims = await oauth.verify(token, keys=shop.keyring, issuer=issuer, at=now)
    except TokenRefused:
        return None
    standing = await oauth.standing(
        shop.db, [claims], at=now, of_no_role=identity.IDENTITY_SCOPES
    )
    if claims.token_id not in standing:
        return None
    scopes = claims.scopes & standing[claims.token_id]
    said = {
        "scope": " ".join(sorted(scopes)),
        "client_id": claims.client_id,
        "sub": str(claims.account_id or claims.client_id),
        "token_type": "Bearer",
        "exp": int(claims.expires_at.timestamp()),
        "iat": int(claims.issued_at.timestamp()),
        "iss": issuer,
        "aud": issuer,
    }
    if claims.account_id is not None and "email" in scopes:
        account = await accounts.find(shop.db, shop.vault, claims.account_id)
        said["username"] = account.email
    return said


async def _refresh_token(shop: Shop, token: str) -> dict[str, Any] | None:
    issuer = shop.settings.public_url
    found = await oauth.find_refresh_token(shop.db, token, shop.clock())
    if found is None:
        return None
    return {
        "scope": " ".join(found.scopes),
        "client_id": found.client_id,
        "sub": str(found.account_id),
        "exp": int(found.expires_at.timestamp()),
        "iat": int(found.created_at.timestamp()),
        "iss": issuer,
        "aud": issuer,
    }
