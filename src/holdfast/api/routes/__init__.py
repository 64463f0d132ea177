"""Every route there is: who may call it, what it costs, what is shed first.

Add a line to one of the tables to add an endpoint. The lines of a table stand in the
order of the paths.
"""

from holdfast.api.policy import Priority, Route
from holdfast.api.routes import (
    accounts,
    carts,
    catalogue,
    collections,
    customers,
    drops,
    files,
    hosted,
    inventory,
    load,
    media,
    oauth,
    orders,
    payments,
    prices,
    protection,
    reservations,
    returns,
    roles,
    search,
    shipping,
    shop,
    sign_in,
    translations,
)

__all__ = ["ROUTES", "Priority", "Route"]

ROUTES: tuple[Route, ...] = (
    *shop.ROUTES,
    *catalogue.ROUTES,
    *collections.ROUTES,
    *inventory.ROUTES,
    *carts.ROUTES,
    *payments.ROUTES,
    *orders.ROUTES,
    *reservations.ROUTES,
    *returns.ROUTES,
    *shipping.ROUTES,
    *oauth.ROUTES,
    *hosted.ROUTES,
    *accounts.ROUTES,
    *sign_in.ROUTES,
    *customers.ROUTES,
    *drops.ROUTES,
    *prices.ROUTES,
    *protection.ROUTES,
    *roles.ROUTES,
    *load.ROUTES,
    *media.ROUTES,
    *search.ROUTES,
    *translations.ROUTES,
    *files.ROUTES,
)
