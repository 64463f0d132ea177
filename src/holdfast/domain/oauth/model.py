"""Clients, and the rules of what they may register and ask for."""

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias
from urllib.parse import SplitResult, parse_qsl, urlsplit
from uuid import UUID

from holdfast.domain.oauth.errors import ClientInvalid

Kind: TypeAlias = Literal["public", "confidential"]
GrantType: TypeAlias = Literal[
    "authorization_code", "refresh_token", "client_credentials"
]

AUTHORIZATION_CODE_LIFETIME = timedelta(seconds=60)
REFRESH_TOKEN_LIFETIME = timedelta(days=30)
"""Without use; each use makes a token that lasts as long again."""
REFRESH_GRACE = timedelta(seconds=10)
"""How long a used refresh token is taken for a race of its owner, not for theft."""

_MAX_URI_CHARS = 2000
# BASE64URL(SHA-256(...)) has 43 characters; RFC 7636 4.2 names the range.
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43,128}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_URI_CHARS = re.compile(r"[A-Za-z0-9._~:/?\[\]@!$&'()*+,;=%-]+")
_LOOPBACK = re.compile(
    r"(http://(?:127\.0\.0\.1|\[::1\]))(?::[0-9]{1,5})?((?:[/?].*)?)"
)
_DOTS = frozenset({".", ".."})
_ANSWERED = frozenset({"code", "error", "error_description", "iss", "state"})
_LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Client:
    """An application that may ask people to sign in, or act for itself."""

    id: str
    name: str
    kind: Kind
    redirect_uris: tuple[str, ...]
    grant_types: tuple[GrantType, ...]
    scopes: tuple[str, ...]
    first_party: bool
    """The shop's own: nobody is asked for consent, and it may take passwords."""
    created_at: datetime
    updated_at: datetime
    disabled_at: datetime | None

    @property
    def is_public(self) -> bool:
        """Whether it can keep no secret: an app on a phone, a page in a browser."""
        return self.kind == "public"

    def may_return_to(self, redirect_uri: str) -> bool:
        """Whether *redirect_uri* is, letter by letter, one of those registered.

        Only the port of a loopback address of a public client is free: the operating
        system picks it when the application starts (RFC 8252 7.3). The address must be
        a literal; ``localhost`` can be made to mean another machine.
        """
        if redirect_uri in self.redirect_uris:
            return True
        if not self.is_public or (asked := _LOOPBACK.fullmatch(redirect_uri)) is None:
            return False
        return any(
            known[1] == asked[1] and known[2] == asked[2]
            for known in map(_LOOPBACK.fullmatch, self.redirect_uris)
            if known is not None
        )


@dataclass(frozen=True, slots=True)
class Code:
    """What somebody granted to a client, to be had for a code."""

    client_id: str
    account_id: UUID
    redirect_uri: str
    code_challenge: str
    scopes: tuple[str, ...]
    nonce: str | None
    methods: tuple[str, ...]
    authenticated_at: datetime
    browser_session_id: UUID


@dataclass(frozen=True, slots=True)
class Used:
    """A refresh token at its use."""

    session_id: UUID
    before: datetime | None
    """When it was used first; None if this is its first use."""


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """What introspection tells of a refresh token that can be used."""

    session_id: UUID
    client_id: str
    account_id: UUID
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Consent:
    """What somebody once allowed a client."""

    client_id: str
    client_name: str
    scopes: tuple[str, ...]
    granted_at: datetime


def plausible_challenge(challenge: str) -> bool:
    """Whether *challenge* has the form of RFC 7636 4.2."""
    return _CHALLENGE.fullmatch(challenge) is not None


def challenge_of(verifier: str) -> str | None:
    """The S256 challenge of a verifier; None if it is none (RFC 7636 4.1)."""
    if _VERIFIER.fullmatch(verifier) is None:
        return None
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def check_client(
    *,
    kind: Kind,
    redirect_uris: Iterable[str],
    grant_types: Iterable[str],
    scopes: Iterable[str],
    personal: frozenset[str],
) -> None:
    """Raise ``ClientInvalid``, which names every fault at once.

    *personal* are scopes that only a person can hold.
    """
    uris, grants = list(redirect_uris), frozenset(grant_types)
    faults = [
        {"pointer": f"/redirect_uris/{n}", "detail": fault}
        for n, uri in enumerate(uris)
        if (fault := fault_of_redirect_uri(uri, kind)) is not None
    ]
    faults += (
        {"pointer": f"/{field}", "detail": detail}
        for field, detail in _contradictions(kind, uris, grants, scopes, personal)
    )
    if faults:
        raise ClientInvalid(faults)


def _contradictions(
    kind: Kind,
    uris: list[str],
    grants: frozenset[str],
    scopes: Iterable[str],
    personal: frozenset[str],
) -> Iterator[tuple[str, str]]:
    if "authorization_code" in grants and not uris:
        yield "redirect_uris", "A client that signs people in needs an address"
    if "refresh_token" in grants and "authorization_code" not in grants:
        yield "grant_types", "refresh_token needs authorization_code"
    if "client_credentials" in grants and kind == "public":
        yield "grant_types", "A public client has no credentials"
    if grants == {"client_credentials"} and (mine := sorted(personal & set(scopes))):
        yield "scopes", f"Only a person can hold {', '.join(mine)}"


def fault_of_redirect_uri(uri: str, kind: Kind) -> str | None:
    """What is wrong with an address to return to; None if nothing is.

    https anywhere; http only on the machine itself; a scheme of an application's own
    only for public clients, and with a dot: the name of a domain turned around, which
    no other application has by chance (RFC 8252 7.1).
    """
    try:
        parts = urlsplit(uri)
        parts.port  # noqa: B018 - read when asked for, and may be no number
    except ValueError:
        return "Is not an address"
    faults = (
        *_faults_of_text(uri, parts),
        *(
            _faults_of_web_address(parts)
            if parts.scheme in ("http", "https")
            else _faults_of_own_scheme(parts, kind)
        ),
    )
    return faults[0] if faults else None


def _faults_of_text(uri: str, parts: SplitResult) -> Iterator[str]:
    if len(uri) > _MAX_URI_CHARS:
        yield f"Longer than {_MAX_URI_CHARS} characters"
    if "#" in uri:
        yield "Has a fragment"
    if _URI_CHARS.fullmatch(uri) is None:
        yield "Has characters that an address cannot have"
    # urlsplit reads schemes in small letters; another spelling would never match.
    if not parts.scheme or not uri.startswith(f"{parts.scheme}:"):
        yield "Does not begin with a scheme in small letters"
    if "@" in parts.netloc:
        yield "Names a user"
    named = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    if ours := sorted(named & _ANSWERED):
        # Two of a name: what reads the answer may take the wrong one.
        yield f"Has a parameter of answers: {ours[0]}"
    if not _DOTS.isdisjoint(parts.path.split("/")) or "%2e" in uri.lower():
        yield "Has . or .. in its path"


def _faults_of_web_address(parts: SplitResult) -> Iterator[str]:
    host = parts.hostname
    if not host or "*" in host or "%" in host or parts.port == 0:
        yield "Names no host"
    if parts.scheme == "http" and host not in _LOOPBACK_HOSTS:
        yield "http is only for this machine: 127.0.0.1, [::1] or localhost"


def _faults_of_own_scheme(parts: SplitResult, kind: Kind) -> Iterator[str]:
    if "." not in parts.scheme:
        yield "Is neither https nor a scheme with a dot"
    elif kind != "public":
        yield "Only public clients have schemes of their own"
