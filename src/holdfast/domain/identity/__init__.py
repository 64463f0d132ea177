"""Who a caller is and what they may do.

Promises: a key's token is shown once and never stored; a revoked key stays on
record and proves nothing; a scope that is not in ``SCOPES`` cannot be granted.
"""

from holdfast.domain.identity.errors import ApiKeyNotFound, UnknownScopes
from holdfast.domain.identity.model import (
    CART_PREFIX,
    KEY_PREFIX,
    RANDOM_BYTES,
    SCOPES,
    Anonymous,
    ApiKey,
    Caller,
    Guest,
    Operator,
    check_scopes,
    fingerprint,
    may,
    mint,
    plausible,
    shown,
)
from holdfast.domain.identity.store import (
    add_key,
    find_by_hash,
    list_keys,
    revoke_key,
)

__all__ = [
    "CART_PREFIX",
    "KEY_PREFIX",
    "RANDOM_BYTES",
    "SCOPES",
    "Anonymous",
    "ApiKey",
    "ApiKeyNotFound",
    "Caller",
    "Guest",
    "Operator",
    "UnknownScopes",
    "add_key",
    "check_scopes",
    "find_by_hash",
    "fingerprint",
    "list_keys",
    "may",
    "mint",
    "plausible",
    "revoke_key",
    "shown",
]
