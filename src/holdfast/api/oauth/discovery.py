"""What this server tells clients of itself, and the keys that verify what it signs.

RFC 8414 and OpenID Connect Discovery name an address each; both tell the same. Every
value is true: what is not listed is refused.
"""

from typing import Any

from litestar import Response

from holdfast.api.shop import Shop
from holdfast.domain.identity import IDENTITY_SCOPES, SCOPES
from holdfast.domain.oauth import ALGORITHM
from holdfast.workflows.authorization import PROMPTS

KEPT_SECONDS = 300
"""How long the answers may be kept. Keys are listed twice as long before they sign."""

_KEPT = {"Cache-Control": f"public, max-age={KEPT_SECONDS}"}
_CLAIMS = (
    *("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "amr", "at_hash", "sid"),
    *("email", "email_verified", "phone_number", "phone_number_verified", "address"),
    *("name", "given_name", "family_name", "locale", "zoneinfo", "updated_at"),
)
_BY_SECRET = ("client_secret_basic", "client_secret_post")


async def metadata(shop: Shop) -> Response[dict[str, Any]]:
    """Describe this authorization server to clients."""
    issuer = shop.settings.public_url
    return Response(
        {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/oauth/authorize",
            "token_endpoint": f"{issuer}/oauth/token",
            "revocation_endpoint": f"{issuer}/oauth/revoke",
            "introspection_endpoint": f"{issuer}/oauth/introspect",
            "userinfo_endpoint": f"{issuer}/oauth/userinfo",
            "jwks_uri": f"{issuer}/oauth/jwks",
            "service_documentation": f"{issuer}/docs",
            "scopes_supported": [*IDENTITY_SCOPES, *sorted(SCOPES)],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": [
                *("authorization_code", "client_credentials", "refresh_token")
            ],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": [*_BY_SECRET, "none"],
            "revocation_endpoint_auth_methods_supported": [*_BY_SECRET, "none"],
            "introspection_endpoint_auth_methods_supported": [*_BY_SECRET, "Bearer"],
            "authorization_response_iss_parameter_supported": True,
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
            "claim_types_supported": ["normal"],
            "claims_supported": _CLAIMS,
            "prompt_values_supported": sorted(PROMPTS),
            # Each of these would be true, or left open, if nothing were said.
            "claims_parameter_supported": False,
            "request_parameter_supported": False,
            "request_uri_parameter_supported": False,
        },
        headers=_KEPT,
    )


async def jwks(shop: Shop) -> Response[dict[str, Any]]:
    """List the public keys of this server's signatures."""
    return Response(await shop.keyring.jwks(), headers=_KEPT)
