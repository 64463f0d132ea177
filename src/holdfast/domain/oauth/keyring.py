"""The signing keys as one process knows them, never more than five seconds old.

Looking a key up costs nothing as long as it is known. A key id that is not known may be
that of a key made a moment ago, so the list is read again, but no more than once a
second: made-up ids are no way to the database.
"""

import asyncio
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from joserfc.jwk import ECKey

from holdfast.domain.oauth import signing
from holdfast.domain.oauth.signing import ListedKey, SigningKey
from holdfast.kernel.clock import Clock
from holdfast.platform.db import Database
from holdfast.platform.joint import apart
from holdfast.platform.vault import Vault

REMEMBERED = timedelta(seconds=5)
_PATIENCE = timedelta(seconds=1)
# A SHA-256 thumbprint in base64url, as every key here is named.
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{43}")


class KeyRing:
    """Who signs now, and whose signatures are believed."""

    def __init__(self, db: Database, vault: Vault, clock: Clock) -> None:
        self._db = db
        self._vault = vault
        self._clock = clock
        self._keys: Mapping[str, ListedKey] = {}
        self._read_at: datetime | None = None
        self._signing: SigningKey | None = None
        self._reading = asyncio.Lock()

    async def signer(self) -> SigningKey:
        """The key that signs now; the first one is made here."""
        await self._refresh(REMEMBERED)
        chosen = signing.signer_among(self._keys.values(), self._clock())
        if chosen is None:
            await self._make_first()
            await self._refresh(timedelta(0))
            chosen = signing.signer_among(self._keys.values(), self._clock())
        if chosen is None:
            raise RuntimeError("a signing key was made, and is not there")
        if self._signing is None or self._signing.id != chosen.id:
            self._signing = signing.unsealed(self._vault, chosen)
        return self._signing

    async def verifier(self, key_id: str) -> ECKey | None:
        """The public key of that id; None if it is none of ours, or no longer."""
        if _KEY_ID.fullmatch(key_id) is None:
            return None
        await self._refresh(REMEMBERED if key_id in self._keys else _PATIENCE)
        key = self._keys.get(key_id)
        return key.public if key is not None and key.listed(self._clock()) else None

    async def jwks(self) -> dict[str, list[dict[str, Any]]]:
        """The JWK set (RFC 7517 5) of every key whose signatures are believed."""
        await self.signer()
        now = self._clock()
        return {"keys": [key.jwk for key in self._keys.values() if key.listed(now)]}

    async def _refresh(self, most: timedelta) -> None:
        """Read the keys again unless they were read within *most*."""
        if self._known_since(most):
            return
        async with self._reading:
            # Whoever waited for another's reading has what that one read.
            if self._known_since(most):
                return
            now = self._clock()
            keys = await signing.listed_signing_keys(self._db, now)
            self._keys = {key.id: key for key in keys}
            self._read_at = now

    def _known_since(self, most: timedelta) -> bool:
        if self._read_at is None:
            return False
        # A clock that was put back must not make old knowledge young.
        return timedelta(0) <= self._clock() - self._read_at < most

    async def _make_first(self) -> None:
        # It is the shop's, whatever becomes of the request that found none.
        with apart():
            await self._add_first()

    async def _add_first(self) -> None:
        async with self._db.transaction() as tx:
            await signing.lock_signing_keys(tx)
            now = self._clock()
            # Another process may have been first: then its key is the key.
            if signing.signer_among(await signing.listed_signing_keys(tx, now), now):
                return
            key = signing.new_signing_key()
            # For those whose clocks are behind, too.
            since = now - signing.LEEWAY
            await signing.add_signing_key(
                tx, self._vault, key, signs_from=since, at=now
            )
