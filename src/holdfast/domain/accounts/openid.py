"""Another's word for who somebody is: an OpenID provider, found by discovery.

The authorization code flow with PKCE, state and nonce, against mix-up with `iss` (RFC
9207), as OpenID Connect Core 3.1 and RFC 9700 want it. Nothing the provider sends is
believed for being sent: its metadata must name the issuer that was asked, an id token
must be signed by one of its published keys with an asymmetric algorithm, for us, for
this sign-in. Every question has a deadline; what the provider says is kept for an hour.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import aiohttp
import msgspec

from holdfast.domain.accounts import id_tokens
from holdfast.domain.accounts.errors import (
    OutsideSignInRefused,
    ProviderUnavailable,
)
from holdfast.domain.accounts.id_tokens import IdClaims
from holdfast.kernel.clock import Clock
from holdfast.platform import http
from holdfast.platform.openid_providers import OpenIdProvider
from holdfast.resilience.errors import Rejected, TimedOut

T = TypeVar("T")

_KEPT = timedelta(hours=1)
# What a provider says of itself changes by the month, and it announces keys days before
# it uses them; after a day without an answer, old keys are worse than none.
_GOOD_WITHOUT_ANSWER = timedelta(days=1)
_KEYS_AGAIN_AFTER = timedelta(minutes=1)
_LONGEST_ANSWER = 4096
PROVIDER_UNREACHABLE = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
"""Nobody takes the connection."""
_LOOK_LIKE_JSON = {"Accept": "application/json"}


class Protect(Protocol):
    """Policies around one question; its deadline among them."""

    async def __call__(self, call: Callable[[], Awaitable[Any]], /) -> Any: ...


class NoAnswer(Exception):
    """The provider answered that it cannot answer (5xx)."""


PROVIDER_FAILURES = (NoAnswer, aiohttp.ClientError, OSError, http.AnswerTooLong)
"""No answer, or none that can be read."""


class Begun(msgspec.Struct, frozen=True):
    """A sign-in under way: what its end is checked against. Secret."""

    provider: str
    state: str
    nonce: str
    verifier: str
    return_to: str
    begun_at: datetime


@dataclass(frozen=True, slots=True)
class Person:
    """Who somebody is, by the word of a provider."""

    issuer: str
    subject: str
    email: str | None
    email_verified: bool
    given_name: str | None
    family_name: str | None


class _Metadata(msgspec.Struct, frozen=True):
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    authorization_response_iss_parameter_supported: bool = False
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class _Tokens(msgspec.Struct, frozen=True):
    id_token: str
    access_token: str


class _Profile(msgspec.Struct, frozen=True):
    sub: str
    email: str | None = None
    email_verified: bool = False
    given_name: str | None = None
    family_name: str | None = None


class Provider:
    """One provider of the settings; keeps what it said about itself."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        provider: OpenIdProvider,
        *,
        redirect_uri: str,
        protect: Protect,
        protect_reading: Protect | None = None,
        clock: Clock,
    ) -> None:
        self.id = provider.id
        self.title = provider.title
        self.issuer = provider.issuer
        self._session = session
        self._client_id = provider.client_id
        self._client_secret = provider.client_secret
        self._redirect_uri = redirect_uri
        self._protect = protect
        self._protect_reading = protect_reading or protect
        self._clock = clock
        self._metadata: tuple[datetime, _Metadata] | None = None
        self._keys: tuple[datetime, dict[str, Any]] | None = None

    async def begin(self, return_to: str) -> tuple[str, Begun]:
        """Where to send the browser, and what to remember until it comes back.

        Raises ``ProviderUnavailable``.
        """
        metadata = await self._discover()
        begun = Begun(
            provider=self.id,
            state=secrets.token_urlsafe(24),
            nonce=secrets.token_urlsafe(24),
            verifier=secrets.token_urlsafe(48),
            return_to=return_to,
            begun_at=self._clock(),
        )
        digest = hashlib.sha256(begun.verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": self._redirect_uri,
            "scope": "openid email profile",
            "state": begun.state,
            "nonce": begun.nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        endpoint = metadata.authorization_endpoint
        joint = "&" if "?" in endpoint else "?"
        return endpoint + joint + urlencode(query), begun

    async def finish(self, begun: Begun, answer: Mapping[str, str]) -> Person:
        """Who came back with *answer*, the query of the redirect.

        Raises ``OutsideSignInRefused`` if it is not the answer to *begun*, or says no;
        ``ProviderUnavailable`` if the provider cannot be asked the rest.
        """
        metadata = await self._discover()
        self._check_answer(begun, answer, metadata)
        tokens = await self._redeem(begun, answer["code"], metadata)
        claims = await self._verified(tokens.id_token, begun, metadata)
        return await self._person(claims, tokens.access_token, metadata)

    def _check_answer(
        self, begun: Begun, answer: Mapping[str, str], metadata: _Metadata
    ) -> None:
        state = answer.get("state", "")
        if begun.provider != self.id or not hmac.compare_digest(
            state.encode(), begun.state.encode()
        ):
            raise OutsideSignInRefused("other_sign_in")
        issuer = answer.get("iss")
        missing = metadata.authorization_response_iss_parameter_supported
        if (issuer is None and missing) or issuer not in (None, self.issuer):
            # A mix-up: another provider's answer, sent here.
            raise OutsideSignInRefused("other_issuer")
        if "error" in answer:
            # Its words are not shown: anybody can write such an address.
            raise OutsideSignInRefused("said_no")
        if not 0 < len(answer.get("code", "")) <= _LONGEST_ANSWER:
            raise OutsideSignInRefused("no_code")

    async def _redeem(self, begun: Begun, code: str, metadata: _Metadata) -> _Tokens:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": begun.verifier,
        }
        headers = dict(_LOOK_LIKE_JSON)
        methods = metadata.token_endpoint_auth_methods_supported
        if "client_secret_basic" in methods or "client_secret_post" not in methods:
            pair = f"{_form(self._client_id)}:{_form(self._client_secret)}"
            basic = base64.b64encode(pair.encode()).decode()
            headers["Authorization"] = f"Basic {basic}"
        else:
            form |= {
                "client_id": self._client_id,
                "client_secret": self._client_secret,
            }
        return await self._ask(
            "POST", metadata.token_endpoint, _Tokens, data=form, headers=headers
        )

    async def _verified(
        self, id_token: str, begun: Begun, metadata: _Metadata
    ) -> IdClaims:
        key_id = id_tokens.key_id_of(id_token)
        keys = await self._published(metadata, wanted=key_id)
        try:
            return id_tokens.verify(
                id_token,
                keys,
                issuer=self.issuer,
                client_id=self._client_id,
                nonce=begun.nonce,
                now=self._clock(),
            )
        except id_tokens.IdTokenRefused as error:
            raise OutsideSignInRefused("id_token") from error

    async def _person(
        self, claims: IdClaims, access_token: str, metadata: _Metadata
    ) -> Person:
        said = _Profile(
            claims.sub,
            claims.email,
            claims.email_verified,
            claims.given_name,
            claims.family_name,
        )
        if claims.email is None and metadata.userinfo_endpoint is not None:
            said = await self._ask(
                "GET",
                metadata.userinfo_endpoint,
                _Profile,
                headers={**_LOOK_LIKE_JSON, "Authorization": f"Bearer {access_token}"},
            )
            if said.sub != claims.sub:
                # OpenID Connect Core 5.3.2: somebody else's token was put in.
                raise OutsideSignInRefused("other_person")
        return Person(
            self.issuer,
            claims.sub,
            said.email,
            said.email_verified,
            said.given_name,
            said.family_name,
        )

    async def _discover(self) -> _Metadata:
        now = self._clock()
        if self._metadata is not None and now - self._metadata[0] < _KEPT:
            return self._metadata[1]
        # A slash at the end of an issuer is part of its name, and not of this path.
        url = self.issuer.rstrip("/") + "/.well-known/openid-configuration"
        try:
            found = await self._ask("GET", url, _Metadata, headers=_LOOK_LIKE_JSON)
        except ProviderUnavailable:
            if self._metadata is None or now - self._metadata[0] > _GOOD_WITHOUT_ANSWER:
                raise
            return self._metadata[1]
        if found.issuer != self.issuer or not self._safe(found):
            raise ProviderUnavailable(self.id)
        self._metadata = (now, found)
        return found

    def _safe(self, found: _Metadata) -> bool:
        """Whether secrets may be sent where the metadata says."""
        least = urlsplit(self.issuer).scheme
        places = (
            found.authorization_endpoint,
            found.token_endpoint,
            found.jwks_uri,
            found.userinfo_endpoint or found.jwks_uri,
        )
        try:
            parts = [urlsplit(place) for place in places]
        except ValueError:
            return False
        return all(part.hostname and part.scheme in ("https", least) for part in parts)

    async def _published(
        self, metadata: _Metadata, *, wanted: str | None
    ) -> dict[str, Any]:
        """The provider's keys; asked again for one that is new, once a minute."""
        now = self._clock()
        if self._keys is not None:
            asked_at, keys = self._keys
            fresh = now - asked_at < _KEPT
            known = wanted is None or id_tokens.has_key(keys, wanted)
            if fresh and (known or now - asked_at < _KEYS_AGAIN_AFTER):
                return keys
        try:
            keys = await self._ask(
                "GET", metadata.jwks_uri, dict[str, Any], headers=_LOOK_LIKE_JSON
            )
        except ProviderUnavailable:
            if self._keys is None or now - self._keys[0] > _GOOD_WITHOUT_ANSWER:
                raise
            return self._keys[1]
        self._keys = (now, keys)
        return keys

    async def _ask(self, method: str, url: str, shape: type[T], **request: Any) -> T:
        """One question; ``ProviderUnavailable`` for every kind of no answer."""

        async def attempt() -> tuple[int, bytes]:
            async with self._session.request(
                method, url, allow_redirects=False, **request
            ) as response:
                wait = http.wait_announced(response)
                if response.status == 429 or (  # noqa: PLR2004 - HTTP
                    response.status == 503 and wait is not None  # noqa: PLR2004
                ):
                    raise http.Pushback(wait or 0.0)
                if response.status >= 500:  # noqa: PLR2004 - HTTP
                    raise NoAnswer(f"it answered {response.status}")
                return response.status, await http.read(response)

        # A code may be redeemed once; what is only read may be asked for again.
        protect = self._protect_reading if method == "GET" else self._protect
        try:
            status, body = await protect(attempt)
        except (
            NoAnswer,
            http.Pushback,
            aiohttp.ClientError,
            OSError,
            ValueError,
            http.AnswerTooLong,
            Rejected,
            TimedOut,
        ) as error:
            raise ProviderUnavailable(self.id) from error
        if status in (400, 401, 403) and method == "POST":
            # The code was used, or is not ours: this sign-in will not come to an end.
            raise OutsideSignInRefused("code")
        if status != 200:  # noqa: PLR2004 - HTTP
            raise ProviderUnavailable(self.id)
        try:
            return msgspec.json.decode(body, type=shape)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ProviderUnavailable(self.id) from error


def _form(text: str) -> str:
    # RFC 6749 2.3.1: both parts are form-encoded before they are put together.
    return quote(text, safe="")
