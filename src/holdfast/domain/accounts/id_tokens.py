"""Id tokens of other issuers: verified as OpenID Connect Core 3.1.3.7 says.

Keys come from the issuer's published set and from nowhere in the token; the algorithm
is one of a short list of asymmetric ones, whatever the token's header would like.
"""

import base64
import hmac
from datetime import datetime
from typing import Any

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

ALGORITHMS = ("ES256", "ES384", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_LONGEST = 16_384
_MOST_KEYS = 16
_LEEWAY_SECONDS = 60


class IdTokenRefused(Exception):
    """An id token proves nothing; the message says why, never what it was."""


class IdClaims(msgspec.Struct, frozen=True):
    """What an id token says."""

    iss: str
    sub: str
    aud: str | list[str]
    exp: int | float
    iat: int | float
    nonce: str = ""
    azp: str | None = None
    email: str | None = None
    email_verified: bool = False
    given_name: str | None = None
    family_name: str | None = None


class _Header(msgspec.Struct, frozen=True):
    alg: str
    kid: str | None = None
    crit: Any = None


def key_id_of(token: str) -> str | None:
    """Which key a token says it was signed with."""
    try:
        return _header(token).kid
    except IdTokenRefused:
        return None


def has_key(keys: dict[str, Any], key_id: str) -> bool:
    """Whether a published set holds a key of this id."""
    return any(key.get("kid") == key_id for key in _listed(keys))


def verify(
    token: str,
    keys: dict[str, Any],
    *,
    issuer: str,
    client_id: str,
    nonce: str,
    now: datetime,
) -> IdClaims:
    """The claims of a token for *client_id* and this *nonce*, at this moment.

    Raises ``IdTokenRefused``.
    """
    header = _header(token)
    if header.alg not in ALGORITHMS or header.crit is not None:
        raise IdTokenRefused("its algorithm is not one of those that prove something")
    claims = _signed(token, _candidates(keys, header), header.alg)
    audience = [claims.aud] if isinstance(claims.aud, str) else claims.aud
    if claims.iss != issuer:
        raise IdTokenRefused("another issuer")
    if client_id not in audience:
        raise IdTokenRefused("for somebody else")
    if (len(audience) > 1 or claims.azp is not None) and claims.azp != client_id:
        raise IdTokenRefused("given to somebody else")
    seconds = now.timestamp()
    if claims.exp <= seconds - _LEEWAY_SECONDS:
        raise IdTokenRefused("expired")
    if claims.iat > seconds + _LEEWAY_SECONDS:
        raise IdTokenRefused("from the future")
    if not hmac.compare_digest(claims.nonce.encode(), nonce.encode()):
        raise IdTokenRefused("for another sign-in")
    if not 0 < len(claims.sub) <= 255:  # noqa: PLR2004 - OpenID Connect Core 2
        raise IdTokenRefused("about nobody")
    return claims


def _header(token: str) -> _Header:
    first = token.partition(".")[0]
    if len(token) > _LONGEST or not token.isascii():
        raise IdTokenRefused("too long, or no token")
    try:
        raw = base64.urlsafe_b64decode(first + "=" * (-len(first) % 4))
        return msgspec.json.decode(raw, type=_Header)
    except (ValueError, msgspec.DecodeError):
        raise IdTokenRefused("no token") from None


def _listed(keys: dict[str, Any]) -> list[dict[str, Any]]:
    listed = keys.get("keys")
    if not isinstance(listed, list):
        return []
    return [key for key in listed[:_MOST_KEYS] if isinstance(key, dict)]


def _candidates(keys: dict[str, Any], header: _Header) -> list[ECKey | RSAKey]:
    """The keys that may have signed: of the id, if it names one, and of the kind."""
    kind = "EC" if header.alg.startswith("ES") else "RSA"
    found: list[ECKey | RSAKey] = []
    for said in _listed(keys):
        if said.get("kty") != kind or said.get("use", "sig") != "sig":
            continue
        if header.kid is not None and said.get("kid") != header.kid:
            continue
        if said.get("alg", header.alg) != header.alg:
            continue
        try:
            found.append(_imported(said, kind))
        except (JoseError, ValueError, KeyError, TypeError):
            continue
    return found


def _imported(said: dict[str, Any], kind: str) -> ECKey | RSAKey:
    return ECKey.import_key(said) if kind == "EC" else RSAKey.import_key(said)


def _signed(token: str, keys: list[ECKey | RSAKey], algorithm: str) -> IdClaims:
    for key in keys:
        try:
            said = jwt.decode(token, key, algorithms=[algorithm]).claims
        except (JoseError, ValueError, TypeError):
            continue
        try:
            return msgspec.convert(said, IdClaims)
        except msgspec.ValidationError as error:
            raise IdTokenRefused("its claims are not what they should be") from error
    raise IdTokenRefused("none of the issuer's keys signed it")
