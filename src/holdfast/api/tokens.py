"""Access tokens, as remembered by this process.

A signature is checked once; after that a token is known by its SHA-256 until it
expires, and the database is asked every five seconds what it still allows. That is how
long a revoked token, an ended session or a role taken away may live on. Tokens whose
questions come together are asked for in one statement.

Made-up tokens never get that far. Most are refused by their shape or key id in three
microseconds; those that cost a signature are remembered for a while, apart from the
others, so that a flood of them pushes out nothing of worth.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from holdfast.domain import oauth
from holdfast.domain.identity import IDENTITY_SCOPES, Member, Service
from holdfast.domain.oauth import AccessClaims
from holdfast.kernel.clock import Clock
from holdfast.platform.db import Connection
from holdfast.platform.together import Together

REMEMBERED = timedelta(seconds=5)
_MAX_REMEMBERED = 10_000
_MAX_REFUSED = 1_000


@dataclass(slots=True)
class _Known:
    """A token whose signature was checked, and what it stood for when last asked."""

    claims: AccessClaims
    caller: Member | Service | None
    asked_at: datetime
    until: datetime


class Tokens:
    """Whose token it is, and what it allows now."""

    def __init__(
        self,
        db: Connection,
        keys: oauth.KeyRing,
        *,
        issuer: str,
        clock: Clock,
        limit: int = _MAX_REMEMBERED,
    ) -> None:
        self._db = db
        self._keys = keys
        self._issuer = issuer
        self._clock = clock
        self._limit = limit
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._refused: OrderedDict[bytes, datetime] = OrderedDict()
        self._standing = Together(self._ask)

    def __len__(self) -> int:
        return len(self._known)

    async def find(self, token: str) -> Member | Service | None:
        """Whose token it is; None if nobody's, or no longer.

        Raises ``DatabaseUnavailable``: what cannot be asked is not believed.
        """
        digest = hashlib.sha256(token.encode("latin-1")).digest()
        known = self._known.get(digest)
        now = self._clock()
        # A clock that was put back must not make old knowledge young.
        if known is not None and known.asked_at <= now < known.until:
            return known.caller
        if known is None:
            claims = await self._verified(token, digest, now)
        else:
            claims = known.claims
        if claims is None or claims.expires_at <= now:
            self._known.pop(digest, None)
            return None
        caller = _caller(claims, await self._standing.get(claims))
        until = min(now + REMEMBERED, claims.expires_at)
        self._remember(digest, _Known(claims, caller, now, until))
        return caller

    async def _verified(
        self, token: str, digest: bytes, now: datetime
    ) -> AccessClaims | None:
        until = self._refused.get(digest)
        if until is not None and now < until <= now + REMEMBERED:
            return None
        try:
            return await oauth.verify(
                token, keys=self._keys, issuer=self._issuer, at=now
            )
        except oauth.TokenRefused as refused:
            if refused.was_dear:
                self._refused[digest] = now + REMEMBERED
                self._refused.move_to_end(digest)
                if len(self._refused) > _MAX_REFUSED:
                    self._refused.popitem(last=False)
            return None

    def _remember(self, digest: bytes, known: _Known) -> None:
        self._known[digest] = known
        self._known.move_to_end(digest)
        if len(self._known) > self._limit:
            # The one that was asked about least recently.
            self._known.popitem(last=False)

    async def _ask(
        self, tokens: Sequence[AccessClaims]
    ) -> Mapping[AccessClaims, frozenset[str]]:
        found = await oauth.standing(
            self._db, tokens, at=self._clock(), of_no_role=IDENTITY_SCOPES
        )
        return {
            claims: found[claims.token_id]
            for claims in tokens
            if claims.token_id in found
        }


def _caller(
    claims: AccessClaims, held: frozenset[str] | None
) -> Member | Service | None:
    """Who calls: what the token was given, as far as it is held now."""
    if held is None:
        return None
    scopes = claims.scopes & held
    if claims.account_id is None or claims.session_id is None:
        return Service(claims.client_id, scopes)
    return Member(claims.account_id, claims.session_id, claims.client_id, scopes)
