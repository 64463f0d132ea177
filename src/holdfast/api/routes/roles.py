"""Roles, who has them, and the security record."""

from holdfast.api.policy import Route

ROUTES: tuple[Route, ...] = ()
