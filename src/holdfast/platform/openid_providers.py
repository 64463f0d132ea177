"""The OpenID providers with which people may sign in, as a deployment names them.

A JSON list in one setting, because each has five facts that belong together.
"""

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import msgspec

_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class OpenIdProvider:
    """Somebody who can say who a person is."""

    id: str
    """Its name in addresses: ``/sign-in/with/<id>``."""
    title: str
    """How people know it."""
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)


class _Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    title: str
    issuer: str
    client_id: str
    client_secret: str


def read(text: str, *, demanding: bool) -> tuple[tuple[OpenIdProvider, ...], list[str]]:
    """The providers that *text* lists, and what is wrong with it.

    What is wrong never repeats a value: one of them is a secret. Where the rules are
    *demanding*, every issuer must be https.
    """
    try:
        said = msgspec.json.decode(text, type=list[_Said])
    except msgspec.ValidationError as error:
        # msgspec names fields and types, no values.
        return (), [f"must be a JSON list of providers: {error}"]
    except (msgspec.DecodeError, UnicodeError):
        return (), ["must be a JSON list of providers, and is no JSON"]
    faults = [
        f"{place}: {fault}"
        for place, provider in enumerate(said)
        for fault in _faults(provider, demanding=demanding)
    ]
    ids = [provider.id for provider in said]
    if len(set(ids)) < len(ids):
        faults.append("two providers have the same id")
    issuers = [provider.issuer for provider in said]
    if len(set(issuers)) < len(issuers):
        faults.append("two providers have the same issuer")
    if faults:
        return (), faults
    return tuple(
        OpenIdProvider(p.id, p.title, p.issuer, p.client_id, p.client_secret)
        for p in said
    ), []


def _faults(said: _Said, *, demanding: bool) -> list[str]:
    faults = []
    if _ID.fullmatch(said.id) is None:
        faults.append("id must be lower-case letters, digits and hyphens")
    faults += [
        f"{name} must not be empty"
        for name in ("title", "client_id", "client_secret")
        if not getattr(said, name).strip()
    ]
    try:
        parts = urlsplit(said.issuer)
        bare = not (parts.query or parts.fragment or parts.username)
        local = parts.hostname in _LOOPBACK and not demanding
        safe = parts.scheme == "https" or (parts.scheme == "http" and local)
        good = bool(parts.hostname) and bare and safe
    except ValueError:
        good = False
    if not good:
        # OpenID Connect Discovery 1.0, 2: anything else could be read on its way.
        faults.append("issuer must be a bare https:// address")
    return faults
