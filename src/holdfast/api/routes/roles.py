"""Roles, who has them, and the security record."""

from holdfast.api import roles, security_events
from holdfast.api.policy import Priority, Route
from holdfast.domain import accounts, identity
from holdfast.kernel.page import BadCursor

_WRITING_ROLES = (
    identity.RoleInvalid,
    identity.UnknownScopes,
    identity.ScopeNotHeld,
)

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/v1/roles",
        roles.browse,
        cost=1,
        priority=Priority.OPERATE,
        scope="roles:read",
        raises=(BadCursor,),
    ),
    Route(
        "POST",
        "/v1/roles",
        roles.create,
        cost=5,
        priority=Priority.OPERATE,
        scope="roles:write",
        raises=(*_WRITING_ROLES, identity.RoleNameTaken),
    ),
    Route(
        "GET",
        "/v1/roles/{name}",
        roles.show,
        cost=1,
        priority=Priority.OPERATE,
        scope="roles:read",
        raises=(identity.RoleNotFound,),
    ),
    Route(
        "PATCH",
        "/v1/roles/{name}",
        roles.change,
        cost=5,
        priority=Priority.OPERATE,
        scope="roles:write",
        raises=(identity.RoleNotFound, identity.RoleBuiltIn, *_WRITING_ROLES),
    ),
    Route(
        "DELETE",
        "/v1/roles/{name}",
        roles.delete,
        cost=5,
        priority=Priority.OPERATE,
        scope="roles:write",
        raises=(identity.RoleNotFound, identity.RoleBuiltIn, identity.RoleInUse),
    ),
    Route(
        "GET",
        "/v1/security-events",
        security_events.browse,
        cost=5,
        priority=Priority.OPERATE,
        scope="audit:read",
        raises=(BadCursor,),
    ),
    Route(
        "GET",
        "/v1/users/{account_id:uuid}/roles",
        roles.of_user,
        cost=1,
        priority=Priority.OPERATE,
        scope="users:read",
        raises=(accounts.AccountNotFound,),
    ),
    Route(
        "PUT",
        "/v1/users/{account_id:uuid}/roles/{name}",
        roles.grant,
        cost=5,
        priority=Priority.OPERATE,
        scope="roles:write",
        raises=(
            accounts.AccountNotFound,
            accounts.AccountErased,
            identity.RoleNotFound,
            identity.ScopeNotHeld,
        ),
        status=204,
    ),
    Route(
        "DELETE",
        "/v1/users/{account_id:uuid}/roles/{name}",
        roles.revoke,
        cost=5,
        priority=Priority.OPERATE,
        scope="roles:write",
        raises=(
            accounts.AccountNotFound,
            identity.RoleNotFound,
            identity.AccountMayMore,
            identity.LastAdmin,
        ),
    ),
)
