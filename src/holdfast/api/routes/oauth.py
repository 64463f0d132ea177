"""OAuth 2.0 and OpenID Connect, and the clients that speak it."""

from holdfast.api.policy import Route

ROUTES: tuple[Route, ...] = ()
