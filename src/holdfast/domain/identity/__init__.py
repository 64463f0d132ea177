"""Who a caller is and what they may do.

Promises: a key's token is shown once and never stored; a revoked key stays on
record and proves nothing; a scope that is not in ``SCOPES`` cannot be granted.
"""

from holdfast.domain.identity.errors import ApiKeyNotFound, UnknownScopes
from holdfast.domain.identity.model import (
    IDENTITY_SCOPES,
    KEY_SCOPES,
    PERSONAL_SCOPES,
    SCOPE_TITLES,
    SCOPES,
    Anonymous,
    ApiKey,
    Caller,
    Guest,
    Member,
    Operator,
    Origin,
    Service,
    check_scopes,
    may,
    scopes_of,
)
from holdfast.domain.identity.store import (
    add_key,
    find_by_hash,
    list_keys,
    revoke_key,
)

__all__ = [
    "IDENTITY_SCOPES",
    "KEY_SCOPES",
    "PERSONAL_SCOPES",
    "SCOPES",
    "SCOPE_TITLES",
    "Anonymous",
    "ApiKey",
    "ApiKeyNotFound",
    "Caller",
    "Guest",
    "Member",
    "Operator",
    "Origin",
    "Service",
    "UnknownScopes",
    "add_key",
    "check_scopes",
    "find_by_hash",
    "list_keys",
    "may",
    "revoke_key",
    "scopes_of",
]
