"""Customers, their addresses, and what is held about them."""

from holdfast.api.policy import Route

ROUTES: tuple[Route, ...] = ()
