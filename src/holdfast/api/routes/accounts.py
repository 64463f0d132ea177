"""Accounts and how their owners sign in."""

from holdfast.api.policy import Route

ROUTES: tuple[Route, ...] = ()
